using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Accounts;

/// <summary>What setting annotations came to.</summary>
public enum AnnotateOutcome
{
    Done = 0,
    NonExistent = 1,
    TooMany = 2,
    OverQuota = 3,
}

/// <summary>Annotations (RFC 5464). Every method throws <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class MetadataStore(NpgsqlDataSource database)
{
    /// <summary>The server, among mailboxes.</summary>
    public static readonly MailboxId Server = new(0);

    /// <summary>Annotations of a mailbox that exist, by entry: shared ones, and the viewer's private ones.</summary>
    public Task<List<MetadataEntry>> ReadAsync(MailboxKey mailbox, MetadataRequest request) => Store.Guard(() => ReadAsync(
        """
        select n.entry, n.value from mail.annotation n
        where n.owner_id = $1 and n.mailbox_id = $2 and n.account_id = case when n.entry like '/private/%' then $3 else $1 end
        """, request, mailbox.Account.Value, mailbox.Mailbox.Value, request.Viewer.Value));

    /// <summary>The tenant's annotations of the server, and the viewer's own.</summary>
    public Task<List<MetadataEntry>> ReadServerAsync(TenantId tenant, MetadataRequest request) => Store.Guard(() => ReadAsync(
        """
        select n.entry, n.value from mail.tenant_annotation n where n.tenant_id = $1
        union all select n.entry, n.value from mail.annotation n where n.account_id = $3 and n.owner_id = $3 and n.mailbox_id = $2
        """, request, tenant.Value, Server.Value, request.Viewer.Value));

    private async Task<List<MetadataEntry>> ReadAsync(string rows, MetadataRequest request, long first, long second, long third)
    {
        // Depth 1: of what is below the entry only what has no further '/'.
        await using NpgsqlCommand command = database.CreateCommand(
            $"""
            select n.entry, octet_length(n.value), case when octet_length(n.value) <= $6 then n.value end from ({rows}) n
            where exists (select 1 from unnest($4) e where n.entry = e
                or ($5 > 0 and starts_with(n.entry, e || '/') and ($5 = 2 or strpos(substr(n.entry, length(e) + 2), '/') = 0)))
            order by n.entry
            """);
        foreach (long id in (long[])[first, second, third])
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. request.Entries] });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)request.Depth });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = request.MaxSize ?? long.MaxValue });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var found = new List<MetadataEntry>();
        while (await reader.ReadAsync())
            found.Add(new MetadataEntry(reader.GetString(0), reader.GetInt32(1), reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2)));
        return found;
    }

    /// <summary>These entries of all mailboxes that an account may see: shared ones, and its own private ones.</summary>
    public Task<List<MailboxMetadata>> ListAsync(AccountId account, IReadOnlyList<string> entries) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select n.owner_id, n.mailbox_id, n.entry, n.value from mail.annotation n
            where n.account_id = $1 and n.mailbox_id <> 0 and n.entry = any($2)
                and (n.owner_id = $1 or mail.rights_v2(n.owner_id, n.mailbox_id, $1) & 1 <> 0 and mail.rights_v2(n.owner_id, n.mailbox_id, $1) & 62 <> 0)
            union all select n.owner_id, n.mailbox_id, n.entry, n.value
            from mail.shared_with_v1($1) s
            join mail.annotation n on n.account_id = s.account_id and n.owner_id = s.account_id and n.mailbox_id = s.mailbox_id and n.entry = any($2) and n.entry like '/shared/%'
            where mail.rights_v2(n.owner_id, n.mailbox_id, $1) & 1 <> 0 and mail.rights_v2(n.owner_id, n.mailbox_id, $1) & 62 <> 0
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. entries] });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var found = new List<MailboxMetadata>();
        while (await reader.ReadAsync())
            found.Add(new MailboxMetadata(
                new MailboxKey(new AccountId(reader.GetInt64(0)), new MailboxId(reader.GetInt64(1))), reader.GetString(2), reader.GetFieldValue<byte[]>(3)));
        return found;
    });

    /// <summary>All annotations that an account's user reads, on its own mailboxes and on the server, each with a mark of its value.</summary>
    public Task<List<AnnotationMark>> MarksAsync(AccountId account, TenantId tenant) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select n.mailbox_id, n.entry, ('x' || left(md5(n.value), 16))::bit(64)::bigint from mail.annotation n where n.account_id = $1 and n.owner_id = $1
            union all select 0, n.entry, ('x' || left(md5(n.value), 16))::bit(64)::bigint from mail.tenant_annotation n where n.tenant_id = $2
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var found = new List<AnnotationMark>();
        while (await reader.ReadAsync())
            found.Add(new AnnotationMark(new MailboxId(reader.GetInt64(0)), reader.GetString(1), reader.GetInt64(2)));
        return found;
    });

    /// <summary>Sets annotations of a mailbox, or (<see cref="Server"/>) the account's own of the server.</summary>
    /// <param name="maxBytes">Of the account that pays, where it has no limit of its own.</param>
    public Task<AnnotateOutcome> SetAsync(MailboxKey mailbox, AccountId viewer, IReadOnlyList<MetadataValue> entries, int max, long maxBytes) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand("select mail.set_annotations_v2($1, $2, $3, $4, $5, $6, $7)");
        foreach (long id in (long[])[mailbox.Account.Value, mailbox.Mailbox.Value, viewer.Value])
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
        Add(command, entries);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = max });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = maxBytes });
        return (AnnotateOutcome)(short)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>Sets shared annotations of the server, for the users of one tenant.</summary>
    public Task<AnnotateOutcome> SetServerAsync(TenantId tenant, IReadOnlyList<MetadataValue> entries, int max) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            """
            with gone as (delete from mail.tenant_annotation n using unnest($2, $3) as x(entry, value) where n.tenant_id = $1 and n.entry = x.entry and x.value is null)
            insert into mail.tenant_annotation (tenant_id, entry, value) select $1, x.entry, x.value from unnest($2, $3) as x(entry, value) where x.value is not null
            on conflict (tenant_id, entry) do update set value = excluded.value
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        Add(command, entries);
        await command.ExecuteNonQueryAsync();
        await using var count = new NpgsqlCommand("select count(*) from mail.tenant_annotation where tenant_id = $1", connection);
        count.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        if ((long)(await count.ExecuteScalarAsync())! > max && entries.Any(static e => e.Value is not null))
            return AnnotateOutcome.TooMany;
        await transaction.CommitAsync();
        return AnnotateOutcome.Done;
    });

    /// <summary>Gives a mailbox these special uses and no others; false: another of the account has one of them.</summary>
    public Task<bool> SetSpecialUseAsync(MailboxKey mailbox, IReadOnlyList<string> uses) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            """
            update mail.mailbox m set special_use = $3 where m.account_id = $1 and m.id = $2 and not exists (
                select 1 from mail.mailbox o where o.account_id = $1 and o.id <> $2 and o.deleted_at is null and o.special_use && $3)
            """, connection);
        await using (var alone = new NpgsqlCommand("select mail.lock_tree($1)", connection))
        {
            alone.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Account.Value });
            await alone.ExecuteNonQueryAsync();
        }
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Mailbox.Value });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. uses] });
        bool done = await command.ExecuteNonQueryAsync() == 1;
        await transaction.CommitAsync();
        return done;
    });

    private static void Add(NpgsqlCommand command, IReadOnlyList<MetadataValue> entries)
    {
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(static e => e.Entry)] });
        command.Parameters.Add(new NpgsqlParameter { Value = entries.Select(static e => e.Value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
    }
}
