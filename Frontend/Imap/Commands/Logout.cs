using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>LOGOUT (RFC 9051 §6.1.3).</summary>
internal static class Logout
{
    public static ValueTask<Completion> RunAsync(ImapSession session, SessionState state, Command command)
    {
        command.ParseNothing();
        session.Bye(null, "Logging out");
        return new(Completion.Done);
    }
}
