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
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, arguments.From);
        if (resolved.Value is not { } from)
            return resolved.Error!;
        MailResult<NamedMailbox> target = await session.ResolveNewAsync(user, arguments.To);
        if (target.Value is not { } to)
            return target.Error!;
        if (from.Account != to.Account)
            return new MailError(MailErrorCode.Cannot, "A mailbox stays with its account");
        OperationId operation = session.Cluster.NextOperation();
        MailResult<Done> renamed = await session.Cluster.CallAsync(
            () => from.Viewer is { } viewer ? from.Owner.RenameAs(operation, from.Path, to.Path, viewer) : from.Owner.Rename(operation, from.Path, to.Path), session.Wait);
        if (from.Viewer is null && renamed.IsOk)
            await session.TellOwnAsync(n => n.OwnRenamedAsync(from.Path, to.Path, session.Wait));
        return renamed.Error is { } error ? error : Completion.Done;
    }
}
