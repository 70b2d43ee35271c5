using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

/// <summary>
/// A listening socket, which all event loops watch (<see cref="Acceptor"/>): a loop that is busy holds nobody up. Accepting is ours and not DotNetty's, which spins when the process is out
/// of file descriptors.
/// </summary>
internal sealed partial class Listener
{

    private readonly NetServer _server;
    private readonly Socket _socket;
    private readonly Acceptor[] _acceptors;
    private int _count;

    public Listener(NetServer server, ListenerOptions options, IProtocol protocol, ICertificateSource? certificates, ILogger log)
    {
        _server = server;
        Options = options;
        Protocol = protocol;
        Certificates = certificates;
        Log = log;
        _acceptors = [.. server.Loops.Select(loop => new Acceptor(this, loop))];
        // Inline: a session that waits for input goes on in the event loop's thread, and a reader that makes room resumes the writer without a hop.
        PipeOptions = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: options.InputPauseBytes, resumeWriterThreshold: options.InputPauseBytes / 2, useSynchronizationContext: false);
        CountSent = bytes => server.Metrics.Sent(protocol.Name, bytes);
        // .NET sets SO_REUSEADDR by itself where it only means that a restart may bind at once.
        _socket = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (options.EndPoint.Address.Equals(IPAddress.IPv6Any))
            {
                _socket.DualMode = true;
            }
            // Linux hands all of these on to the sockets that are accepted.
            _socket.NoDelay = true;
            // Mobile clients in IDLE vanish silently: found within 2 + 4 * 0.5 minutes.
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 120);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 30);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
            _socket.Bind(options.EndPoint);
            _socket.Listen(options.Backlog);
            _socket.Blocking = false;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public ListenerOptions Options { get; }

    public IProtocol Protocol { get; }

    public ICertificateSource? Certificates { get; }

    public ILogger Log { get; }

    /// <summary>Of the pipes that take what clients send.</summary>
    public PipeOptions PipeOptions { get; }

    /// <summary>Counts bytes that go out; one delegate for all connections.</summary>
    public Action<int> CountSent { get; }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public void Start()
    {
        foreach (var acceptor in _acceptors)
        {
            acceptor.Start(_socket);
        }
    }

    /// <summary>Stops accepting; connections live on.</summary>
    public async Task StopAsync()
    {
        await Task.WhenAll(_acceptors.Select(static acceptor => acceptor.StopAsync())).ConfigureAwait(false);
        _socket.Dispose();
    }

    public bool Trusts(IPAddress address)
    {
        foreach (var network in Options.TrustedNetworks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }
        return false;
    }

    public void CountReceived(int bytes) => _server.Metrics.Received(Protocol.Name, bytes);

    public void CountRefused(RefusalReason reason, IPAddress address)
    {
        _server.Metrics.Refused(Protocol.Name, reason);
        LogRefused(Log, Protocol.Name, address, reason);
    }

    public void Removed() => Interlocked.Decrement(ref _count);

    /// <summary>Accepts one client that waits; false when there is none. On any loop.</summary>
    public bool AcceptOne()
    {
        Socket? socket = null;
        try
        {
            if (!_socket.Poll(0, SelectMode.SelectRead))
            {
                return false;
            }
            socket = _socket.Accept();
            Accepted(socket);
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
        {
            socket?.Dispose();
            return false; // Another loop was faster, or the client went away.
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    public void AcceptFailed(Exception exception) => LogAcceptFailed(Log, Protocol.Name, exception);

    private void Accepted(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint peer || socket.LocalEndPoint is not IPEndPoint here)
        {
            socket.Dispose();
            return;
        }
        var remote = Unmapped(peer);
        if (_server.Draining.IsCancellationRequested)
        {
            Refuse(socket, remote.Address, RefusalReason.ShuttingDown);
            return;
        }
        if (Interlocked.Increment(ref _count) > Options.MaxConnections || _server.ConnectionCount >= _server.MaxConnections)
        {
            Interlocked.Decrement(ref _count);
            Refuse(socket, remote.Address, RefusalReason.TooManyConnections);
            return;
        }
        AddressSlot? slot = null;
        // A trusted proxy is not counted; its clients are, once their addresses are known.
        if (!Trusts(remote.Address) && !_server.Addresses.TryTake(remote.Address, Options.MaxConnectionsPerAddress, out slot))
        {
            Interlocked.Decrement(ref _count);
            Refuse(socket, remote.Address, RefusalReason.TooManyFromAddress);
            return;
        }
        _server.Add(this, socket, remote, Unmapped(here), slot);
    }

    private void Refuse(Socket socket, IPAddress address, RefusalReason reason)
    {
        CountRefused(reason, address);
        using (socket)
        {
            if (!Options.ImplicitTls && Protocol.RefusalLine(reason) is { } line)
            {
                // A new socket's empty send buffer takes one line without blocking.
                socket.Blocking = false;
                socket.Send(line.Span, SocketFlags.None, out _);
                socket.Shutdown(SocketShutdown.Send);
            }
        }
    }

    private static IPEndPoint Unmapped(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;

    [LoggerMessage(5, LogLevel.Warning, "{Protocol}: accepting a connection failed")]
    private static partial void LogAcceptFailed(ILogger logger, string protocol, Exception exception);

    [LoggerMessage(6, LogLevel.Information, "{Protocol}: {Address} turned away: {Reason}")]
    private static partial void LogRefused(ILogger logger, string protocol, IPAddress address, RefusalReason reason);
}
