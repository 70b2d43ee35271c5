using System.Net;
using System.Net.Sockets;

namespace MailCluster.Tests.Support;

/// <summary>TCP ports on 127.0.0.1 that nobody listens at, below the range from which the kernel takes ports for outgoing connections.</summary>
public static class FreePorts
{
    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Given)
        {
            while (true)
            {
                var port = Random.Shared.Next(12_000, 32_000);
                if (!Given.Contains(port) && IsFree(port))
                {
                    Given.Add(port);
                    return port;
                }
            }
        }
    }

    /// <summary>Whether nobody listens at the port right now.</summary>
    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
