using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>MYRIGHTS (RFC 4314 §3.5).</summary>
internal static class MyRights
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailResult<FoundMailbox> found = await session.FindAsync(state.User, command.Parse(MailboxGrammar.ParseName));
        if (found.Value is not { } mailbox)
            return found.Error!;
        session.Reply.Untagged().Raw("MYRIGHTS "u8).Mailbox(mailbox.Named.Name).Space().AString(mailbox.Info.Rights.ToLetters()).NewLine();
        return Completion.Done;
    }
}
