using System.Diagnostics;
using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.Faults;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency;

/// <summary>One run, from the start of a cluster to the last line.</summary>
internal sealed class CheckRun(CheckOptions options, CheckSignals signals)
{
    private readonly Recorder _recorder = new();
    private readonly List<Violation> _violations = [];

    /// <returns>The exit code: 0 when nothing was found.</returns>
    public async Task<int> RunAsync()
    {
        Say($"seed {options.Seed}, {options.Clients} clients, {options.Seconds} s, faults: {Names(options.Faults)}");
        if (options.FrontEnds.Count > 0)
            return await AimAsync();
        FaultNeeds needs = options.Faults.Aggregate(FaultNeeds.None, static (n, f) => n | f.Fault.Needs);
        var plan = new ClusterPlan
        {
            Standby = needs.HasFlag(FaultNeeds.Standby), Network = needs.HasFlag(FaultNeeds.Network), Accounts = Math.Max(2, (options.Clients + 3) / 4),
        };
        await using var cluster = new OwnCluster(plan, Say);
        await cluster.StartAsync(signals.Stop);
        var workload = new WorkloadOptions(options.Seed, options.Clients, [.. cluster.FrontEnds.Select(static f => new FrontEndAddress(f.Imap, f.Lmtp))], cluster.Accounts, _recorder);
        var faults = new FaultRun(cluster, options.Faults, options.Seed, Say);
        int exitCode = await WorkAsync(
            workload,
            async load =>
            {
                try
                {
                    await faults.RunAsync(load, TimeSpan.FromSeconds(options.Seconds), signals.Stop);
                }
                catch (OperationCanceledException) when (!signals.BreakOff.IsCancellationRequested)
                {
                    Say("ending early");
                    await cluster.WholeAsync(signals.BreakOff);
                }
                _violations.AddRange(faults.Violations);
            },
            () => StoredMail.CheckAsync(cluster, signals.BreakOff),
            () => $"{faults.Reports.Count} faults ({Names(options.Faults)})");
        if (exitCode != 0 && options.KeepOnViolation)
        {
            Say($"the cluster stays until Ctrl-C: {string.Join(", ", cluster.Nodes.Select(static n => $"{n} {(n.HasDoors ? n.Imap : n.Http)}"))}; {cluster.ConnectionString}");
            await Task.Delay(Timeout.Infinite, signals.Stop.IsCancellationRequested ? signals.BreakOff : signals.Stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return exitCode;
    }

    /// <summary>At servers that run already.</summary>
    private Task<int> AimAsync()
    {
        var workload = new WorkloadOptions(options.Seed, options.Clients, [.. options.FrontEnds.Select(static f => new FrontEndAddress(f, null))], options.Accounts, _recorder)
        {
            Redelivers = false,
        };
        return WorkAsync(
            workload,
            _ => Task.Delay(TimeSpan.FromSeconds(options.Seconds), signals.Stop).ContinueWith(static _ => { }, TaskScheduler.Default),
            static () => Task.FromResult<IReadOnlyList<Violation>>([]),
            () => $"at {string.Join(", ", options.FrontEnds)}");
    }

    private async Task<int> WorkAsync(WorkloadOptions workload, Func<ILoad, Task> meanwhile, Func<Task<IReadOnlyList<Violation>>> afterwards, Func<string> what)
    {
        await using var clients = new ClientLoad(workload);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(signals.BreakOff);
        long began = Stopwatch.GetTimestamp();
        Task working = clients.RunAsync(end.Token);
        await meanwhile(clients);
        await end.CancelAsync();
        await working;
        TimeSpan worked = Stopwatch.GetElapsedTime(began);
        foreach (string unread in await clients.SettleAsync())
            _violations.Add(new Violation("settle", unread, []));
        _violations.AddRange(await afterwards());
        foreach (Violation violation in _violations)
            Say($"violation: {violation.Promise}: {violation.What}");
        string found = _violations.Count switch { 0 => "no violation", 1 => "1 violation", var n => $"{n} violations" };
        Say($"check: seed {options.Seed}, {options.Clients} clients, {worked.TotalSeconds:F0} s, {_recorder.Count} operations, {what()}: {found}");
        return _violations.Count == 0 ? 0 : 1;
    }

    private static string Names(IReadOnlyList<FaultChoice> faults) => faults.Count == 0 ? "none" : string.Join(", ", faults.Select(static f => f.Fault.Name));

    private static void Say(string line) => Console.WriteLine(line);
}
