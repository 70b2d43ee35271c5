using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SETACL (RFC 4314 §3.1): identifiers are log-in names of the tenant and "anyone"; there are no groups.</summary>
internal static class SetAcl
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        SetAclArguments arguments = command.Parse(AclGrammar.ParseSet);
        return await ChangeAsync(session, state.User, arguments.Mailbox, arguments.Identifier, arguments.Mode, arguments.Rights);
    }

    /// <summary>Changes one line of the list of a mailbox.</summary>
    public static async ValueTask<Completion> ChangeAsync(ImapSession session, ImapUser user, MailboxArgument mailbox, AclIdentifier identifier, StoreMode mode, MailRights rights)
    {
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, mailbox);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        var request = new SetAclRequest(session.Cluster.NextOperation(), user.Actor, named.Path, identifier.Name, identifier.Negative, mode, rights);
        MailResult<Done> set = await session.Cluster.CallAsync(() => named.Owner.SetAcl(request), session.Wait);
        return set.Error is { } error ? error : Completion.Done;
    }
}
