using System.Collections.Concurrent;
using System.Diagnostics;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>How long commands took.</summary>
internal sealed record Pauses(int Commands, TimeSpan P50, TimeSpan P99, TimeSpan Longest);

/// <summary>When every answered command ended and how long it took, by front end; and how many there were of each kind. Thread-safe.</summary>
internal sealed class Completions : ICompletions
{
    private readonly ConcurrentQueue<(long At, long Ticks, string FrontEnd)> _times = [];
    private readonly ConcurrentDictionary<(string Kind, Outcome Outcome), long> _counts = [];

    public void Add(string frontEnd, Operation operation)
    {
        string kind = operation.Act switch
        {
            Read read => read.Command,
            Store { UnchangedSince: not null } => "STORE UNCHANGEDSINCE",
            Transfer { Move: true } => "MOVE",
            Transfer => "COPY",
            Select { Since: not null } => "SELECT QRESYNC",
            { } act => act.GetType().Name.ToUpperInvariant(),
        };
        _counts.AddOrUpdate((kind, operation.Outcome), 1, static (_, n) => n + 1);
        if (kind is not ("IDLE" or SlowClient.Kind))
            _times.Enqueue((operation.Completed, operation.Completed - operation.Invoked, frontEnd));
    }

    /// <summary>Answered commands by kind.</summary>
    public IReadOnlyDictionary<(string Kind, Outcome Outcome), long> Counts => _counts;

    /// <summary>Of commands, other than IDLE and those of slow clients, that ended between two moments (ticks as in <see cref="Operation"/>).</summary>
    /// <param name="frontEnd">Only of sessions with it; null: all.</param>
    public Pauses Between(long since, long until, string? frontEnd)
    {
        long[] ticks = [.. _times.Where(t => t.At >= since && t.At < until && (frontEnd is null || t.FrontEnd == frontEnd)).Select(static t => t.Ticks).Order()];
        TimeSpan At(double share) => ticks.Length == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(0, ticks[(int)(share * (ticks.Length - 1))]);
        return new Pauses(ticks.Length, At(0.5), At(0.99), At(1));
    }
}
