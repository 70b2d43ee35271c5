using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>LISTRIGHTS (RFC 4314 §3.4): the mailbox's own account always has all; everybody else can be given each right on its own.</summary>
internal static class ListRights
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        AclArguments arguments = command.Parse(AclGrammar.Parse);
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(state.User, arguments.Mailbox);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        MailResult<MailboxRights> list = await session.Cluster.CallAsync(() => named.Owner.Acl(named.Path, state.User.Settings.Account), session.Wait);
        if (list.Error is { } error)
            return error;
        ReplyWriter reply = session.Reply.Untagged().Raw("LISTRIGHTS "u8).Mailbox(named.Name).Space().AString(arguments.Identifier.ToString()).Space();
        if (arguments.Identifier.Name.Equals(list.Value!.Owner, StringComparison.OrdinalIgnoreCase) && !arguments.Identifier.Negative)
            reply.AString(MailRights.All.ToLetters());
        else
            reply.Raw("\"\" l r s w i p k x t e a n c d"u8);
        reply.NewLine();
        return Completion.Done;
    }
}
