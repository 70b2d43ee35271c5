using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>GETQUOTA (RFC 9208 §4.1.1), of the user's own roots; those of others for who manages the tenant's accounts.</summary>
internal static class GetQuota
{
    private static readonly MailError NoSuchRoot = new(MailErrorCode.NonExistent, "There is no quota root of that name");

    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        string root = command.Parse(QuotaGrammar.ParseRoot);
        ImapUser user = state.User;
        MailResult<AccountId> account = root == QuotaRoot.Tenant ? user.Settings.Account : await AccountOfAsync(session, user, root);
        if (account.Error is { } unknown)
            return unknown;
        MailResult<AccountQuota> quota = await AskAsync(session, user, account.Value);
        if (quota.Error is { } error)
            return error.Code == MailErrorCode.NonExistent ? NoSuchRoot : error;
        if ((root == QuotaRoot.Tenant ? quota.Value!.Tenant : quota.Value!.Account) is not { } found)
            return NoSuchRoot;
        QuotaResponse.Write(session.Reply, found);
        if (account.Value == user.Settings.Account)
            QuotaResponse.WriteExceeded(session, quota.Value);
        return Completion.Done;
    }

    public static ValueTask<MailResult<AccountQuota>> AskAsync(ImapSession session, ImapUser user, AccountId account)
    {
        IAccountGrain owner = session.Cluster.Account(account);
        return session.Cluster.CallAsync(() => owner.Quota(user.Settings.Account), session.Wait);
    }

    /// <summary>The account of a root's name; of those that are not the user's own only the owner knows whether the user may ask.</summary>
    public static async ValueTask<MailResult<AccountId>> AccountOfAsync(ImapSession session, ImapUser user, string root)
    {
        if (!root.StartsWith(QuotaRoot.AccountPrefix, StringComparison.Ordinal))
            return NoSuchRoot;
        string name = root[QuotaRoot.AccountPrefix.Length..];
        if (name == user.Settings.User)
            return user.Settings.Account;
        if (!user.Settings.Manages)
            return NoSuchRoot;
        MailResult<AccountRef?> found = await session.Cluster.AskAsync(() => session.Cluster.Directory.FindUser(name), session.Gone);
        return found.Error is { } error ? error : found.Value is { } account && account.Tenant == user.Settings.Tenant ? account.Account : NoSuchRoot;
    }
}
