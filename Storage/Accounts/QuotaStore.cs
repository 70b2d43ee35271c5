using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Accounts;

/// <summary>Quotas as RFC 9208 tells and sets them. Every method throws <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class QuotaStore(NpgsqlDataSource database)
{
    /// <summary>The roots of an account's mailboxes, with what is in use; null: it is gone.</summary>
    /// <param name="defaults">Limits of mailboxes and annotations where the account has none of its own.</param>
    public Task<AccountQuota?> ReadAsync(AccountId account, QuotaLimits defaults) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select a.user_name, a.bytes, a.messages, a.max_bytes, a.max_messages, a.max_mailboxes::bigint, a.max_annotation_bytes,
                (select count(*) from mail.mailbox m where m.account_id = a.account_id and m.deleted_at is null),
                mail.annotation_bytes_v1(a.account_id),
                t.bytes, t.messages, t.max_bytes, t.max_messages
            from mail.account a left join mail.tenant t on t.tenant_id = a.tenant_id and t.charged where a.account_id = $1
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
        if (!await row.ReadAsync())
            return null;
        var own = new QuotaRoot(
            QuotaRoot.AccountPrefix + row.GetString(0),
            new QuotaUsage(row.GetInt64(1), row.GetInt64(2), row.GetInt64(7), row.GetInt64(8)),
            new QuotaLimits(row.NullableInt64(3), row.NullableInt64(4), row.NullableInt64(5) ?? defaults.Mailboxes, row.NullableInt64(6) ?? defaults.AnnotationBytes));
        QuotaRoot? tenant = row.IsDBNull(9) || (row.IsDBNull(11) && row.IsDBNull(12)) ? null
            : new QuotaRoot(QuotaRoot.Tenant, new QuotaUsage(row.GetInt64(9), row.GetInt64(10)), new QuotaLimits(row.NullableInt64(11), row.NullableInt64(12)));
        return new AccountQuota(own, tenant);
    });

    /// <summary>Sets an account's limits, and tells the nodes. A limit below what is in use is one under which nothing more comes in.</summary>
    public Task SetAsync(AccountId account, QuotaLimits limits) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand(
            "update mail.account set max_bytes = $2, max_messages = $3, max_mailboxes = $4, max_annotation_bytes = $5 where account_id = $1", connection))
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
            foreach (long? limit in (long?[])[limits.Bytes, limits.Messages, limits.Mailboxes is { } m ? Math.Min(m, int.MaxValue) : null, limits.AnnotationBytes])
                command.Parameters.Add(new NpgsqlParameter { Value = (object?)limit ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
            await command.ExecuteNonQueryAsync();
        }
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Settings, account));
        await transaction.CommitAsync();
        return true;
    });

    /// <summary>The most mailboxes that the account may have; null: as all accounts.</summary>
    public Task<int?> MaxMailboxesAsync(AccountId account) => Store.Guard(async () =>
        await database.ScalarAsync("select max_mailboxes from mail.account where account_id = $1", account.Value) as int?);

    /// <summary>Whether an account manages those of a tenant, its own.</summary>
    public Task<bool> ManagesAsync(AccountId actor, TenantId tenant) => Store.Guard(async () =>
        await database.ScalarAsync("select 1 from directory.account where id = $1 and tenant_id = $2 and manages", actor.Value, tenant.Value) is not null);
}
