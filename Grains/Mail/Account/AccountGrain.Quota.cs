using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>Quotas as RFC 9208 has them. They are kept by the commits; here they are told and set.</summary>
public sealed partial class AccountGrain
{
    private static readonly MailError _noAccount = new(MailErrorCode.NonExistent, "No such account.");

    private QuotaLimits Defaults => new(null, null, options.Value.MaxMailboxes, options.Value.MaxAnnotationBytes);

    public ValueTask<MailResult<AccountQuota>> Quota(AccountId asking) => Guard<AccountQuota>(async () =>
    {
        if (asking != Id && !(await AccountAsync(fresh: false) is { } account && await quotas.ManagesAsync(asking, account.Settings.Tenant)))
            return _noAccount;
        return await quotas.ReadAsync(Id, Defaults) is { } quota ? quota : _noAccount;
    });

    public ValueTask<MailResult<AccountQuota>> SetQuota(AccountId actor, QuotaLimits limits) => Guard<AccountQuota>(async () =>
    {
        if (await AccountAsync(fresh: true) is not { } account)
            return _noAccount;
        if (!await quotas.ManagesAsync(actor, account.Settings.Tenant))
            return actor == Id ? new MailError(MailErrorCode.NoPermission, "This account sets no quotas.") : _noAccount;
        await quotas.SetAsync(Id, limits);
        _memory.ForgetRow();
        return await quotas.ReadAsync(Id, Defaults) is { } quota ? quota : _noAccount;
    });
}
