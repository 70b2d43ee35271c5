using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>NOOP and CHECK (RFC 9051 §6.1.2, RFC 3501 §6.4.1): news is told by what their rows say; everything is on disk already.</summary>
internal static class Noop
{
    public static ValueTask<Completion> RunAsync(ImapSession session, SessionState state, Command command)
    {
        command.ParseNothing();
        return new(Completion.Done);
    }
}
