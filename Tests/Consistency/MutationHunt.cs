using MailCluster.Consistency.Checks;
using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency;

/// <summary>
/// Shows that the checker can fail: clients work in a cluster whose program was built with one safeguard switched off (see <c>Mutation</c>), until something is found.
/// </summary>
internal static class MutationHunt
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(2);

    /// <summary>What was found, as soon as anything was; nothing when <paramref name="bound"/> was over.</summary>
    /// <param name="program">The server's, built with -p:Mutations=true.</param>
    /// <param name="mutation">no-fence, drop-push or retry-twice.</param>
    public static async Task<IReadOnlyList<Violation>> RunAsync(string program, string mutation, int seed, TimeSpan bound)
    {
        // A zombie does harm where it has clients of its own; and two others must declare it dead.
        bool zombie = mutation == "no-fence";
        var plan = new ClusterPlan
        {
            Silos = zombie ? 3 : 1, OneRole = zombie, Accounts = 2, Program = program, Environment = new Dictionary<string, string> { ["MAILCLUSTER_MUTATION"] = mutation },
        };
        await using var cluster = new OwnCluster(plan, static _ => { });
        await cluster.StartAsync(CancellationToken.None);
        var recorder = new Recorder();
        await using var clients = new ClientLoad(new WorkloadOptions(
            seed, 8, [.. cluster.FrontEnds.Select(static f => new FrontEndAddress(f.Imap, f.Lmtp, f.Pop3))], cluster.Accounts, recorder) { Shares = true });
        using var stop = new CancellationTokenSource();
        Task working = clients.RunAsync(stop.Token);
        ClusterNode? frozen = zombie ? cluster.Silos[seed % cluster.Silos.Count] : null;
        if (frozen is not null)
            await FreezeAsync(frozen, cluster);
        IReadOnlyList<Violation> found = [];
        using var timer = new PeriodicTimer(_look);
        // A zombie that has found out what it is does no more harm.
        for (TimeSpan time = TimeSpan.Zero; found.Count == 0 && time < bound && frozen?.Process is not { HasExited: true }; time += _look)
        {
            await timer.WaitForNextTickAsync();
            found = Checker.Check(recorder.Closed());
        }
        await stop.CancelAsync();
        if (found.Count == 0)
        {
            await working;
            await clients.SettleAsync();
            found = Checker.Check(recorder.Operations());
        }
        return found;
    }

    private static async Task FreezeAsync(ClusterNode silo, OwnCluster cluster)
    {
        silo.MayEnd = true;
        // It has mailboxes by then.
        await Task.Delay(TimeSpan.FromSeconds(2));
        silo.Process!.Freeze();
        await cluster.UntilDeclaredDeadAsync(silo, CancellationToken.None);
        silo.Process.Thaw();
    }
}
