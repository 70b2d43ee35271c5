using System.Diagnostics;
using System.Net;
using System.Text;

namespace MailCluster.Benchmarks.Load;

/// <summary>A POP3 client (RFC 1939) that takes message after message, each when it has the one before.</summary>
internal sealed class Pop3Connection : Connection
{
    public static async Task<Pop3Connection> LoggedInAsync(IPEndPoint server, string user, string password)
    {
        var connection = new Pop3Connection();
        try
        {
            await connection.ConnectAsync(server, tls: false);
            await connection.StatusAsync();
            await connection.RunAsync($"USER {user}");
            await connection.RunAsync($"PASS {password}");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public ValueTask QuitAsync() => RunAsync("QUIT");

    /// <summary>Takes one message; how long it took, and its octets as they came.</summary>
    public async ValueTask<Answer> RetrAsync(int number)
    {
        long started = Stopwatch.GetTimestamp();
        await RunAsync($"RETR {number}");
        long octets = 0;
        while (true)
        {
            int length = await LineAsync();
            bool last = length == 3 && Received[0] == '.';
            Take(length);
            if (last)
                return new Answer(Stopwatch.GetTimestamp() - started, Octets: octets);
            octets += length;
        }
    }

    private async ValueTask RunAsync(string command)
    {
        await SendAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        await StatusAsync();
    }

    private async ValueTask StatusAsync()
    {
        int length = await LineAsync();
        if (Received[0] != '+')
            throw new UnexpectedAnswerException(Text(Received[..length]));
        Take(length);
    }
}
