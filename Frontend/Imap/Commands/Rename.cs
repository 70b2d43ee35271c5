using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>RENAME (RFC 9051 §6.3.6).</summary>
internal static class Rename
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        RenameArguments arguments = command.Parse(MailboxGrammar.ParseRename);
        ImapUser user = state.User;
        if (user.Names.Find(arguments.From) is not { } from)
            return new MailError(MailErrorCode.NonExistent, "There is no mailbox of that name");
        MailResult<MailboxPath> to = user.Names.New(arguments.To);
        if (to.Error is { } notAllowed)
            return notAllowed;
        OperationId operation = session.Cluster.NextOperation();
        MailResult<Done> renamed = await session.Cluster.CallAsync(() => user.Account.Rename(operation, from, to.Value!), session.Wait);
        if (renamed.IsOk)
            await session.TellOwnAsync(n => n.OwnRenamedAsync(from, to.Value!, session.Wait));
        return renamed.Error is { } error ? error : Completion.Done;
    }
}
