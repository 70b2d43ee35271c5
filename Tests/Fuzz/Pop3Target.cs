using System.Text;
using MailCluster.Pop3;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Imap.Session;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// Whole POP3 sessions over a mail store in memory: whatever a client sends, each answer is a line of +OK, -ERR or a challenge, multi-line ones have their end, the session ends when the
/// client has, and nothing fails inside.
/// </summary>
public sealed class Pop3Target : Target
{
    private static readonly CapturedLog Log = new();

    private static readonly Lazy<Task<FakeMail>> Mail = new(static async () =>
    {
        FakeMail mail = await FakeMail.StartAsync(logs: Log, pop3: new Pop3Options { BadCommands = 50, BadCommandsBeforeLogin = 50, FailedLogins = 50 });
        // Names that nobody has are answered ever later.
        mail.Owner.HasEveryName = true;
        return mail;
    });

    public override string Name => "pop3";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. new[]
    {
        "USER alice\r\nPASS secret\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nQUIT\r\n",
        "CAPA\r\nLANG\r\nLANG *\r\nUTF8\r\nUSER alice\r\nPASS secret\r\nCAPA\r\nTOP 1 1\r\nTOP 2 99\r\nUIDL 2\r\nLIST 1\r\nRSET\r\nNOOP\r\nQUIT\r\n",
        "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nDELE 2\r\nDELE 2\r\nSTAT\r\nRSET\r\nLIST\r\n",
        "AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\nRETR 1\r\nRETR 1\r\nQUIT\r\n",
        "AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\nUIDL\r\n",
        "STLS\r\nAUTH LOGIN\r\n*\r\nAUTH PLAIN =\r\nUSER alice\r\nPASS  wrong one \r\nAPOP alice c4c9334bac560ecc979e58001b3e22fb\r\n",
    }.Select(Encoding.Latin1.GetBytes)];

    public override IReadOnlyList<string> Words { get; } =
    [
        "\r\n", "\r", "\n", "\0", " ", "  ", "\t", ".", ".\r\n", "=", "*", "-1", "0", "1", "2", "4294967296", "99999999999999999999", "\u00e9", "\u00ff\u00fe", "\u00c3\u00bc", "%s",
        "USER alice\r\n", "PASS secret\r\n", "RETR 1\r\n", "TOP 1 ", "DELE 1\r\n", "UIDL\r\n", "LIST\r\n", "QUIT\r\n", "AUTH PLAIN ", "AUTH LOGIN\r\n", "UTF8\r\n", "LANG ",
    ];

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        FakeMail mail = await Mail.Value;
        if (mail.Inbox.Now.Count < 2)
            await mail.FillAsync("Subject: x\r\n\r\n.dot\r\n..\r\n", "Subject: y\r\n\r\n" + string.Concat(Enumerable.Repeat("..line\r\n", 2000)));
        string said = await Talk.WithAsync(mail.Pop3Door, variant.Next(3) == 0 ? input : [.. "USER alice\r\nPASS secret\r\n"u8, .. input]);
        bool isListing = false;
        foreach (string line in said.Split("\r\n")[..^1])
        {
            if (isListing)
                isListing = line != ".";
            else if (line.StartsWith("+OK ", StringComparison.Ordinal))
                isListing = BeginsListing(line);
            else if (!line.StartsWith("-ERR ", StringComparison.Ordinal) && !line.StartsWith("+ ", StringComparison.Ordinal))
                throw new InvalidOperationException("No answer: " + line);
        }
        if (isListing || !said.StartsWith("+OK ", StringComparison.Ordinal))
            throw new InvalidOperationException("It breaks off: " + said);
        if (Log.Lines.FirstOrDefault(static l => l.Contains(" failed", StringComparison.Ordinal) || l.Contains("Exception", StringComparison.Ordinal)) is { } failure)
            throw new InvalidOperationException(failure);
        Log.Lines.Clear();
    }

    private static bool BeginsListing(string line) =>
        line is "+OK Capability list follows" or "+OK Language listing follows:" or "+OK Unique-id listing follows" or "+OK Top of message follows"
        || line.EndsWith(" octets", StringComparison.Ordinal) || (line.EndsWith(" octets)", StringComparison.Ordinal) && !line.Contains("The maildrop has", StringComparison.Ordinal));
}
