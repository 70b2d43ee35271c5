using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>DELETE (RFC 9051 §6.3.5).</summary>
internal static class Delete
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailboxArgument name = command.Parse(MailboxGrammar.ParseName);
        if (state.User.Names.Find(name) is not { } path)
            return new MailError(MailErrorCode.NonExistent, "There is no mailbox of that name");
        OperationId operation = session.Cluster.NextOperation();
        MailResult<Done> deleted = await session.Cluster.CallAsync(() => state.User.Account.Delete(operation, path), session.Wait);
        if (deleted.IsOk)
            await session.TellOwnAsync(n => n.OwnDeletedAsync(path, session.Wait));
        return deleted.Error switch
        {
            null => Completion.Done,
            { Code: MailErrorCode.InUse } error => Completion.No("HASCHILDREN", error.Text),
            { } error => error,
        };
    }
}
