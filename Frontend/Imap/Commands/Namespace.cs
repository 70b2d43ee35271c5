using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>NAMESPACE (RFC 9051 §6.3.10): a personal one, that of other users' mailboxes, and that of shared ones; with what these are called in the session's language (RFC 5255 §3.4).</summary>
internal static class Namespace
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        command.ParseNothing();
        Write(session.Reply, state.User.Names);
        return new(Completion.Done);
    }

    public static void Write(ReplyWriter reply, MailboxNames names)
    {
        reply.Untagged().Raw("NAMESPACE (("u8).Mailbox(names.Prefix).Space().Delimiter(names).Raw("))"u8);
        Write(reply, names, names.OtherUsers);
        Write(reply, names, names.SharedFolders);
        reply.NewLine();
    }

    private static void Write(ReplyWriter reply, MailboxNames names, string prefix)
    {
        if (prefix.Length == 0)
        {
            reply.Space().Nil();
            return;
        }
        reply.Raw(" (("u8).Mailbox(prefix).Space().Delimiter(names);
        // A name that a tenant has chosen stays what it is.
        if (reply.Language.Exactly(prefix[..^1]) is { } translated)
            reply.Raw(" \"TRANSLATION\" ("u8).Mailbox(translated + names.Delimiter).Raw(")"u8);
        reply.Raw("))"u8);
    }
}
