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
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(state.User, name);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        OperationId operation = session.Cluster.NextOperation();
        MailResult<Done> deleted = await session.Cluster.CallAsync(
            () => named.Viewer is { } viewer ? named.Owner.DeleteAs(operation, named.Path, viewer) : named.Owner.Delete(operation, named.Path), session.Wait);
        if (named.Viewer is null && deleted.IsOk)
            await session.TellOwnAsync(n => n.OwnDeletedAsync(named.Path, session.Wait));
        return deleted.Error switch
        {
            null => Completion.Done,
            { Code: MailErrorCode.InUse } error => Completion.No("HASCHILDREN", error.Text),
            { } error => error,
        };
    }
}
