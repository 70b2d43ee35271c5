using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SUBSCRIBE (RFC 9051 §6.3.7): the name need not exist, and stays subscribed when its mailbox goes.</summary>
internal static class Subscribe
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailResult<MailboxPath> path = state.User.Names.New(command.Parse(MailboxGrammar.ParseName));
        return path.Error is { } notAllowed ? notAllowed : await ChangeAsync(session, state, path.Value!, subscribed: true);
    }

    public static async ValueTask<Completion> ChangeAsync(ImapSession session, Authenticated state, MailboxPath path, bool subscribed)
    {
        MailResult<Done> changed = await session.Cluster.CallAsync(() => state.User.Account.Subscribe(path, subscribed), session.Wait);
        if (changed.IsOk)
            await session.TellOwnAsync(n => n.OwnSubscribedAsync(path, subscribed, session.Wait));
        return changed.Error is { } error ? error : Completion.Done;
    }
}
