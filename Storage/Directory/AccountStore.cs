using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage.Ids;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <param name="Delivery">See <see cref="DeliveryState"/>.</param>
/// <param name="Messages">In use.</param>
/// <param name="Bytes">Octets in use.</param>
public sealed record AccountRow(
    AccountId Id, string User, string Tenant, bool Login, DeliveryState Delivery, long Messages, long Bytes, Quota Quota,
    DateTime Created, DateTime? LastLogin, IPAddress? LastAddress);

/// <summary>A mailbox as an administrator sees it.</summary>
public sealed record MailboxRow(
    MailboxId Id, IReadOnlyList<string> Path, IReadOnlyList<string> SpecialUse, long UidValidity, long UidNext, long Messages, long Unseen, long Bytes, string? Owner);

/// <summary>
/// Accounts, for administrators; every change is told to the nodes in its own transaction (<see cref="DirectoryEvents"/>).
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public sealed partial class AccountStore(NpgsqlDataSource database, IdBlocks ids)
{
    /// <summary>
    /// Makes an account with the folders of its tenant (that of the address's domain).
    /// Failures: <see cref="MailErrorCode.NonExistent"/> (domain), <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/> (address).
    /// </summary>
    /// <param name="verifier">See <see cref="StoredPassword"/>; null: nobody can log in with a password yet.</param>
    public Task<MailResult<AccountId>> AddAsync(string user, string? verifier) => AddAsync(user, new NewPassword(verifier));

    /// <summary>As <see cref="AddAsync(string, string?)"/>, with a second verifier where the tenant keeps both.</summary>
    public async Task<MailResult<AccountId>> AddAsync(string user, NewPassword password) => (await AddAsync([(user, password)]))[0];

    /// <summary>Null when there is none.</summary>
    public async Task<AccountRow?> FindAsync(string user) =>
        (await ReadAsync("where a.user_name = $1", MailAddress.Parse(user)?.ToString() ?? user)).SingleOrDefault();

    /// <summary>Up to <paramref name="limit"/> accounts after an address, of one tenant or of all.</summary>
    public async Task<List<AccountRow>> ListAsync(string? tenant, string? after, int limit) => tenant is null
        ? await ReadAsync("where a.user_name > $1 order by a.user_name limit $2", after ?? "", limit)
        : await ReadAsync("where a.tenant_id = (select id from directory.tenant where name = $3) and a.user_name > $1 order by a.user_name limit $2", after ?? "", limit, tenant);

    /// <summary>Switches log-in or delivery, or both; null leaves as it is. Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetStateAsync(string user, bool? login, DeliveryState? delivery) => ChangeAsync(user, DirectoryEventKind.State,
        (connection, account) => connection.ExecuteAsync("update directory.account set login = coalesce($2, login), delivery = coalesce($3, delivery) where id = $1",
            account, login, (short?)delivery));

    /// <summary>Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetVerifierAsync(string user, string? verifier) => SetPasswordAsync(user, new NewPassword(verifier));

    /// <summary>Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetPasswordAsync(string user, NewPassword password) => ChangeAsync(user, DirectoryEventKind.Password,
        (connection, account) => connection.ExecuteAsync(
            $"update directory.account a set verifier = $2::text, verifier_sha1 = {Sha1Wanted("$3::text")} from directory.tenant t where t.id = a.tenant_id and a.id = $1",
            account, password.Stored, password.Sha1));

    // Of the tenant t.
    private static string Sha1Wanted(string verifier) => $"case when (t.login_policy->>'scramSha1')::boolean then {verifier} end";

    /// <summary>Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetQuotaAsync(string user, Quota quota) => ChangeAsync(user, DirectoryEventKind.Settings,
        (connection, account) => connection.ExecuteAsync("update mail.account set max_messages = $2, max_bytes = $3 where account_id = $1",
            account, quota.MaxMessages, quota.MaxBytes));

    /// <summary>Lets an account set quotas of its tenant's accounts, or no longer. Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetManagesAsync(string user, bool manages) => ChangeAsync(user, DirectoryEventKind.Settings,
        (connection, account) => connection.ExecuteAsync("update directory.account set manages = $2 where id = $1", account, manages));

    /// <summary>Says whether an account is nobody's own, so that its mailboxes are listed as shared ones. Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetSharedStoreAsync(string user, bool shared) => ChangeAsync(user, DirectoryEventKind.Settings,
        (connection, account) => connection.ExecuteAsync("update mail.account set shared_store = $2 where account_id = $1", account, shared));

    /// <summary>
    /// Gives an account another address, in a domain of its tenant; it keeps its id and its mail.
    /// Failures: <see cref="MailErrorCode.NonExistent"/> (account or domain), <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/> (address, another tenant).
    /// </summary>
    public async Task<MailResult<Done>> RenameAsync(string user, string newUser)
    {
        if (MailAddress.Parse(newUser) is not { } address)
            return new MailError(MailErrorCode.Cannot, $"'{newUser}' is no address.");
        MailError? refused = null;
        var changed = await ChangeAsync(user, DirectoryEventKind.Renamed, async (connection, account) =>
        {
            var tenant = await connection.ScalarAsync("select tenant_id from directory.domain where name = $1 for update", address.Domain);
            var own = await connection.ScalarAsync("select tenant_id from directory.account where id = $1", account);
            refused = tenant is null ? new(MailErrorCode.NonExistent, $"There is no domain '{address.Domain}'.")
                : !tenant.Equals(own) ? new(MailErrorCode.Cannot, $"The domain '{address.Domain}' belongs to another tenant.")
                : await connection.ScalarAsync("select 1 from directory.account where user_name = $1 union all select 1 from directory.alias where address = $1", address.ToString()) is not null
                    ? new(MailErrorCode.AlreadyExists, $"There is an account or alias '{address}' already.")
                : null;
            if (refused is not null)
                return 0;
            await connection.ExecuteAsync("select mail.rename_account_v1($1, $2)", account, address.ToString());
            return await connection.ExecuteAsync("update directory.account set user_name = $2 where id = $1", account, address.ToString());
        });
        return refused is null ? changed : refused;
    }

    /// <summary>
    /// Deletes an account. Its mail is out of reach at once and goes in slices; its names' UIDVALIDITY values are remembered.
    /// Failure: <see cref="MailErrorCode.NonExistent"/>.
    /// </summary>
    public Task<MailResult<Done>> DeleteAsync(string user) => ChangeAsync(user, DirectoryEventKind.Deleted, async (connection, account) =>
    {
        await connection.ExecuteAsync("select mail.delete_account_v1($1)", account);
        await connection.ExecuteAsync("insert into mail.account_gone (account_id) values ($1) on conflict do nothing", account);
        // Mail of its filters that waits still leaves.
        foreach (var table in new[] { "sieve", "sieve_script", "sieve_memory", "outgoing_day" })
            await connection.ExecuteAsync($"delete from mail.{table} where account_id = $1", account);
        return await connection.ExecuteAsync("delete from directory.account where id = $1", account);
    });

    /// <summary>All mailboxes of an account in the order of their names; null when there is no such account.</summary>
    public Task<List<MailboxRow>?> ListMailboxesAsync(string user) => Store.Guard(async () =>
    {
        if (await database.ScalarAsync("select id from directory.account where user_name = $1", MailAddress.Parse(user)?.ToString() ?? user) is not long account)
            return null;
        return await database.ListAsync("""
            select m.id, m.path, m.special_use, m.uidvalidity, m.uidnext, m.messages, m.unseen, m.bytes, m.owner
            from mail.mailbox m where m.account_id = $1 and m.deleted_at is null order by m.path
            """,
            r => new MailboxRow(new(r.GetInt64(0)), r.GetFieldValue<string[]>(1), r.GetFieldValue<string[]>(2), r.GetInt64(3), r.GetInt64(4),
                r.GetInt64(5), r.GetInt64(6), r.GetInt64(7), r.IsDBNull(8) ? null : r.GetString(8)), account);
    });

    private Task<MailResult<Done>> ChangeAsync(string user, DirectoryEventKind kind, Func<NpgsqlConnection, long, Task<int>> change) => Store.Guard<MailResult<Done>>(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var name = MailAddress.Parse(user)?.ToString() ?? user;
        if (await connection.ScalarAsync("select id from directory.account where user_name = $1 for update", name) is not long account)
            return new MailError(MailErrorCode.NonExistent, $"There is no account '{user}'.");
        if (await change(connection, account) == 0)
            return new MailError(MailErrorCode.NonExistent, $"The account '{user}' has no mail here.");
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(kind, new AccountId(account)));
        await transaction.CommitAsync();
        return Done.Value;
    });

    private Task<List<AccountRow>> ReadAsync(string which, params object?[] parameters) => Store.Guard(async () =>
    {
        return await database.ListAsync($"""
            select a.id, a.user_name, t.name, a.login, a.delivery, coalesce(m.messages, 0), coalesce(m.bytes, 0), m.max_messages, m.max_bytes,
                a.created, a.last_login, a.last_address
            from directory.account a join directory.tenant t on t.id = a.tenant_id left join mail.account m on m.account_id = a.id {which}
            """,
            r => new AccountRow(new(r.GetInt64(0)), r.GetString(1), r.GetString(2), r.GetBoolean(3), (DeliveryState)r.GetInt16(4), r.GetInt64(5), r.GetInt64(6),
                new Quota(r.NullableInt64(7), r.NullableInt64(8)), r.GetDateTime(9), r.IsDBNull(10) ? null : r.GetDateTime(10),
                r.IsDBNull(11) ? null : r.GetFieldValue<IPAddress>(11)), parameters);
    });
}
