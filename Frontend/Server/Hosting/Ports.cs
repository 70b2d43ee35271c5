using System.Net;
using System.Net.Sockets;
using MailCluster.Server.Configuration;

namespace MailCluster.Server.Hosting;

/// <summary>Looks whether the node can listen where it is told to, before anything is started: a port that is taken is a sentence, not a crash half-way.</summary>
internal static class Ports
{
    /// <exception cref="OptionsException">An address can't be had; the message names it and its option.</exception>
    public static void CheckFree(NodeOptions options, NodeRole role)
    {
        var wanted = new List<(string Option, IPEndPoint EndPoint)>();
        wanted.AddRange(options.Listen.Http.Select(a => ("Listen:Http", IPEndPoint.Parse(a))));
        if (role != NodeRole.Silo)
        {
            wanted.AddRange(options.Listen.Imap.Select(a => ("Listen:Imap", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Imaps.Select(a => ("Listen:Imaps", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Pop3.Select(a => ("Listen:Pop3", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Pop3s.Select(a => ("Listen:Pop3s", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.OldImap.Select(a => ("Listen:OldImap", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.OldImaps.Select(a => ("Listen:OldImaps", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Lmtp.Select(a => ("Listen:Lmtp", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Sieve.Select(a => ("Listen:Sieve", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.DovecotAuth.Select(a => ("Listen:DovecotAuth", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Policy.Select(a => ("Listen:Policy", IPEndPoint.Parse(a))));
            wanted.AddRange(options.Listen.Socketmap.Select(a => ("Listen:Socketmap", IPEndPoint.Parse(a))));
        }
        if (role != NodeRole.Frontend)
        {
            var address = IPAddress.Parse(options.Cluster.Address);
            wanted.Add(("Cluster:SiloPort", new(address, options.Cluster.SiloPort)));
            wanted.Add(("Cluster:GatewayPort", new(address, options.Cluster.GatewayPort)));
        }
        // All at once, as they will be: two options can't have the same port.
        var held = new List<Socket>();
        try
        {
            foreach (var (option, endPoint) in wanted)
            {
                Hold(option, endPoint, held, wanted[..held.Count]);
            }
        }
        finally
        {
            held.ForEach(static s => s.Dispose());
        }
    }

    private static void Hold(string option, IPEndPoint endPoint, List<Socket> held, List<(string Option, IPEndPoint EndPoint)> before)
    {
        try
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            held.Add(socket);
            // [::] is every address, also those of IPv4.
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }
            socket.Bind(endPoint);
            socket.Listen();
        }
        catch (SocketException e)
        {
            throw new OptionsException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse when before.Find(b => Overlap(b.EndPoint, endPoint)) is { Option: { } other } =>
                    $"Port {endPoint.Port} at {endPoint.Address} (option '{option}') is also that of the option '{other}'.",
                SocketError.AddressAlreadyInUse => $"Port {endPoint.Port} at {endPoint.Address} (option '{option}') is taken by another program.",
                SocketError.AccessDenied => $"Port {endPoint.Port} at {endPoint.Address} (option '{option}') needs the right to use ports below 1024.",
                _ => $"{endPoint} (option '{option}') can't be listened at: {e.Message}",
            });
        }
    }

    private static bool Overlap(IPEndPoint one, IPEndPoint other) =>
        one.Port == other.Port && (one.Address.Equals(other.Address) || IsAny(one.Address) || IsAny(other.Address));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>This port at 127.0.0.1, or another one if it is taken.</summary>
    public static int FreeNear(int port)
    {
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException) when (port != 0)
            {
                port = 0;
            }
        }
    }
}
