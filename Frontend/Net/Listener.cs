using System.Net;
using System.Net.Sockets;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

/// <summary>A listening socket, which one of the event loops watches. Accepting is ours and not DotNetty's, which spins when the process is out of file descriptors.</summary>
internal sealed partial class Listener : IPolled
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Connections that are accepted before others on the loop have their turn.</summary>
    private const int AcceptsInTurn = 16;

    private readonly NetServer _server;
    private readonly Socket _socket;
    private readonly PollLoop _loop;
    private ulong _watched;
    private bool _stopped;
    private int _count;

    public Listener(NetServer server, ListenerOptions options, IProtocol protocol, ICertificateSource? certificates, ILogger log)
    {
        _server = server;
        Options = options;
        Protocol = protocol;
        Certificates = certificates;
        Log = log;
        _loop = server.NextLoop();
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

    /// <summary>Counts bytes that go out; one delegate for all connections.</summary>
    public Action<int> CountSent { get; }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public void Start() => _loop.Execute(() => _watched = _loop.Watch(_socket, this));

    /// <summary>Stops accepting; connections live on.</summary>
    public Task StopAsync() => _loop.SubmitAsync(() =>
    {
        _stopped = true;
        _loop.Forget(_watched);
        _socket.Dispose();
        return true;
    });

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

    void IPolled.Note(uint events)
    {
        // That there is somebody to accept is all it can say.
    }

    /// <summary>Accepts those who wait. On the loop.</summary>
    public void Run()
    {
        Socket? socket = null;
        try
        {
            for (int i = 0; i < AcceptsInTurn; i++)
            {
                if (_stopped || !_socket.Poll(0, SelectMode.SelectRead))
                {
                    return;
                }
                socket = _socket.Accept();
                Accepted(socket);
                socket = null;
            }
            _loop.Execute(this);
        }
        catch (Exception exception)
        {
            // Out of file descriptors, or a client that was gone before we looked.
            socket?.Dispose();
            LogAcceptFailed(Log, Protocol.Name, exception);
            _loop.Schedule(this, AcceptPause);
        }
    }

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
        if (Interlocked.Increment(ref _count) > Options.MaxConnections)
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
