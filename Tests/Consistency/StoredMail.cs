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
        await CollectAsync(database, stop);
        var violations = new List<Violation>();
        var options = new MailboxCheckOptions { Bodies = true, BodyGrace = TimeSpan.Zero };
        await foreach (MailboxFinding finding in new MailboxCheck(database).RunAsync(options, stop))
            violations.Add(new Violation(PromiseOf(finding.Kind), finding.ToString(), []));
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
