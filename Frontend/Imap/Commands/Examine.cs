using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>EXAMINE (RFC 9051 §6.3.3): SELECT that changes nothing, not even \Recent.</summary>
internal static class Examine
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command) =>
        Select.OpenAsync(session, state, command, readOnly: true);
}
