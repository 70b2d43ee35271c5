using System.Diagnostics;
using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.Faults;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency;

/// <summary>One run, from the start of a cluster to the last line.</summary>
internal sealed class CheckRun(CheckOptions options, CheckSignals signals)
{
    private readonly Recorder _recorder = new();
    private readonly List<Violation> _violations = [];

    /// <returns>The exit code: 0 when nothing was found.</returns>
    public async Task<int> RunAsync()
    {
        Console.WriteLine($"seed {options.Seed}, {options.Clients} clients, {options.Seconds} s, faults: {Names(options.Faults)}");
        var faults = options.Faults.Aggregate(FaultNeeds.None, static (n, f) => n | f.Fault.Needs);
        await using var cluster = new OwnCluster(
            new ClusterPlan { Standby = faults.HasFlag(FaultNeeds.Standby), Network = faults.HasFlag(FaultNeeds.Network) }, Say);
        await cluster.StartAsync(signals.Stop);
        await using var load = new StandInLoad([.. cluster.FrontEnds.Select(static f => f.Imap)], cluster.Accounts, options.Clients);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(signals.BreakOff);
        long began = Stopwatch.GetTimestamp();
        Task working = load.RunAsync(end.Token);
        var run = new FaultRun(cluster, load, options.Faults, options.Seed, Say);
        try
        {
            await run.RunAsync(TimeSpan.FromSeconds(options.Seconds), signals.Stop);
        }
        catch (OperationCanceledException) when (!signals.BreakOff.IsCancellationRequested)
        {
            Say("ending early");
            await cluster.WholeAsync(signals.BreakOff);
        }
        await end.CancelAsync();
        await working;
        _violations.AddRange(run.Violations);
        string found = _violations.Count switch { 0 => "no violation", 1 => "1 violation", var n => $"{n} violations" };
        Console.WriteLine($"check: seed {options.Seed}, {options.Clients} clients, {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s, {_recorder.Count} operations, "
            + $"{run.Reports.Count} faults ({Names(options.Faults)}): {found}");
        return _violations.Count == 0 ? 0 : 1;
    }

    private static string Names(IReadOnlyList<FaultChoice> faults) => faults.Count == 0 ? "none" : string.Join(", ", faults.Select(static f => f.Fault.Name));

    private static void Say(string line) => Console.WriteLine(line);
}
