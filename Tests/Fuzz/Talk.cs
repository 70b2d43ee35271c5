using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Tests.Fuzz;

/// <summary>A client that says something and then listens to the end.</summary>
internal static class Talk
{
    /// <summary>All that the server said, Latin-1.</summary>
    public static async Task<string> WithAsync(IPEndPoint door, byte[] input)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(door);
        NetworkStream stream = client.GetStream();
        var answer = new MemoryStream();
        Task reading = stream.CopyToAsync(answer);
        try
        {
            await stream.WriteAsync(input);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (IOException)
        {
            // The server's goodbye came before all of it was sent.
        }
        try
        {
            await reading;
        }
        catch (IOException)
        {
            // The server closed while there was something left to read for it.
        }
        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
