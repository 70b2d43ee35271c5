using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.History;
using MailCluster.Storage.Mailboxes;
using MailCluster.Storage.Maintenance;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace MailCluster.Consistency;

/// <summary>What the rows say of each other at the end of a run, when nobody works any more: counters, usage, bodies, and that nothing is left behind.</summary>
internal static class StoredMail
{
    public static async Task<IReadOnlyList<Violation>> CheckAsync(OwnCluster cluster, CancellationToken stop)
    {
        await using var database = NpgsqlDataSource.Create(cluster.ConnectionString + ";Pooling=false");
        // Before what is left behind is swept away.
        List<Violation> violations = await AnnotationsAsync(database, stop);
        await CollectAsync(database, stop);
        var options = new MailboxCheckOptions { Bodies = true, BodyGrace = TimeSpan.Zero };
        await foreach (MailboxFinding finding in new MailboxCheck(database).RunAsync(options, stop))
            violations.Add(new Violation(PromiseOf(finding.Kind), finding.ToString(), []));
        return violations;
    }

    /// <summary>Annotations of messages (RFC 5257): none is there of a message that is gone, and what accounts pay for is what is there.</summary>
    private static async Task<List<Violation>> AnnotationsAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select 'UID ' || a.uid || ' of mailbox ' || a.mailbox_id || ' is gone and has ' || a.entry
            from mail.message_annotation a join mail.mailbox m on m.account_id = a.account_id and m.id = a.mailbox_id and m.deleted_at is null
            where not exists (select from mail.message x where x.account_id = a.account_id and x.mailbox_id = a.mailbox_id and x.uid = a.uid)
            union all
            select 'account ' || u.payer_id || ' pays for ' || u.bytes || ' octets on mailbox ' || u.mailbox_id || ', where ' || coalesce(s.bytes, 0) || ' are'
            from mail.annotation_usage u join mail.mailbox m on m.account_id = u.account_id and m.id = u.mailbox_id and m.deleted_at is null
            left join (
                select a.account_id, a.mailbox_id, case a.viewer_id when 0 then a.account_id else a.viewer_id end as payer_id, sum(octet_length(a.entry) + octet_length(a.value)) as bytes
                from mail.message_annotation a where a.value is not null group by 1, 2, 3) s
                on s.account_id = u.account_id and s.mailbox_id = u.mailbox_id and s.payer_id = u.payer_id
            where u.bytes <> coalesce(s.bytes, 0)
            """);
        var violations = new List<Violation>();
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
            violations.Add(new Violation("annotations", reader.GetString(0), []));
        return violations;
    }

    /// <summary>Everything that nothing refers to goes: nobody is uploading, so that no time has to pass.</summary>
    private static async Task CollectAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        var collector = new Collector(
            database, new CollectorOptions { ExpungedFor = TimeSpan.Zero, StagedFor = TimeSpan.Zero, MarkedFor = TimeSpan.Zero }, NullLogger<Collector>.Instance);
        // What the sweep at the end of one run marks, the next removes; until there is nothing left to do. A silo may be at it.
        for (int runs = 0; runs < 10;)
        {
            if (await collector.RunAsync(stop) is not { } run)
                await Task.Delay(TimeSpan.FromMilliseconds(100), stop);
            else if (++runs >= 2 && run is { ClaimsExpired: 0, MessagesForgotten: 0, BodiesRemoved: 0 })
                return;
        }
    }

    private static string PromiseOf(MailboxFindingKind kind) => kind switch
    {
        MailboxFindingKind.AccountUsage or MailboxFindingKind.TenantUsage => "quota",
        MailboxFindingKind.BodyOrphaned => "orphans",
        MailboxFindingKind.Body or MailboxFindingKind.Checksum => "octets",
        _ => "rows",
    };
}
