using System.Net.Sockets;
using System.Text;

namespace MailCluster.Server.Demo;

/// <summary>A few messages for a new account, delivered through the demo's own LMTP door (RFC 2033) as a mail server would.</summary>
internal static class SampleMessages
{
    private const string Sender = "demo@demo.test";

    /// <param name="door">"host:port" of LMTP.</param>
    public static async Task DeliverAsync(string door, IReadOnlyList<DemoAccount> to)
    {
        using var client = new TcpClient();
        var colon = door.LastIndexOf(':');
        await client.ConnectAsync(door[..colon], int.Parse(door[(colon + 1)..]));
        using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        await ExpectAsync(reader, "220");
        await SendAsync(stream, "LHLO demo.test\r\n");
        await ExpectAsync(reader, "250");
        foreach (var account in to)
        {
            foreach (var message in For(account.User))
            {
                await SendAsync(stream, $"MAIL FROM:<{Sender}>\r\n");
                await ExpectAsync(reader, "250");
                await SendAsync(stream, $"RCPT TO:<{account.User}>\r\n");
                await ExpectAsync(reader, "250");
                await SendAsync(stream, "DATA\r\n");
                await ExpectAsync(reader, "354");
                // No line of these messages begins with a dot.
                await SendAsync(stream, message.ReplaceLineEndings("\r\n") + "\r\n.\r\n");
                await ExpectAsync(reader, "250");
            }
        }
        await SendAsync(stream, "QUIT\r\n");
        await ExpectAsync(reader, "221");
    }

    private static async Task SendAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text));

    // A reply's last line has a blank after its code.
    private static async Task ExpectAsync(StreamReader reader, string code)
    {
        string? line;
        do
        {
            line = await reader.ReadLineAsync();
        }
        while (line?.Length > 3 && line[3] == '-');
        if (line?.StartsWith(code, StringComparison.Ordinal) != true)
        {
            throw new InvalidOperationException($"The LMTP door answered '{line}' instead of {code}.");
        }
    }

    private static IEnumerable<string> For(string user)
    {
        var date = DateTimeOffset.UtcNow.ToString("ddd, dd MMM yyyy HH:mm:ss +0000", System.Globalization.CultureInfo.InvariantCulture);
        string Head(string id, string subject) => $"""
            From: MailCluster <{Sender}>
            To: <{user}>
            Subject: {subject}
            Date: {date}
            Message-ID: <{id}.{user}>
            MIME-Version: 1.0

            """;
        yield return Head("welcome", "Welcome to MailCluster") + """
            Content-Type: text/plain; charset=utf-8

            This account lives in a mailbox grain of a cluster of one node.
            Open the same mailbox in a second client and watch them agree.
            """;
        yield return Head("letters", "=?utf-8?Q?Letters_from_everywhere:_=C3=A4=C3=B6=C3=BC_=E4=BD=A0=E5=A5=BD?=") + """
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Grüße aus der Demo, 你好, здравствуйте.
            """;
        yield return Head("parts", "A message with parts") + """
            Content-Type: multipart/mixed; boundary="parts"

            --parts
            Content-Type: multipart/alternative; boundary="both"

            --both
            Content-Type: text/plain

            Plain text, and a file.
            --both
            Content-Type: text/html

            <p>Hypertext, and a <b>file</b>.</p>
            --both--
            --parts
            Content-Type: text/csv; name="numbers.csv"
            Content-Disposition: attachment; filename="numbers.csv"
            Content-Transfer-Encoding: base64

            b25lLDEKdHdvLDIKdGhyZWUsMwo=
            --parts--
            """;
    }
}
