using System.Text;
using MailCluster.Lmtp;
using MailCluster.Tests.Unit.Lmtp;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// Whole LMTP sessions before a cluster in memory: whatever a mail server sends, each reply is a line of three digits, the session ends when it has, and nothing fails inside.
/// </summary>
public sealed class LmtpTarget : Target
{
    private static readonly Lazy<Task<LmtpDoor>> Door = new(static () => LmtpDoor.OpenAsync(new LmtpOptions { MaxBadCommands = 50, MaxMessageSize = 5_000 }));

    public override string Name => "lmtp";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. new[]
    {
        "LHLO client.test\r\nMAIL FROM:<s@x.test> SIZE=40 BODY=8BITMIME\r\nRCPT TO:<alice@demo.test>\r\nRCPT TO:<bob+folder@demo.test>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
        "LHLO client.test\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<team@demo.test>\r\nRCPT TO:<nobody@demo.test>\r\nBDAT 5\r\nabcdeBDAT 3 LAST\r\nabcMAIL FROM:<a@b>\r\nRSET\r\n",
        "LHLO [IPv6:::1]\r\nMAIL FROM:<\"a b\\\"\"@[127.0.0.1]>\r\nRCPT TO:<@a,@b:alice@demo.test>\r\nDATA\r\nno header\nlone\r.\r\n.\r\n",
        "EHLO x\r\nHELP\r\nVRFY alice\r\nNOOP\r\nSTARTTLS\r\nLHLO y\r\nDATA\r\nBDAT 1 LAST\r\nxQUIT\r\n",
    }.Select(Encoding.Latin1.GetBytes)];

    public override IReadOnlyList<string> Words { get; } =
    [
        "\r\n", "\r", "\n", "\0", " ", "<", ">", "<>", "\"", "\\", "(", ")", "@", "+", ":", ".", ".\r\n", "\r\n.\r\n", "\n.\n", "\r.\r", "..", "\u00e9", "\u00ff\u00fe", "\u00c3\u00bc", "%s",
        "SIZE=", "SIZE=99999999999999999999", "BODY=", "SMTPUTF8", "BDAT 0 LAST\r\n", "BDAT 99999999999\r\n", "BDAT -1\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<alice@demo.test>\r\n", "DATA\r\n", "RSET\r\n", "LHLO x\r\n", "QUIT\r\n",
    ];

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        LmtpDoor door = await Door.Value;
        string said = await Talk.WithAsync(door.EndPoint, variant.Next(3) == 0 ? input : [.. "LHLO x\r\nMAIL FROM:<s@x.test>\r\nRCPT TO:<alice@demo.test>\r\n"u8, .. input]);
        foreach (string line in said.Split("\r\n")[..^1])
        {
            if (line.Length < 4 || !line[..3].All(char.IsAsciiDigit) || line[3] is not (' ' or '-'))
                throw new InvalidOperationException("No reply: " + line);
        }
        if (!said.StartsWith("220 ", StringComparison.Ordinal) || !said.EndsWith("\r\n", StringComparison.Ordinal))
            throw new InvalidOperationException("It breaks off: " + said);
        if (door.Log.Lines.FirstOrDefault(static l => l.Contains("not expected", StringComparison.Ordinal) || l.Contains("Exception", StringComparison.Ordinal)) is { } failure)
            throw new InvalidOperationException(failure);
        door.Log.Lines.Clear();
    }
}
