using System.Diagnostics;
using MailCluster.Consistency.Checks;
using MailCluster.Consistency.Clusters;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Faults;

/// <summary>What a fault did.</summary>
/// <param name="At">Since the begin of the run.</param>
/// <param name="Lasted">Until the cluster was whole again.</param>
/// <param name="Before">Of nodes that were no targets; as <paramref name="After"/>.</param>
internal sealed record FaultReport(
    string Name, IReadOnlyList<string> Targets, TimeSpan At, TimeSpan Lasted, Delays Delays, IReadOnlyList<Ended> Ended,
    IReadOnlyDictionary<string, NodeMeasure> Before, IReadOnlyDictionary<string, NodeMeasure> After, IReadOnlyList<string> Notes)
{
    public override string ToString()
    {
        string where = Targets.Count is 0 or > 2 ? "" : $" ({string.Join(", ", Targets)})";
        return $"{At.TotalSeconds,5:F0} s  {Name}{where}: {Lasted.TotalSeconds:F1} s until whole; {Delays.Commands} commands since, {Delays}; "
            + $"{Ended.Count} connections ended; {string.Concat(Notes.Select(static n => n + "; "))}{Growth()}";
    }

    private string Growth() => string.Join("; ",
        Grown("MB", static m => m.PrivateMegabytes), Grown("threads", static m => m.Threads), Grown("timers", static m => m.Timers ?? 0));

    private string Grown(string what, Func<NodeMeasure, double> of) => what + ": " + string.Join(", ", After.Where(a => Before.ContainsKey(a.Key))
        .Select(a => $"{a.Key} {of(Before[a.Key]):F0}→{of(a.Value):F0}"));
}

/// <summary>Lets faults happen one after the other, in the order that the seed gives, each in turn once before any comes again.</summary>
internal sealed class FaultRun(OwnCluster cluster, IReadOnlyList<FaultChoice> faults, int seed, Action<string> progress)
{
    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(3);

    /// <summary>A command that takes longer than any outage here hangs.</summary>
    private static readonly TimeSpan _hang = TimeSpan.FromSeconds(30);

    private readonly Random _random = new(seed);
    private readonly List<FaultReport> _reports = [];
    private readonly List<Violation> _violations = [];
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly List<Doubt> _doubts = [];
    private FaultScene? _scene;
    private int _deaths;
    private int _failedStarts;

    /// <summary>When readings may have been old, the present included. For any thread.</summary>
    public IReadOnlyList<Doubt> Doubts
    {
        get
        {
            lock (_doubts)
                return _scene?.Doubtful is { } now ? [.. _doubts, new Doubt(now.From, now.To ?? long.MaxValue)] : [.. _doubts];
        }
    }

    public IReadOnlyList<FaultReport> Reports => _reports;

    public IReadOnlyList<Violation> Violations => _violations;

    /// <summary>Goes on until <paramref name="time"/> is over, but at least until each fault has had its turn.</summary>
    public async Task RunAsync(ILoad load, TimeSpan time, CancellationToken stop)
    {
        for (bool first = true; (first && faults.Count > 0) || Stopwatch.GetElapsedTime(_began) < time; first = false)
        {
            FaultChoice[] turn = [.. faults];
            _random.Shuffle(turn);
            if (turn.Length == 0)
                await Task.Delay(time - Stopwatch.GetElapsedTime(_began), stop);
            foreach (FaultChoice choice in turn)
            {
                if (!first && Stopwatch.GetElapsedTime(_began) >= time)
                    break;
                await Task.Delay(_quiet * (0.5 + _random.NextDouble()), stop);
                try
                {
                    await OneAsync(load, choice, stop);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // A cluster that does not come back is a finding, and further faults would tell nothing.
                    Break("availability", $"{choice.Fault.Name}: {e.Message}");
                    return;
                }
            }
        }
        LookAtDeaths();
    }

    private async Task OneAsync(ILoad load, FaultChoice choice, CancellationToken stop)
    {
        Fault fault = choice.Fault;
        var scene = new FaultScene(cluster, _random, choice.Seconds, load);
        lock (_doubts)
            _scene = scene;
        Dictionary<string, NodeMeasure> before = await MeasureAsync([]);
        long began = Stopwatch.GetTimestamp();
        await fault.HappenAsync(scene, stop);
        await cluster.WholeAsync(stop);
        scene.Notes.AddRange(cluster.FailedStarts.Skip(_failedStarts).Select(static n => $"{n} ended while it started, and was started again"));
        _failedStarts = cluster.FailedStarts.Count;
        TimeSpan lasted = Stopwatch.GetElapsedTime(began);
        await Task.Delay(_quiet, stop);
        var report = new FaultReport(fault.Name, [.. scene.Targets.Select(static t => t.Name)], Stopwatch.GetElapsedTime(_began, began), lasted,
            load.Since(began), load.EndedSince(began), before, await MeasureAsync(scene.Targets), scene.Notes);
        _reports.Add(report);
        lock (_doubts)
        {
            if (scene.Doubtful is { To: { } to } doubtful)
                _doubts.Add(new Doubt(doubtful.From, to));
            _scene = null;
        }
        progress(report.ToString());
        Judge(fault, scene, report);
        LookAtDeaths();
    }

    private void Judge(Fault fault, FaultScene scene, FaultReport report)
    {
        foreach (string broken in scene.Broken)
            Break("availability", $"{fault.Name}: {broken}");
        HashSet<string> may = [.. scene.Targets.Where(static t => t.HasDoors).Select(static t => t.Imap.ToString())];
        foreach (Ended ended in report.Ended.Where(e => !may.Contains(e.FrontEnd)))
            Break("connections", $"{fault.Name}: session {ended.Session} at {NameOf(ended.FrontEnd)} was ended ({ended.Why}), though nothing happened to that node", ended.By);
        if (report.Delays.Longest > _hang)
            Break("hang", $"{fault.Name}: a command took {report.Delays.Longest.TotalSeconds:F1} s");
        if (fault.NothingIsRefused && report.Delays.Unavailable > 0)
            Break("availability", $"{fault.Name}: {report.Delays.Unavailable} commands were answered UNAVAILABLE");
    }

    private string NameOf(string frontEnd) => cluster.FrontEnds.FirstOrDefault(f => f.Imap.ToString() == frontEnd)?.Name ?? frontEnd;

    private void LookAtDeaths()
    {
        foreach (FalseDeath death in cluster.Deaths.Skip(_deaths))
        {
            _deaths++;
            Break("false-death", $"{death.Node} ended with {death.ExitCode}, though nothing happened to it; its last words:\n{death.Words}");
        }
    }

    private void Break(string promise, string what, params Operation[] involved)
    {
        var violation = new Violation(promise, what, involved);
        _violations.Add(violation);
    }

    private async Task<Dictionary<string, NodeMeasure>> MeasureAsync(IReadOnlyList<ClusterNode> without)
    {
        var measures = new Dictionary<string, NodeMeasure>();
        foreach (ClusterNode node in cluster.Nodes.Except(without))
        {
            if (await NodeMeasure.TakeAsync(cluster, node) is { } measure)
                measures.Add(node.Name, measure);
        }
        return measures;
    }
}
