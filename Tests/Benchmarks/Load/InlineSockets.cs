using System.Net;
using System.Net.Sockets;

namespace MailCluster.Benchmarks.Load;

/// <summary>The generator's sockets go on where they are told that something came, without a hop to the thread pool: it shares the processors with what it measures.</summary>
internal static class InlineSockets
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Before any other socket; the servers that are started later do not inherit it.</summary>
    public static void Use()
    {
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, "1");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        // The first asynchronous operation reads the setting.
        client.ConnectAsync((IPEndPoint)listener.LocalEndpoint).GetAwaiter().GetResult();
        Environment.SetEnvironmentVariable(Variable, before);
    }
}
