using System.Diagnostics;
using MailCluster.Consistency.Checks;
using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.Faults;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Report;
using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency;

/// <summary>One run, from the start of a cluster to the last line.</summary>
internal sealed class CheckRun(CheckOptions options, CheckSignals signals)
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(10);

    private const int _toldAtOnce = 10;

    private readonly Recorder _recorder = new();
    private readonly List<Violation> _violations = [];
    private readonly HashSet<(string Promise, string Subject)> _known = [];

    /// <returns>The exit code: 0 when nothing was found.</returns>
    public async Task<int> RunAsync()
    {
        Say($"seed {options.Seed}, {options.Clients} clients, {options.Seconds} s, faults: {Names(options.Faults)}");
        if (options.FrontEnds.Count > 0)
            return await AimAsync();
        FaultNeeds needs = options.Faults.Aggregate(FaultNeeds.None, static (n, f) => n | f.Fault.Needs);
        var plan = new ClusterPlan
        {
            OneRole = options.OneRole, Standby = needs.HasFlag(FaultNeeds.Standby), Network = needs.HasFlag(FaultNeeds.Network), Accounts = Math.Max(3, (options.Clients + 3) / 4), Guests = 1,
        };
        await using var cluster = new OwnCluster(plan, Say);
        await cluster.StartAsync(signals.Stop);
        var workload = new WorkloadOptions(options.Seed, options.Clients, [.. cluster.FrontEnds.Select(static f => new FrontEndAddress(f.Imap, f.Lmtp, f.Pop3))], cluster.Accounts, _recorder)
        {
            Shares = true, Guests = cluster.Guests, Consent = cluster.ConsentAsync,
        };
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
                foreach (Violation violation in faults.Violations)
                    Found(violation);
            },
            () => faults.Doubts,
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
            Filters = false,
        };
        return WorkAsync(
            workload,
            _ => Task.Delay(TimeSpan.FromSeconds(options.Seconds), signals.Stop).ContinueWith(static _ => { }, TaskScheduler.Default),
            static () => [],
            static () => Task.FromResult<IReadOnlyList<Violation>>([]),
            () => $"at {string.Join(", ", options.FrontEnds)}");
    }

    private async Task<int> WorkAsync(
        WorkloadOptions workload, Func<ILoad, Task> meanwhile, Func<IReadOnlyList<Doubt>> doubts, Func<Task<IReadOnlyList<Violation>>> afterwards, Func<string> what)
    {
        await using var clients = new ClientLoad(workload);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(signals.BreakOff);
        long began = Stopwatch.GetTimestamp();
        Task working = clients.RunAsync(end.Token);
        Task looking = LookAsync(doubts, end.Token);
        try
        {
            await meanwhile(clients);
        }
        finally
        {
            // Also when that failed: no session may be at work when it is disposed of.
            await end.CancelAsync();
            await Task.WhenAll(working, looking);
        }
        TimeSpan worked = Stopwatch.GetElapsedTime(began);
        foreach (string unread in await clients.SettleAsync())
            Found(new Violation("settle", unread, []));
        Judge(_recorder.Operations(), doubts());
        foreach (Violation violation in await afterwards())
            Found(violation);
        var report = new ViolationReport(options.Seed, _recorder.Operations(), _recorder.Sessions, doubts());
        report.Write(Console.Out, _violations);
        if (options.History is { } file)
        {
            await using StreamWriter history = File.CreateText(file);
            report.WriteHistory(history);
        }
        string found = _violations.Count switch { 0 => "no violation", 1 => "1 violation", var n => $"{n} violations" };
        Say($"check: seed {options.Seed}, {options.Clients} clients, {worked.TotalSeconds:F0} s, {_recorder.Count} operations, {what()}: {found}");
        return _violations.Count == 0 ? 0 : 1;
    }

    /// <summary>Judges what there is, now and then, so that a long run need not end before it says what it found.</summary>
    private async Task LookAsync(Func<IReadOnlyList<Doubt>> doubts, CancellationToken end)
    {
        for (TimeSpan wait = _look; ; )
        {
            await Task.Delay(wait, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
                return;
            long began = Stopwatch.GetTimestamp();
            await Task.Run(() => Judge(_recorder.Closed(), doubts()), CancellationToken.None);
            // The whole history is judged each time: it takes a tenth of the time at most.
            wait = TimeSpan.FromTicks(Math.Max(_look.Ticks, Stopwatch.GetElapsedTime(began).Ticks * 10));
        }
    }

    private void Judge(IReadOnlyList<Operation> history, IReadOnlyList<Doubt> doubts)
    {
        foreach (Violation violation in Checker.Check(history, doubts))
            Found(violation);
    }

    private void Found(Violation violation)
    {
        if (!_known.Add((violation.Promise, violation.Subject.Length > 0 ? violation.Subject : violation.What)))
            return;
        _violations.Add(violation);
        // What the others were is told at the end.
        if (_violations.Count <= _toldAtOnce)
            Say($"violation: {violation.Promise}: {violation.What}");
    }

    private static string Names(IReadOnlyList<FaultChoice> faults) => faults.Count == 0 ? "none" : string.Join(", ", faults.Select(static f => f.Fault.Name));

    private static void Say(string line) => Console.WriteLine(line);
}
