using MailCluster.Contracts;
using MailCluster.Storage.Schema;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Directories;

/// <summary>A session as administrators see it.</summary>
/// <param name="Node">The front end that holds the connection.</param>
/// <param name="Mailbox">What it has selected; null for nothing.</param>
/// <param name="SelectedAt">Since when; null where <paramref name="Mailbox"/> is.</param>
/// <param name="Client">What the client calls itself (RFC 2971), one line; null where it said nothing.</param>
/// <param name="Operator">Who acts as the user; null: the user himself.</param>
public sealed record ListedSession(
    string Node, string SessionId, AccountId Account, TenantId Tenant, string User, string Protocol, string Address, DateTimeOffset Since,
    MailboxKey? Mailbox = null, DateTimeOffset? SelectedAt = null, string? Client = null, string? Operator = null);

/// <summary>
/// The table in which front ends keep the list of their sessions, some seconds old. It is for looking at: a front end that is not seen for
/// <see cref="FrontEndLease"/> has no sessions there. Methods throw <see cref="StoreUnavailableException"/>.
/// </summary>
public sealed class SessionTable(NpgsqlDataSource database)
{
    public static readonly TimeSpan FrontEndLease = TimeSpan.FromSeconds(20);

    /// <summary>Forgets what an earlier process of this node has left, and says that the node is there.</summary>
    public Task StartAsync(string node) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand("delete from directory.session where node = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = node });
        await command.ExecuteNonQueryAsync();
        return await UpdateAsync(node, [], []);
    });

    /// <summary>Adds, changes and removes sessions of a node, and says that it is there; one statement.</summary>
    public Task<bool> UpdateAsync(string node, IReadOnlyList<ListedSession> changed, IReadOnlyList<string> removed) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            with seen as (
                insert into directory.front_end (node, code_version, version_seen) values ($1, $3, now())
                on conflict (node) do update set seen = now(), code_version = $3, version_seen = now()
            ), gone as (
                delete from directory.session where node = $1 and session_id = any($2)
            )
            insert into directory.session (node, session_id, account_id, tenant_id, user_name, protocol, address, since, mailbox_account_id, mailbox_id, selected_at, client, operator)
            select $1, x.* from unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                as x(session_id, account_id, tenant_id, user_name, protocol, address, since, mailbox_account_id, mailbox_id, selected_at, client, operator)
            on conflict (node, session_id) do update set mailbox_account_id = excluded.mailbox_account_id, mailbox_id = excluded.mailbox_id,
                selected_at = excluded.selected_at, client = excluded.client
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = node });
        Add(command, NpgsqlDbType.Text, removed, static s => s);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = SchemaMigrator.CodeVersion });
        Add(command, NpgsqlDbType.Text, changed, static s => s.SessionId);
        Add(command, NpgsqlDbType.Bigint, changed, static s => s.Account.Value);
        Add(command, NpgsqlDbType.Bigint, changed, static s => s.Tenant.Value);
        Add(command, NpgsqlDbType.Text, changed, static s => s.User);
        Add(command, NpgsqlDbType.Text, changed, static s => s.Protocol);
        Add(command, NpgsqlDbType.Text, changed, static s => s.Address);
        Add(command, NpgsqlDbType.TimestampTz, changed, static s => s.Since.UtcDateTime);
        Add(command, NpgsqlDbType.Bigint, changed, static s => s.Mailbox?.Account.Value);
        Add(command, NpgsqlDbType.Bigint, changed, static s => s.Mailbox?.Mailbox.Value);
        Add(command, NpgsqlDbType.TimestampTz, changed, static s => s.SelectedAt?.UtcDateTime);
        Add(command, NpgsqlDbType.Text, changed, static s => s.Client);
        Add(command, NpgsqlDbType.Text, changed, static s => s.Operator);
        await command.ExecuteNonQueryAsync();
        return true;
    });

    /// <summary>Sessions by node and id, those behind (<paramref name="afterNode"/>, <paramref name="afterId"/>); each value that is given must fit.</summary>
    public Task<IReadOnlyList<ListedSession>> ListAsync(
        string? user, string? tenant, string? address, string? node, string afterNode, string afterId, int limit) => ReadAsync(
            """
            ($2::text is null or s.user_name = $2) and ($3::text is null or t.name = $3)
                and ($4::text is null or s.address = $4) and ($5::text is null or s.node = $5) and (s.node, s.session_id) > ($6, $7)
            order by s.node, s.session_id limit $8
            """, user, tenant, address, node, afterNode, afterId, limit);

    /// <summary>The sessions that have a mailbox selected, the longest first.</summary>
    public Task<IReadOnlyList<ListedSession>> SelectingAsync(MailboxKey mailbox) =>
        ReadAsync("s.mailbox_account_id = $2 and s.mailbox_id = $3 order by s.selected_at", mailbox.Account.Value, mailbox.Mailbox.Value);

    private Task<IReadOnlyList<ListedSession>> ReadAsync(string which, params object?[] parameters) => Store.Guard<IReadOnlyList<ListedSession>>(async () =>
        await database.ListAsync(
            $"""
            select s.node, s.session_id, s.account_id, s.tenant_id, s.user_name, s.protocol, s.address, s.since, s.mailbox_account_id, s.mailbox_id, s.selected_at, s.client, s.operator
            from directory.session s join directory.front_end f on f.node = s.node join directory.tenant t on t.id = s.tenant_id
            where f.seen > now() - $1 and {which}
            """,
            static row => new ListedSession(
                row.GetString(0), row.GetString(1), new AccountId(row.GetInt64(2)), new TenantId(row.GetInt64(3)), row.GetString(4), row.GetString(5), row.GetString(6),
                row.GetFieldValue<DateTimeOffset>(7),
                row.IsDBNull(9) ? null : new MailboxKey(new AccountId(row.GetInt64(8)), new MailboxId(row.GetInt64(9))),
                row.IsDBNull(10) ? null : row.GetFieldValue<DateTimeOffset>(10), row.IsDBNull(11) ? null : row.GetString(11), row.IsDBNull(12) ? null : row.GetString(12)),
            [FrontEndLease, .. parameters]));

    private static void Add<TItem, TValue>(NpgsqlCommand command, NpgsqlDbType type, IReadOnlyList<TItem> items, Func<TItem, TValue> value) =>
        command.Parameters.Add(new NpgsqlParameter<TValue[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = [.. items.Select(value)] });
}
