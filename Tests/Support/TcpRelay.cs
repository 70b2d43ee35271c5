using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MailCluster.Tests.Support;

/// <summary>Passes bytes between a port of its own and another, until it is cut: then all connections break, and new ones are refused, until it is mended.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly IPEndPoint _to;
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private TcpListener _listener;

    public TcpRelay(IPEndPoint to)
    {
        _to = to;
        _listener = Listen(0);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    /// <summary>What is behind it can't be reached any more.</summary>
    public void Cut()
    {
        _listener.Stop();
        foreach (Socket socket in _open.Keys)
            socket.Close(0);
    }

    /// <summary>It can be reached again at the same port.</summary>
    public void Mend() => _listener = Listen(Port);

    public ValueTask DisposeAsync()
    {
        Cut();
        return ValueTask.CompletedTask;
    }

    private TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        _ = AcceptAsync(listener);
        return listener;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
                _ = PassAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut.
        }
    }

    private async Task PassAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _open[near] = _open[far] = true;
        try
        {
            await far.ConnectAsync(_to);
            near.NoDelay = far.NoDelay = true;
            await using var a = new NetworkStream(near);
            await using var b = new NetworkStream(far);
            await Task.WhenAny(a.CopyToAsync(b), b.CopyToAsync(a));
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // One side is gone, and so is the other.
        }
        finally
        {
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
            near.Dispose();
        }
    }
}
