using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Directories;

/// <summary>A session as administrators see it.</summary>
/// <param name="Node">The front end that holds the connection.</param>
public sealed record ListedSession(
    string Node, string SessionId, AccountId Account, TenantId Tenant, string User, string Protocol, string Address, DateTimeOffset Since);

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

    /// <summary>Adds and removes sessions of a node, and says that it is there; one statement.</summary>
    public Task<bool> UpdateAsync(string node, IReadOnlyList<ListedSession> added, IReadOnlyList<string> removed) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            with seen as (
                insert into directory.front_end (node) values ($1) on conflict (node) do update set seen = now()
            ), gone as (
                delete from directory.session where node = $1 and session_id = any($2)
            )
            insert into directory.session (node, session_id, account_id, tenant_id, user_name, protocol, address, since)
            select $1, x.* from unnest($3, $4, $5, $6, $7, $8, $9) as x(session_id, account_id, tenant_id, user_name, protocol, address, since)
            on conflict (node, session_id) do nothing
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = node });
        Add(command, NpgsqlDbType.Text, removed, static s => s);
        Add(command, NpgsqlDbType.Text, added, static s => s.SessionId);
        Add(command, NpgsqlDbType.Bigint, added, static s => s.Account.Value);
        Add(command, NpgsqlDbType.Bigint, added, static s => s.Tenant.Value);
        Add(command, NpgsqlDbType.Text, added, static s => s.User);
        Add(command, NpgsqlDbType.Text, added, static s => s.Protocol);
        Add(command, NpgsqlDbType.Text, added, static s => s.Address);
        Add(command, NpgsqlDbType.TimestampTz, added, static s => s.Since.UtcDateTime);
        await command.ExecuteNonQueryAsync();
        return true;
    });

    /// <summary>Sessions by node and id, those behind (<paramref name="afterNode"/>, <paramref name="afterId"/>); each value that is given must fit.</summary>
    public Task<IReadOnlyList<ListedSession>> ListAsync(
        string? user, string? tenant, string? address, string? node, string afterNode, string afterId, int limit) => Store.Guard<IReadOnlyList<ListedSession>>(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select s.node, s.session_id, s.account_id, s.tenant_id, s.user_name, s.protocol, s.address, s.since
            from directory.session s join directory.front_end f on f.node = s.node join directory.tenant t on t.id = s.tenant_id
            where f.seen > now() - $1 and ($2::text is null or s.user_name = $2) and ($3::text is null or t.name = $3)
                and ($4::text is null or s.address = $4) and ($5::text is null or s.node = $5) and (s.node, s.session_id) > ($6, $7)
            order by s.node, s.session_id limit $8
            """);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = FrontEndLease });
        foreach (string? filter in new[] { user, tenant, address, node, afterNode, afterId })
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)filter ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        var sessions = new List<ListedSession>();
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            sessions.Add(new ListedSession(row.GetString(0), row.GetString(1), new AccountId(row.GetInt64(2)), new TenantId(row.GetInt64(3)), row.GetString(4),
                row.GetString(5), row.GetString(6), row.GetFieldValue<DateTimeOffset>(7)));
        }
        return sessions;
    });

    private static void Add<TItem, TValue>(NpgsqlCommand command, NpgsqlDbType type, IReadOnlyList<TItem> items, Func<TItem, TValue> value) =>
        command.Parameters.Add(new NpgsqlParameter<TValue[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = [.. items.Select(value)] });
}
