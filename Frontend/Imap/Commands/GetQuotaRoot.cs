using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>GETQUOTAROOT (RFC 9208 §4.1.2): the roots of a mailbox, which need not exist.</summary>
internal static class GetQuotaRoot
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailboxArgument name = command.Parse(MailboxGrammar.ParseName);
        ImapUser user = state.User;
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, name);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        // Of another's mailbox only who may read it learns what its account has in use (RFC 9208 §6).
        MailResult<AccountQuota> quota = named.Viewer is { } viewer
            ? await session.Cluster.CallAsync(() => named.Owner.QuotaOf(named.Path, viewer), session.Wait)
            : await GetQuota.AskAsync(session, user, user.Settings.Account);
        if (quota.Error is { } error)
            return error;
        QuotaResponse.WriteRoot(session.Reply, named.Name, quota.Value!);
        QuotaResponse.Write(session.Reply, quota.Value!.Account);
        if (quota.Value.Tenant is { } tenant)
            QuotaResponse.Write(session.Reply, tenant);
        if (named.Viewer is null)
            QuotaResponse.WriteExceeded(session, quota.Value);
        return Completion.Done;
    }
}
