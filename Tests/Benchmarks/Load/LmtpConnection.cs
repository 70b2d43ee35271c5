using System.Diagnostics;
using System.Net;
using System.Text;

namespace MailCluster.Benchmarks.Load;

/// <summary>An LMTP client that delivers message after message over one connection, pipelined (RFC 2920), as mail servers do.</summary>
internal sealed class LmtpConnection : Connection
{
    private static readonly byte[] EndOfData = ".\r\n"u8.ToArray();

    public static async Task<LmtpConnection> GreetedAsync(IPEndPoint server)
    {
        var connection = new LmtpConnection();
        try
        {
            await connection.ConnectAsync(server, tls: false);
            await connection.ReplyAsync((byte)'2');
            await connection.SendAsync("LHLO bench.example\r\n"u8.ToArray());
            await connection.ReplyAsync((byte)'2');
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The part before the message, for <see cref="DeliverAsync"/>.</summary>
    public static byte[] Envelope(IReadOnlyList<string> recipients) =>
        Encoding.ASCII.GetBytes("MAIL FROM:<sender@bench.example>\r\n" + string.Concat(recipients.Select(static r => $"RCPT TO:<{r}>\r\n")) + "DATA\r\n");

    /// <summary>Delivers; every recipient must be answered with 250.</summary>
    /// <param name="message">Ends with a line end and has no line that begins with a dot.</param>
    public async ValueTask<Answer> DeliverAsync(ReadOnlyMemory<byte> envelope, int recipients, ReadOnlyMemory<byte> message)
    {
        long started = Stopwatch.GetTimestamp();
        await SendAsync(envelope);
        for (int i = 0; i < recipients + 1; i++)
            await ReplyAsync((byte)'2');
        await ReplyAsync((byte)'3');
        await SendAsync(message);
        await SendAsync(EndOfData);
        for (int i = 0; i < recipients; i++)
            await ReplyAsync((byte)'2');
        return Answer.Since(started);
    }

    private async ValueTask ReplyAsync(byte kind)
    {
        while (true)
        {
            int length = await LineAsync();
            if (Received[0] != kind)
                throw new UnexpectedAnswerException(Text(Received[..length]));
            bool last = length < 4 || Received[3] != '-';
            Take(length);
            if (last)
                return;
        }
    }
}
