using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>UNSELECT (RFC 9051 §6.4.2): leaves the mailbox without expunging.</summary>
internal static class Unselect
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        command.ParseNothing();
        session.State = new Authenticated(state.User);
        return new(Completion.Done);
    }
}
