using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DotNetty.Common.Concurrency;
using Microsoft.Extensions.Logging;
using TaskCompletionSource = System.Threading.Tasks.TaskCompletionSource;

namespace MailCluster.Net;

/// <summary>One accepted connection from its first byte to the closed socket: PROXY header, limits, TLS, session, orderly end.</summary>
internal sealed partial class Connection : IConnection
{
    private readonly NetServer _server;
    private readonly Listener _listener;
    private readonly Pipe _pipe;
    // Completed on the event loop, where the end of a connection then goes on.
    private readonly TaskCompletionSource _channelClosed = new();
    private readonly CancellationTokenSource _closed = new();
    private SslStream? _tlsStream;
    private InflateStream? _inflating;
    private (PipeReader Input, ConnectionOutput Output) _below;
    private AddressSlot? _slot;
    private string? _abortReason;
    private long _endDeadline = long.MaxValue;
    private int _cancelling;
    private volatile bool _inSession;
    private volatile bool _sessionEnded;

    public Connection(NetServer server, Listener listener, AcceptedChannel channel, long id, IPEndPoint remote, IPEndPoint local, AddressSlot? slot)
    {
        _server = server;
        _listener = listener;
        _slot = slot;
        Channel = channel;
        Id = id;
        SessionId = SessionIds.Text(id);
        Remote = remote;
        Local = local;
        IsTrusted = listener.Trusts(remote.Address);
        _pipe = new Pipe(listener.PipeOptions);
        Input = _pipe.Reader;
        Output = ChannelOutput = new ChannelOutput(channel, listener.CountSent);
        InputTimeout = new InputTimeout(server.Time, CancelRead);
        channel.Pipeline.AddLast("bridge", new ChannelBridge(this, _pipe.Writer));
    }

    public AcceptedChannel Channel { get; }

    public ChannelOutput ChannelOutput { get; }

    public long Id { get; }

    public string SessionId { get; }

    public IPEndPoint Remote { get; private set; }

    public IPEndPoint Local { get; private set; }

    public bool IsSecure => Tls is not null;

    public bool IsLoopback => IPAddress.IsLoopback(Remote.Address);

    public bool IsTrusted { get; private set; }

    public TlsFacts? Tls { get; private set; }

    public PipeReader Input { get; private set; }

    public ConnectionOutput Output { get; private set; }

    public PipeScheduler Resume => ((PollLoop)Channel.EventLoop).Sessions;

    public InputTimeout InputTimeout { get; }

    public CancellationToken Closed => _closed.Token;

    public CancellationToken Draining => _server.Draining;

    public bool CanStartTls => _listener.Certificates is not null && Tls is null;

    public bool HasBufferedInput
    {
        get
        {
            // A cancelled read also returns what was examined before, which a plain TryRead does not.
            Input.CancelPendingRead();
            if (!Input.TryRead(out var result))
            {
                return false;
            }
            bool any = !result.Buffer.IsEmpty;
            Input.AdvanceTo(result.Buffer.Start);
            return any;
        }
    }

    public async ValueTask StartTlsAsync(CancellationToken cancellationToken = default)
    {
        if (!CanStartTls)
        {
            throw new InvalidOperationException("TLS is on already, or the listener has no certificate.");
        }
        if (HasBufferedInput)
        {
            throw new InvalidOperationException("Plain text has arrived behind the command that starts TLS.");
        }
        await Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await HandshakeAsync(cancellationToken).ConfigureAwait(false);
    }

    public bool IsCompressed => _inflating is not null;

    public async ValueTask StartDeflateAsync(CancellationToken cancellationToken = default)
    {
        if (IsCompressed || HasBufferedInput)
        {
            throw new InvalidOperationException("Compression is on already, or plain input has arrived behind the command that starts it.");
        }
        await Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        _inflating = new InflateStream(Input);
        _below = (Input, Output);
        // Zero-byte reads: an idle connection keeps no buffer but zlib's window.
        Input = PipeReader.Create(_inflating, new StreamPipeReaderOptions(useZeroByteReads: true, leaveOpen: true));
        Output = new DeflateOutput(Output);
    }

    public async ValueTask<bool> StopDeflateAsync(Action last, CancellationToken cancellationToken = default)
    {
        if (_inflating is not { } inflating)
        {
            throw new InvalidOperationException("Nothing is compressed.");
        }
        if (HasBufferedInput || !await inflating.EndAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }
        last();
        await Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        await Input.CompleteAsync().ConfigureAwait(false);
        await inflating.DisposeAsync().ConfigureAwait(false);
        (Input, Output) = _below;
        _inflating = null;
        return true;
    }

    public void LoggedIn() => Interlocked.Exchange(ref _slot, null)?.Release();

    public bool LoggedOut() => IsTrusted || _slot is not null || _server.Addresses.TryTake(Remote.Address, _listener.Options.MaxConnectionsPerAddress, out _slot);

    public void Abort(string reason)
    {
        if (Interlocked.CompareExchange(ref _abortReason, reason, null) is null)
        {
            LogAborted(_listener.Log, SessionId, Remote, reason);
        }
        _ = Channel.CloseAsync();
    }

    /// <summary>On the event loop, once the channel is active.</summary>
    public void Start() => _ = RunAsync();

    public void CountReceived(int bytes) => _listener.CountReceived(bytes);

    /// <summary>The client has ended its side. On the event loop.</summary>
    public void InputEnded() => _pipe.Writer.Complete();

    /// <summary>The socket is closed, by whomever. On the event loop.</summary>
    public void ChannelClosed()
    {
        if (_sessionEnded)
        {
            // Nobody waits for it any more: no thread of the pool is woken.
            _closed.Cancel();
        }
        else
        {
            _ = _closed.CancelAsync();
        }
        var reason = new ConnectionClosedException(_abortReason ?? "the client closed the connection");
        EventLoopTask.Run(_ =>
        {
            ChannelOutput.Close(reason);
            _pipe.Writer.Complete(reason);
            _channelClosed.TrySetResult();
        }, this);
    }

    /// <summary>The server begins to drain: a session is woken, what is not one yet has nothing to lose. Any thread.</summary>
    public void Drain()
    {
        if (_inSession)
        {
            CancelRead();
        }
        else
        {
            Abort("the server is shutting down");
        }
    }

    /// <summary>About once a second: all time-outs of the connection.</summary>
    public void Tick(long now)
    {
        if (_inSession && Draining.IsCancellationRequested)
        {
            CancelRead();
        }
        InputTimeout.Tick(now);
        if (now >= Volatile.Read(ref _endDeadline))
        {
            Abort("the client does not close its side");
        }
        else if (ChannelOutput.IsPending && now - Channel.LastWrite >= _server.Stamps(_listener.Options.SlowReaderTimeout))
        {
            Abort("the client does not read");
        }
    }

    private async Task RunAsync()
    {
        bool orderly = false;
        try
        {
            orderly = await BeginAsync().ConfigureAwait(false);
            if (orderly)
            {
                _inSession = true;
                await _listener.Protocol.RunAsync(this).ConfigureAwait(false);
            }
            else
            {
                // Turned away: what Output holds, if anything, says why.
                orderly = Output.UnflushedBytes > 0;
            }
        }
        catch (Exception exception) when (exception is ConnectionClosedException || (exception is OperationCanceledException && _closed.IsCancellationRequested))
        {
            orderly = false;
            LogEnded(_listener.Log, SessionId, Remote, exception.Message);
        }
        catch (Exception exception)
        {
            orderly = false;
            LogFailed(_listener.Log, SessionId, Remote, exception);
        }
        await EndAsync(orderly).ConfigureAwait(false);
    }

    /// <summary>What comes before the session. False: there will be none.</summary>
    private async ValueTask<bool> BeginAsync()
    {
        if (_listener.Options.ProxyProtocol && IsTrusted)
        {
            InputTimeout.Set(_listener.Options.ProxyHeaderTimeout);
            var header = await ProxyHeader.ReadAsync(Input, InputTimeout).ConfigureAwait(false);
            InputTimeout.Clear();
            if (header is null)
            {
                LogBadProxyHeader(_listener.Log, SessionId, Remote);
                return false;
            }
            if (header is { Source: { } source, Destination: { } destination })
            {
                Remote = source;
                Local = destination;
                IsTrusted = _listener.Trusts(source.Address);
                Tls = header.Tls;
            }
            if (!IsTrusted && !_server.Addresses.TryTake(Remote.Address, _listener.Options.MaxConnectionsPerAddress, out _slot))
            {
                Refuse(RefusalReason.TooManyFromAddress);
                return false;
            }
        }
        if (_listener.Options.ImplicitTls && Tls is null)
        {
            await HandshakeAsync(CancellationToken.None).ConfigureAwait(false);
        }
        return true;
    }

    private void Refuse(RefusalReason reason)
    {
        _listener.CountRefused(reason, Remote.Address);
        if (!_listener.Options.ImplicitTls && _listener.Protocol.RefusalLine(reason) is { } line)
        {
            line.Span.CopyTo(Output.GetSpan(line.Length));
            Output.Advance(line.Length);
        }
    }

    private async ValueTask HandshakeAsync(CancellationToken cancellationToken)
    {
        var transport = new PipeStream(_pipe.Reader, ChannelOutput) { FlushEachWrite = true };
        var stream = new SslStream(transport, leaveInnerStreamOpen: true);
        using var clock = new CancellationTokenSource(_listener.Options.TlsHandshakeTimeout, _server.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Closed, clock.Token);
        try
        {
            await stream.AuthenticateAsServerAsync(TlsOptions.ForClient, new TlsListener(_listener.Certificates!, _listener.Options.ClientAuthorities), limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            string reason = clock.IsCancellationRequested ? "TLS handshake timed out" : "TLS handshake failed: " + exception.Message;
            _server.Metrics.Handshake(_listener.Protocol.Name, "failed");
            throw new ConnectionClosedException(reason, exception);
        }
        transport.FlushEachWrite = false;
        _tlsStream = stream;
        Tls = new TlsFacts(stream.SslProtocol, stream.NegotiatedCipherSuite.ToString(), stream.TargetHostName is { Length: > 0 } name ? name : null, Offloaded: false)
        {
            ServerEndPoint = stream.LocalCertificate is { } shown ? ServerEndPoint.Of(shown) : null,
            ClientAddresses = _listener.Options.ClientAuthorities is { } clients && stream.RemoteCertificate is X509Certificate2 client ? clients.AddressesOf(client) : [],
        };
        _server.Metrics.Handshake(_listener.Protocol.Name, stream.SslProtocol == SslProtocols.Tls13 ? "1.3" : "1.2");
        // Zero-byte reads: an idle connection keeps no buffer, here and in SslStream.
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(useZeroByteReads: true, leaveOpen: true));
        Output = new StreamOutput(stream);
    }

    /// <summary>
    /// Ends the session's wait for input. On the event loop, whoever asks for it: the session goes on in the thread that cancels its read, and that must not be
    /// a grain's, or the clock's that has other connections to look at.
    /// </summary>
    private void CancelRead()
    {
        if (Interlocked.Exchange(ref _cancelling, 1) != 0)
        {
            return; // On its way already.
        }
        try
        {
            Channel.EventLoop.Execute(static connection => EventLoopTask.Run(static self =>
            {
                var connection = (Connection)self!;
                Volatile.Write(ref connection._cancelling, 0);
                connection.Input.CancelPendingRead();
            }, connection), this);
        }
        catch (RejectedExecutionException)
        {
            // The loops have ended, after all connections.
        }
    }
}
