using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Filters;

/// <summary>Reports of spam and ham: see <see cref="IJunkReports"/>.</summary>
public sealed class JunkReports(NpgsqlDataSource database) : IJunkReports
{
    /// <summary>Reports of one tenant that may wait; what comes then is left out.</summary>
    private const int MostWaiting = 10_000;

    /// <inheritdoc/>
    public async ValueTask<(MailboxKey? Last, int Found)> ScanAsync(MailboxKey after, int limit, CancellationToken cancellationToken) => await Store.Guard(async () =>
        // Where no tenant wants reports the function is not even called: it would walk through the Junk mailboxes of all accounts, again and again.
        await database.ListAsync("select last_account, last_mailbox, reports from mail.junk_scan_v1($1, $2, $3, $4) where exists (select 1 from directory.junk_report)",
            static r => ((MailboxKey?)new MailboxKey(new(r.GetInt64(0)), new(r.GetInt64(1))), r.GetInt32(2)), after.Account.Value, after.Mailbox.Value, limit, MostWaiting)
            is [var found] ? found : (null, 0));

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JunkReport>> TakeAsync(int limit, TimeSpan lease, CancellationToken cancellationToken) => await Store.Guard(async () =>
        (IReadOnlyList<JunkReport>)await database.ListAsync("select account_id, email_id, spam, attempt, created, url, header from mail.junk_take_v1($1, $2)",
            static r => new JunkReport(
                new(r.GetInt64(0)), new(r.GetInt64(1)), r.GetBoolean(2), r.GetInt32(3), r.GetFieldValue<DateTimeOffset>(4),
                r.IsDBNull(5) ? null : r.GetString(5), r.IsDBNull(6) ? null : r.GetString(6)),
            limit, lease));

    /// <inheritdoc/>
    public async ValueTask EndAsync(JunkReport report, CancellationToken cancellationToken) => await Store.Guard(() => database.ExecuteAsync(
        "delete from mail.junk_waiting where account_id = $1 and email_id = $2 and spam = $3 and attempt = $4",
        report.Account.Value, report.Email.Value, report.Spam, report.Attempt));

    /// <inheritdoc/>
    public async ValueTask RetryAsync(JunkReport report, TimeSpan wait, CancellationToken cancellationToken) => await Store.Guard(() => database.ExecuteAsync(
        "update mail.junk_waiting set due = now() + $5 where account_id = $1 and email_id = $2 and spam = $3 and attempt = $4",
        report.Account.Value, report.Email.Value, report.Spam, report.Attempt, wait));

    /// <summary>For administrators: where a tenant's reports go.</summary>
    public async ValueTask SetAsync(TenantId tenant, string spamUrl, string hamUrl, string? header) => await Store.Guard(() => database.ExecuteAsync("""
        insert into directory.junk_report (tenant_id, spam_url, ham_url, header) values ($1, $2, $3, $4)
        on conflict (tenant_id) do update set spam_url = excluded.spam_url, ham_url = excluded.ham_url, header = excluded.header
        """, tenant.Value, spamUrl, hamUrl, header));

    /// <summary>For administrators: no reports of a tenant any more; false where there were none.</summary>
    public async ValueTask<bool> ClearAsync(TenantId tenant) => await Store.Guard(async () =>
        await database.ExecuteAsync("delete from directory.junk_report where tenant_id = $1", tenant.Value) == 1);
}
