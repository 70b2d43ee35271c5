using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Accounts;

/// <summary>Lists of rights, for administrators. All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class AclStore(NpgsqlDataSource database)
{
    /// <summary>The lines of a mailbox's list, without its own account, and whether each counts for something now: one of another tenant's account does while the tenants share.</summary>
    public Task<List<(NamedRights Line, bool Counts)>> ListAsync(MailboxKey mailbox) => Store.Guard(() => database.ListAsync(
        """
        select case when a.grantee_id = 0 then 'anyone' else g.user_name end, a.negative, a.rights, a.grantee_id = 0 or mail.tenants_share_v1(a.tenant_id, g.tenant_id)
        from mail.acl a left join mail.account g on g.account_id = a.grantee_id
        where a.account_id = $1 and a.mailbox_id = $2 and (a.grantee_id = 0 or g.account_id is not null) order by 1, 2
        """,
        static r => (new NamedRights(r.GetString(0), r.GetBoolean(1), (MailRights)r.GetInt32(2)), r.GetBoolean(3)), mailbox.Account.Value, mailbox.Mailbox.Value));

    /// <summary>
    /// Changes a line; the mailbox's owner loses its claim and reads the list anew. A line that counts for nothing now can be changed, too.
    /// Failures: <see cref="MailErrorCode.NonExistent"/> (no account of the tenant, or of one that it shares with, has that name), <see cref="MailErrorCode.Cannot"/> (the mailbox's own account).
    /// </summary>
    public Task<MailResult<Done>> SetAsync(MailboxKey mailbox, string name, bool negative, StoreMode mode, MailRights rights) => Store.Guard<MailResult<Done>>(async () =>
    {
        object? grantee = name == NamedRights.Anyone ? 0L : await database.ScalarAsync(
            """
            select g.account_id from mail.account a cross join lateral (select a.tenant_id union select s.with_id from mail.tenant_sharing s where s.tenant_id = a.tenant_id) t
            join mail.account g on g.tenant_id = t.tenant_id and g.user_name = $2 and mail.tenants_share_v1(a.tenant_id, g.tenant_id) where a.account_id = $1
            union select g.account_id from mail.acl l join mail.account g on g.account_id = l.grantee_id and g.user_name = $2 where l.account_id = $1 and l.mailbox_id = $3
            """,
            mailbox.Account.Value, MailAddress.Parse(name)?.ToString() ?? name, mailbox.Mailbox.Value);
        if (grantee is not long account)
            return new MailError(MailErrorCode.NonExistent, $"The mailbox's tenant, and those that it shares with, have no account '{name}'.");
        if (account == mailbox.Account.Value)
            return new MailError(MailErrorCode.Cannot, "The mailbox's own account has all rights, always.");
        await database.ExecuteAsync("select mail.set_acl_v1($1, $2, $3, $4, $5, $6)", mailbox.Account.Value, mailbox.Mailbox.Value, account, negative, (short)mode, (int)rights);
        return Done.Value;
    });
}
