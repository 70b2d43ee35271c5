using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Net;

/// <summary>
/// All client connections of this process: listeners, event loops, time-outs, limits, an orderly end. Knows no protocol.
/// Metrics: meter <c>MailCluster.Net</c>.
/// </summary>
public sealed class NetServer : IAsyncDisposable
{
    private static readonly AdaptiveRecvByteBufAllocator ReceiveSizes = new(512, 2048, 65536);

    private readonly ILogger _log;
    private readonly MultithreadEventLoopGroup _loops;
    private readonly IByteBufferAllocator _allocator;
    private readonly ConcurrentDictionary<long, Connection> _connections = new();
    private readonly List<Listener> _listeners = [];
    private readonly CancellationTokenSource _draining = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _tick;
    private long _lastId;
    private int _disposed;

    public NetServer(NetServerOptions? options = null, ILoggerFactory? logging = null)
    {
        options ??= new NetServerOptions();
        logging ??= NullLoggerFactory.Instance;
        DotNettyProcess.Prepare(logging, options.DetectLeaks);
        (Time, MaxConnections) = (options.Time, options.MaxConnections);
        _log = logging.CreateLogger("MailCluster.Net");
        _loops = new MultithreadEventLoopGroup(static group => new PollLoop(group), options.EventLoops);
        // Receive buffers alone, copied out at once: one arena a loop in chunks of 1 MB (8 KB pages, order 7) instead of 16 MB.
        _allocator = new PooledByteBufferAllocator(options.EventLoops, 0, 8192, 7);
        _tick = Time.CreateTimer(static server => ((NetServer)server!).Tick(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>Open connections, those that are just closing included.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Cancelled when draining begins.</summary>
    public CancellationToken Draining => _draining.Token;

    internal TimeProvider Time { get; }

    internal int MaxConnections { get; }

    internal AddressLimits Addresses { get; } = new();

    internal NetMetrics Metrics { get; } = new();

    /// <summary>
    /// Opens a listening socket and accepts on it. Returns the address it listens on, with the port that was taken for port 0.
    /// Throws <see cref="SocketException"/> when the address can't be bound, <see cref="ArgumentException"/> for implicit TLS without certificates.
    /// </summary>
    public Task<IPEndPoint> ListenAsync(ListenerOptions options, IProtocol protocol, ICertificateSource? certificates = null)
    {
        ObjectDisposedException.ThrowIf(_draining.IsCancellationRequested, this);
        if (options.ImplicitTls && certificates is null)
        {
            throw new ArgumentException($"The listener {options.EndPoint} has implicit TLS and no certificate.", nameof(certificates));
        }
        var listener = new Listener(this, options, protocol, certificates, _log);
        lock (_listeners)
        {
            _listeners.Add(listener);
        }
        listener.Start();
        return Task.FromResult(listener.EndPoint);
    }

    /// <summary>
    /// Stops accepting, asks sessions to end (<see cref="IConnection.Draining"/>), waits up to <paramref name="patience"/> for them, then aborts the rest and waits for those, too.
    /// A session that ignores both its aborted connection and <see cref="IConnection.Closed"/> is waited for 5 s more, and logged.
    /// </summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        Listener[] listeners;
        lock (_listeners)
        {
            listeners = [.. _listeners];
        }
        await _draining.CancelAsync().ConfigureAwait(false);
        foreach (var listener in listeners)
        {
            await listener.StopAsync().ConfigureAwait(false);
        }
        foreach (var (_, connection) in _connections)
        {
            connection.Drain();
        }
        CheckEmpty();
        if (await EmptyWithin(patience).ConfigureAwait(false))
        {
            return;
        }
        foreach (var (_, connection) in _connections)
        {
            connection.Abort("the server is shutting down");
        }
        if (!await EmptyWithin(TimeSpan.FromSeconds(5)).ConfigureAwait(false))
        {
            NetServerLog.Stuck(_log, _connections.Count);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        await DrainAsync(TimeSpan.Zero).ConfigureAwait(false);
        await _tick.DisposeAsync().ConfigureAwait(false);
        await _loops.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(2)).ConfigureAwait(false);
        Metrics.Dispose();
    }

    internal IEnumerable<PollLoop> Loops => _loops.Items.Cast<PollLoop>();

    /// <summary>A span in timestamps of <see cref="Time"/>.</summary>
    internal long Stamps(TimeSpan span) => (long)(span.TotalSeconds * Time.TimestampFrequency);

    internal void Add(Listener listener, Socket socket, IPEndPoint remote, IPEndPoint local, AddressSlot? slot)
    {
        var channel = new AcceptedChannel(socket, Time);
        channel.Configuration.Allocator = _allocator;
        channel.Configuration.RecvByteBufAllocator = ReceiveSizes;
        var connection = new Connection(this, listener, channel, Interlocked.Increment(ref _lastId), remote, local, slot);
        _connections[connection.Id] = connection;
        Metrics.Opened(listener.Protocol.Name);
        _ = RegisterAsync(connection, listener);
    }

    internal void Remove(Connection connection, Listener listener)
    {
        if (_connections.TryRemove(connection.Id, out _))
        {
            listener.Removed();
            Metrics.Closed(listener.Protocol.Name);
            CheckEmpty();
        }
    }

    private async Task RegisterAsync(Connection connection, Listener listener)
    {
        try
        {
            await _loops.RegisterAsync(connection.Channel).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            NetServerLog.RegisterFailed(_log, exception);
            connection.LoggedIn();
            _ = connection.Channel.CloseAsync();
            Remove(connection, listener);
        }
    }

    private void Tick()
    {
        long now = Time.GetTimestamp();
        foreach (var (_, connection) in _connections)
        {
            connection.Tick(now);
        }
    }

    private void CheckEmpty()
    {
        if (_draining.IsCancellationRequested && _connections.IsEmpty)
        {
            _empty.TrySetResult();
        }
    }

    private async Task<bool> EmptyWithin(TimeSpan patience)
    {
        if (_empty.Task.IsCompleted)
        {
            return true;
        }
        try
        {
            await _empty.Task.WaitAsync(patience, Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}

internal static partial class NetServerLog
{
    [LoggerMessage(7, LogLevel.Error, "{Count} sessions do not end")]
    public static partial void Stuck(ILogger logger, int count);

    [LoggerMessage(8, LogLevel.Error, "an accepted connection could not be registered with an event loop")]
    public static partial void RegisterFailed(ILogger logger, Exception exception);
}
