using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>GETACL (RFC 4314 §3.3). The mailbox's own account comes first, with all rights, which nobody can take from it.</summary>
internal static class GetAcl
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(state.User, command.Parse(MailboxGrammar.ParseName));
        if (resolved.Value is not { } named)
            return resolved.Error!;
        MailResult<MailboxRights> list = await session.Cluster.CallAsync(() => named.Owner.Acl(named.Path, state.User.Settings.Account), session.Wait);
        if (list.Error is { } error)
            return error;
        ReplyWriter reply = session.Reply.Untagged().Raw("ACL "u8).Mailbox(named.Name).Space().AString(list.Value!.Owner).Space().AString(MailRights.All.ToLetters());
        foreach (NamedRights entry in list.Value.Entries)
            reply.Space().AString(new AclIdentifier(entry.Name, entry.Negative).ToString()).Space().AString(entry.Rights.ToLetters());
        reply.NewLine();
        return Completion.Done;
    }
}
