using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>NAMESPACE (RFC 9051 §6.3.10): a personal one; nobody else's and nothing shared.</summary>
internal static class Namespace
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        command.ParseNothing();
        MailboxNames names = state.User.Names;
        session.Reply.Untagged().Raw("NAMESPACE (("u8).Mailbox(names.Prefix).Space().Delimiter(names).Raw(")) NIL NIL"u8).NewLine();
        return new(Completion.Done);
    }
}
