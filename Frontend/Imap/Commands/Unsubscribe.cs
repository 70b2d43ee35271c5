using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>UNSUBSCRIBE (RFC 9051 §6.3.8): also of names that are not on the list, which changes nothing.</summary>
internal static class Unsubscribe
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailResult<NamedMailbox> named = await session.ResolveAsync(state.User, command.Parse(MailboxGrammar.ParseName));
        return named.Value is { } found ? await Subscribe.ChangeAsync(session, state, found, subscribed: false)
            : named.Error!.Code == MailErrorCode.NonExistent ? Completion.Done : named.Error;
    }
}
