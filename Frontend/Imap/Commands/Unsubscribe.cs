using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>UNSUBSCRIBE (RFC 9051 §6.3.8): also of names that are not on the list, which changes nothing.</summary>
internal static class Unsubscribe
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command) =>
        state.User.Names.Find(command.Parse(MailboxGrammar.ParseName)) is { } path
            ? await Subscribe.ChangeAsync(session, state, path, subscribed: false)
            : Completion.Done;
}
