using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>NAMESPACE (RFC 9051 §6.3.10): a personal one, that of other users' mailboxes, and that of shared ones.</summary>
internal static class Namespace
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        command.ParseNothing();
        MailboxNames names = state.User.Names;
        session.Reply.Untagged().Raw("NAMESPACE (("u8).Mailbox(names.Prefix).Space().Delimiter(names).Raw("))"u8);
        Write(session.Reply, names, names.OtherUsers);
        Write(session.Reply, names, names.SharedFolders);
        session.Reply.NewLine();
        return new(Completion.Done);
    }

    private static void Write(ReplyWriter reply, MailboxNames names, string prefix)
    {
        if (prefix.Length == 0)
            reply.Space().Nil();
        else
            reply.Raw(" (("u8).Mailbox(prefix).Space().Delimiter(names).Raw("))"u8);
    }
}
