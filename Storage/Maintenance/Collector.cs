using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MailCluster.Storage.Maintenance;

/// <param name="PartitionsMade">Partitions of days to come.</param>
/// <param name="PartitionsDropped">Partitions of days gone by.</param>
/// <param name="MessagesPurged">Messages of mailboxes that were deleted.</param>
/// <param name="MessagesForgotten">Expunged messages that can no longer be restored.</param>
/// <param name="ClaimsExpired">Claims on bodies that nobody came for.</param>
/// <param name="BodiesRemoved">Bodies that nothing referred to.</param>
public sealed record CollectorRun(int PartitionsMade, int PartitionsDropped, int MessagesPurged, int MessagesForgotten, int ClaimsExpired, int BodiesRemoved);

/// <summary>
/// Removes what is no longer needed: partitions of days gone by, rows of deleted mailboxes and accounts, expunged messages after their time,
/// bodies that nothing refers to. Every statement is short; a run that is broken off is taken up by the next, on any node.
/// </summary>
public sealed partial class Collector(NpgsqlDataSource database, CollectorOptions options, ILogger<Collector> log)
{
    private const long AdvisoryLock = 0x4D61696C_436F6C6C;

    private (long Account, long Email) _swept;
    private (long Account, long Email) _sweptSearch;
    private (long Account, long Mailbox, long Uid) _sweptAnnotations;

    /// <summary>One run of everything; null when another node is at it.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public Task<CollectorRun?> RunAsync(CancellationToken cancellationToken) => Store.Guard(async () =>
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await connection.ScalarAsync("select pg_try_advisory_lock($1)", AdvisoryLock) is not true)
            return null;
        try
        {
            var run = new CollectorRun(
                await PatientlyAsync(EnsurePartitionsAsync),
                await PatientlyAsync(DropOldAsync),
                await PurgeDeletedAsync(cancellationToken),
                await PatientlyAsync(() => ExpireAsync(cancellationToken)),
                await ExpireStagedAsync(cancellationToken),
                await CollectBodiesAsync(cancellationToken));
            await SweepEmailsAsync(cancellationToken);
            await SweepSearchAsync(cancellationToken);
            await RepeatAsync("select mail.forget_filters_v1($1)", cancellationToken, options.Slice);
            Ran(log, run);
            return run;
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock($1)", AdvisoryLock);
        }
    });

    /// <summary>Makes the partitions of the days to come, and moves rows that found none.</summary>
    public Task<int> EnsurePartitionsAsync() => CountAsync("select mail.ensure_partitions_v2($1)", options.PartitionsAhead);

    /// <summary>Drops old partitions of operations and deliveries; how many.</summary>
    public async Task<int> DropOldAsync() => await DropAsync("operation", options.OperationDays) + await DropAsync("delivery", options.OperationDays);

    /// <summary>Removes the rows of deleted mailboxes and accounts; how many messages. They stay restorable for their time.</summary>
    public async Task<int> PurgeDeletedAsync(CancellationToken cancellationToken)
    {
        var purged = await RepeatAsync("select mail.purge_deleted_v2($1)", cancellationToken, options.Slice);
        await RepeatAsync("select mail.forget_accounts_v1($1)", cancellationToken, options.Slice);
        await RepeatAsync("select mail.sweep_annotations_v1($1)", cancellationToken, options.Slice);
        await SweepMessageAnnotationsAsync(cancellationToken);
        await RepeatAsync("select mail.sweep_sharing_v1($1)", cancellationToken, options.Slice);
        await RepeatAsync("select mail.sweep_seen_v1($1)", cancellationToken, options.Slice);
        return purged;
    }

    /// <summary>Forgets expunged messages and the log of changes after their time, with the emails that go with them; how many messages.</summary>
    public async Task<int> ExpireAsync(CancellationToken cancellationToken)
    {
        var forgotten = 0;
        for (var before = Before(options.ExpungedDays); ;)
        {
            forgotten += await RepeatAsync("select mail.expire_expunged_v1($1, $2)", cancellationToken, before, options.Slice);
            if (await DropOneAsync("expunged", before) is null)
                break;
        }
        await RepeatAsync("select mail.forget_mailboxes_v1($1, $2)", cancellationToken, Before(options.ExpungedDays), options.Slice);
        for (var before = Before(options.ExpungedDays); ;)
        {
            await RepeatAsync("select mail.raise_floors_v1($1, $2)", cancellationToken, before, options.Slice);
            if (await DropOneAsync("change", before) is null)
                break;
        }
        if (options.ExpungedFor is { } kept)
        {
            forgotten += await RepeatAsync("select mail.forget_expunged_v1($1, $2)", cancellationToken, kept, options.Slice);
            await RepeatAsync("select mail.trim_changes_v1($1, $2)", cancellationToken, kept, options.Slice);
        }
        return forgotten;
    }

    /// <summary>Gives up claims and uploads after their time; how many.</summary>
    public Task<int> ExpireStagedAsync(CancellationToken cancellationToken) =>
        RepeatAsync("select mail.expire_staged_v1($1, $2)", cancellationToken, options.StagedFor, options.Slice);

    /// <summary>Removes bodies that were marked some time ago and that still nothing refers to; how many.</summary>
    public async Task<int> CollectBodiesAsync(CancellationToken cancellationToken)
    {
        for (var removed = 0; ;)
        {
            var (looked, gone) = (await database.ListAsync("select looked, removed from mail.collect_bodies_v1($1, $2)",
                r => (r.GetInt32(0), r.GetInt32(1)), options.MarkedFor, Math.Max(1, options.Slice / 10)))[0];
            removed += gone;
            if (looked == 0 || cancellationToken.IsCancellationRequested)
                return removed;
        }
    }

    /// <summary>Looks at some emails for those that nothing refers to, going on from where the last call ended; how many were removed.</summary>
    public async Task<int> SweepEmailsAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        for (var looked = 0; looked < options.SweepEmails && !cancellationToken.IsCancellationRequested; looked += options.Slice)
        {
            var page = await database.ListAsync("select account_id, email_id, removed from mail.sweep_emails_v1($1, $2, $3)",
                r => (r.GetInt64(0), r.GetInt64(1), r.GetInt32(2)), _swept.Account, _swept.Email, options.Slice);
            if (page.Count == 0)
            {
                _swept = default;
                break;
            }
            (_swept.Account, _swept.Email, var gone) = page[0];
            removed += gone;
        }
        return removed;
    }

    /// <summary>Looks at some annotations of messages for those that belong to nothing any more, going on from where the last call ended; how many were removed.</summary>
    public async Task<int> SweepMessageAnnotationsAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        for (var looked = 0; looked < options.SweepEmails && !cancellationToken.IsCancellationRequested;)
        {
            (long? account, long mailbox, long uid, int seen, int gone) = (await database.ListAsync(
                "select account_id, coalesce(mailbox_id, 0), coalesce(uid, 0), looked, removed from mail.sweep_message_annotations_v2($1, $2, $3, $4)",
                static r => (r.IsDBNull(0) ? (long?)null : r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt32(3), r.GetInt32(4)),
                _sweptAnnotations.Account, _sweptAnnotations.Mailbox, _sweptAnnotations.Uid, options.Slice))[0];
            removed += gone;
            looked += seen;
            _sweptAnnotations = (account ?? 0, mailbox, uid);
            if (account is null)
                break;
        }
        return removed;
    }

    /// <summary>
    /// Looks at some groups of the index of texts for those that no node of this version reads or half of whose emails are gone, going on from where the last call ended;
    /// how many were removed.
    /// </summary>
    public async Task<int> SweepSearchAsync(CancellationToken cancellationToken)
    {
        // Each group is a look at some 500 emails.
        int slice = Math.Max(1, options.Slice / 50);
        var removed = 0;
        for (var looked = 0; looked < options.SweepEmails / SearchGroup.MaxEmails && !cancellationToken.IsCancellationRequested; looked += slice)
        {
            var page = await database.ListAsync("select account_id, first_email, removed from mail.sweep_search_v1($1, $2, $3, $4)",
                r => (r.GetInt64(0), r.GetInt64(1), r.GetInt32(2)), _sweptSearch.Account, _sweptSearch.Email, SearchGroup.Format, slice);
            if (page.Count == 0)
            {
                _sweptSearch = default;
                break;
            }
            (_sweptSearch.Account, _sweptSearch.Email, var gone) = page[0];
            removed += gone;
        }
        return removed;
    }

    // A table that is in use at the wrong moment is dropped at the next run.
    private async Task<int> PatientlyAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            Postponed(log, e.MessageText);
            return 0;
        }
    }

    private static DateOnly Before(int days) => DateOnly.FromDateTime(DateTime.UtcNow).AddDays(-days);

    private async Task<int> DropAsync(string table, int days)
    {
        var dropped = 0;
        while (await DropOneAsync(table, Before(days)) is not null)
            dropped++;
        return dropped;
    }

    private async Task<string?> DropOneAsync(string table, DateOnly before) => await database.ScalarAsync("select mail.drop_partition_v1($1, $2)", table, before) as string;

    private async Task<int> RepeatAsync(string slice, CancellationToken cancellationToken, params object[] parameters)
    {
        for (var sum = 0; ;)
        {
            var count = await CountAsync(slice, parameters);
            sum += count;
            if (count == 0 || cancellationToken.IsCancellationRequested)
                return sum;
        }
    }

    private async Task<int> CountAsync(string sql, params object[] parameters) => (int)(await database.ScalarAsync(sql, parameters))!;

    [LoggerMessage(LogLevel.Information, "Maintenance: {Run}")]
    private static partial void Ran(ILogger log, CollectorRun run);

    [LoggerMessage(LogLevel.Information, "Maintenance of a table is postponed: {Reason}")]
    private static partial void Postponed(ILogger log, string reason);
}
