using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SUBSCRIBE (RFC 9051 §6.3.7): the name need not exist, and stays subscribed when its mailbox goes.</summary>
internal static class Subscribe
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailResult<NamedMailbox> named = await session.ResolveNewAsync(state.User, command.Parse(MailboxGrammar.ParseName));
        return named.Error is { } notAllowed ? notAllowed : await ChangeAsync(session, state, named.Value!, subscribed: true);
    }

    public static async ValueTask<Completion> ChangeAsync(ImapSession session, Authenticated state, NamedMailbox named, bool subscribed)
    {
        MailResult<Done> changed = await session.Cluster.CallAsync(() => named.Viewer is null
            ? state.User.Account.Subscribe(named.Path, subscribed) : state.User.Account.SubscribeTo(named.Account, named.Path, subscribed), session.Wait);
        if (named.Viewer is null && changed.IsOk)
            await session.TellOwnAsync(n => n.OwnSubscribedAsync(named.Path, subscribed, session.Wait));
        return changed.Error is { } error ? error : Completion.Done;
    }
}
