using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Filters;

/// <summary>Mail that waits to leave: see <see cref="IOutbox"/>.</summary>
public sealed class Outbox(NpgsqlDataSource database) : IOutbox
{
    /// <summary>Of one account at a time: one that sends much does not keep the others waiting.</summary>
    private const int Each = 2;

    private const string Row = "account_id = $1 and operation = $2 and ordinal = $3 and attempt = $4";

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<WaitingMail>> TakeAsync(string sender, int limit, TimeSpan lease, CancellationToken cancellationToken) => await Store.Guard(async () =>
        (IReadOnlyList<WaitingMail>)await database.ListAsync(
            """
            select account_id, operation, ordinal, tenant_id, kind, sender, recipients, head, body_id, claim, body_offset, body_size, utf8, required, created, attempt
            from mail.outbox_take_v1($1, $2, $3, $4) order by created
            """,
            static r => new WaitingMail(
                new AccountId(r.GetInt64(0)), new TenantId(r.GetInt64(3)), r.GetGuid(1),
                new OutgoingMail(
                    r.GetInt16(2), (OutgoingKind)r.GetInt16(4), r.GetString(5), r.GetFieldValue<string[]>(6), r.GetFieldValue<byte[]>(7),
                    r.NullableInt64(8) is { } body ? new BodyId(body) : null, r.GetInt64(10), r.GetInt64(11), r.GetBoolean(12), null, r.GetBoolean(13)),
                r.IsDBNull(9) ? null : r.GetInt32(9), r.GetInt32(15), r.GetFieldValue<DateTimeOffset>(14)),
            sender, limit, Each, lease));

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(WaitingMail mail, TimeSpan lease, CancellationToken cancellationToken) =>
        ChangeAsync($"update mail.outbox set due = now() + $5 where {Row} returning true", mail, lease);

    /// <inheritdoc/>
    public ValueTask<bool> EndAsync(WaitingMail mail, CancellationToken cancellationToken) => ChangeAsync("select mail.outbox_end_v1($1, $2, $3, $4)", mail);

    /// <inheritdoc/>
    public ValueTask<bool> RetryAsync(WaitingMail mail, TimeSpan wait, string error, CancellationToken cancellationToken) =>
        ChangeAsync($"update mail.outbox set due = now() + $5, taken_by = null, error = $6 where {Row} returning true", mail, wait, error.Replace('\0', ' '));

    /// <inheritdoc/>
    public async ValueTask<(long Count, TimeSpan Oldest)> WaitingAsync(CancellationToken cancellationToken) => await Store.Guard(async () =>
        (await database.ListAsync("select count(*), coalesce(now() - min(created), interval '0') from mail.outbox",
            static r => (r.GetInt64(0), r.GetTimeSpan(1))))[0]);

    /// <summary>For administrators: messages that wait, the oldest first.</summary>
    public async ValueTask<IReadOnlyList<OutboxRow>> ListAsync(int limit) => await Store.Guard(async () => (IReadOnlyList<OutboxRow>)await database.ListAsync(
        """
        select coalesce(a.user_name, o.account_id::text), o.kind, o.sender, o.recipients, o.attempt, o.created, o.due, o.taken_by, o.error
        from mail.outbox o left join mail.account a on a.account_id = o.account_id order by o.created limit $1
        """,
        static r => new OutboxRow(
            r.GetString(0), ((OutgoingKind)r.GetInt16(1)).ToString().ToLowerInvariant(), r.GetString(2), r.GetFieldValue<string[]>(3), r.GetInt32(4), r.GetDateTime(5), r.GetDateTime(6),
            r.IsDBNull(7) ? null : r.GetString(7), r.IsDBNull(8) ? null : r.GetString(8)),
        limit));

    private async ValueTask<bool> ChangeAsync(string sql, WaitingMail mail, params object[] further) => await Store.Guard(async () =>
        await database.ScalarAsync(sql, [mail.Account.Value, mail.Operation, mail.Mail.Ordinal, mail.Attempt, .. further]) is true);
}

/// <summary>A message that waits to leave, as administrators see it.</summary>
/// <param name="TakenBy">Who is sending it now.</param>
/// <param name="Error">Why the last attempt failed.</param>
public sealed record OutboxRow(
    string Account, string Kind, string Sender, IReadOnlyList<string> Recipients, int Attempt, DateTime Created, DateTime Due, string? TakenBy, string? Error);
