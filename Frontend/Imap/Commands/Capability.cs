using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>CAPABILITY (RFC 9051 §6.1.1).</summary>
internal static class Capability
{
    public static ValueTask<Completion> RunAsync(ImapSession session, SessionState state, Command command)
    {
        command.ParseNothing();
        session.Reply.Untagged().Raw("CAPABILITY "u8).Raw(Capabilities.Of(session)).NewLine();
        return new(Completion.Done);
    }
}
