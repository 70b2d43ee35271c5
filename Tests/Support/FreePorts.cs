using System.Net;
using System.Net.Sockets;

namespace MailCluster.Tests.Support;

/// <summary>
/// TCP ports on 127.0.0.1 that nobody listens at, below the range from which the kernel takes ports for outgoing connections. They are given out before somebody listens there: so that
/// nobody else takes them meanwhile, each test program has blocks, and offsets, of its own, marked by listening at the first port of each for as long as the program lives.
/// </summary>
public static class FreePorts
{
    private const int First = 12_000;
    private const int Block = 200;
    private const int Blocks = 60;

    // Doors (24 to 4190 above an offset) of two offsets that are so far apart are never the same.
    private const int Offsets = 38;
    private const int FirstOffset = First + (Blocks * Block);
    private const int OffsetStep = 100;

    private static readonly List<TcpListener> _marks = [];
    private static readonly Queue<int> _mine = [];

    public static int Next()
    {
        lock (_mine)
        {
            while (true)
            {
                if (_mine.Count == 0)
                    TakeBlock();
                int port = _mine.Dequeue();
                if (IsFree(port))
                    return port;
            }
        }
    }

    /// <summary>What can be added to the well-known ports of mail, with a free port as the result of each.</summary>
    public static int NextOffset()
    {
        while (true)
        {
            int offset = FirstOffset + (Random.Shared.Next(Offsets) * OffsetStep);
            if (Listen(offset) is not { } mark)
                continue;
            lock (_mine)
                _marks.Add(mark);
            if (new[] { 24, 80, 110, 143, 993, 995, 4190 }.All(door => IsFree(door + offset)))
                return offset;
        }
    }

    /// <summary>Whether nobody listens at the port right now.</summary>
    public static bool IsFree(int port)
    {
        if (Listen(port) is not { } listener)
            return false;
        listener.Stop();
        return true;
    }

    private static void TakeBlock()
    {
        while (true)
        {
            int first = First + (Random.Shared.Next(Blocks) * Block);
            if (Listen(first) is not { } mark)
                continue;
            _marks.Add(mark);
            for (int port = first + 1; port < first + Block; port++)
                _mine.Enqueue(port);
            return;
        }
    }

    private static TcpListener? Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            return null;
        }
    }
}
