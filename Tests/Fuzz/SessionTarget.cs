using System.Text;
using MailCluster.Imap;
using MailCluster.Tests.Unit.Imap.Session;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// Whole IMAP sessions over a mail store in memory: whatever a client sends, there is no internal error, the session ends when the client has, and the next one finds a server that works.
/// </summary>
public sealed class SessionTarget : Target
{
    private static readonly byte[] Start = Encoding.ASCII.GetBytes(
        "s1 LOGIN alice secret\r\ns2 APPEND INBOX {31+}\r\nSubject: one\r\nFrom: a@b\r\n\r\nbody\r\ns3 APPEND INBOX {6+}\r\n\r\nbody\r\ns4 SELECT INBOX\r\n");

    private static readonly Lazy<Task<FakeMail>> Mail = new(static () => FakeMail.StartAsync(new ImapOptions { Dialects = true, AppendLimit = 10_000 }, annotations: true));

    public override string Name => "session";

    public override IReadOnlyList<byte[]> Seeds => ImapSeeds.Commands;

    public override IReadOnlyList<string> Words => ImapSeeds.Words;

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        FakeMail mail = await Mail.Value;
        bool fresh = variant.Next(5) == 0;
        string said = await Talk.WithAsync(mail.Door, fresh ? input : [.. Start, .. input]);
        if (said.Contains("SERVERBUG", StringComparison.Ordinal))
            throw new InvalidOperationException("An internal error: " + said);
        // Each line begins as one may, so that a client is not led astray; what literals hold is not looked at.
        if (!said.StartsWith("* OK ", StringComparison.Ordinal))
            throw new InvalidOperationException("No greeting: " + said);
    }
}
