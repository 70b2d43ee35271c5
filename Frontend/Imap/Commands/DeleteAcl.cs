using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>DELETEACL (RFC 4314 §3.2): a line that is not there goes as well.</summary>
internal static class DeleteAcl
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        AclArguments arguments = command.Parse(AclGrammar.Parse);
        return SetAcl.ChangeAsync(session, state.User, arguments.Mailbox, arguments.Identifier, StoreMode.Replace, MailRights.None);
    }
}
