using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <param name="Mutual">The other says so, too: it is in effect.</param>
public sealed record TenantSharingRow(string Tenant, string With, DateTime Since, bool Mutual);

/// <summary>
/// Which tenants share. Each says it for itself, and for both directions; it counts while both say it. Lists of rights do not change by it: the rows tell at once what their lines count for, and
/// owners that have them in memory are told behind it.
/// </summary>
public sealed partial class TenantStore
{
    /// <summary>The first version of nodes that heed whose tenant an account is that a line of rights names.</summary>
    private const int SharingSince = 210;

    /// <summary>Mailboxes whose owners are told by one statement.</summary>
    private const int TellAtOnce = 500;

    /// <summary>
    /// A tenant shares with another; whether it is in effect, because the other has said so as well.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (with itself), <see cref="MailErrorCode.InUse"/> (a node of an older release is running, whose
    /// sessions would not hear of the end of it).
    /// </summary>
    public Task<MailResult<bool>> ShareAsync(string name, string with) => Store.Guard<MailResult<bool>>(async () =>
    {
        MailResult<(long One, long Other)> tenants = await BothAsync(name, with);
        if (tenants.Error is { } error)
            return error;
        if (await Accounts.AccountTreeStore.HasNodesBeforeAsync(database, SharingSince))
            return new MailError(MailErrorCode.InUse, "A node of an older release is running: upgrade all of them first.");
        (long one, long other) = tenants.Value;
        await database.ExecuteAsync("insert into mail.tenant_sharing (tenant_id, with_id) values ($1, $2) on conflict do nothing", one, other);
        return await TellAsync(one, other);
    });

    /// <summary>
    /// A tenant takes back that it shares with another. When this returns no owner goes by what was before; one that was broken off is to be called again.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/>.
    /// </summary>
    public Task<MailResult<Done>> UnshareAsync(string name, string with) => Store.Guard<MailResult<Done>>(async () =>
    {
        MailResult<(long One, long Other)> tenants = await BothAsync(name, with);
        if (tenants.Error is { } error)
            return error;
        (long one, long other) = tenants.Value;
        await database.ExecuteAsync("delete from mail.tenant_sharing where tenant_id = $1 and with_id = $2", one, other);
        await TellAsync(one, other);
        return Done.Value;
    });

    /// <summary>What tenants have said, of one (by it or of it) or of all; up to <paramref name="limit"/> behind TENANT/WITH.</summary>
    public Task<List<TenantSharingRow>> ListSharingAsync(string? name, string? after, int limit) => Store.Guard(() => database.ListAsync(
        """
        select t.name, o.name, s.since, mail.tenants_share_v1(s.tenant_id, s.with_id) from mail.tenant_sharing s
        join directory.tenant t on t.id = s.tenant_id join directory.tenant o on o.id = s.with_id
        where ($1::text is null or $1 in (t.name, o.name)) and t.name || '/' || o.name > $2 order by t.name || '/' || o.name limit $3
        """,
        static r => new TenantSharingRow(r.GetString(0), r.GetString(1), r.GetDateTime(2), r.GetBoolean(3)), name, after ?? "", limit));

    private async Task<MailResult<(long One, long Other)>> BothAsync(string name, string with)
    {
        if (await database.ScalarAsync("select id from directory.tenant where name = $1", name) is not long one)
            return NoTenant(name);
        if (await database.ScalarAsync("select id from directory.tenant where name = $1", with) is not long other)
            return NoTenant(with);
        return one == other ? new MailError(MailErrorCode.Cannot, "The accounts of one tenant share in any case.") : (one, other);
    }

    /// <summary>
    /// Tells the owners of all mailboxes that one of the two has given rights on to accounts of the other; whether these count now. Where the other tenant says nothing of this one they count for
    /// nothing before and after, and nobody need be told.
    /// </summary>
    private async Task<bool> TellAsync(long one, long other)
    {
        if (await database.ScalarAsync("select 1 from mail.tenant_sharing where tenant_id = $1 and with_id = $2", other, one) is null)
            return false;
        (long Account, long Mailbox, int Told) last = default;
        do
        {
            last = (await database.ListAsync("select account_id, mailbox_id, told from mail.tell_sharing_v1($1, $2, $3, $4, $5)",
                static r => (r.GetInt64(0), r.GetInt64(1), r.GetInt32(2)), one, other, last.Account, last.Mailbox, TellAtOnce)).SingleOrDefault();
        }
        while (last.Told == TellAtOnce);
        return await database.ScalarAsync("select mail.tenants_share_v1($1, $2)", one, other) is true;
    }
}
