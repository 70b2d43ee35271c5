using System.Collections.Concurrent;
using System.Diagnostics;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.Faults;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>When every command ended and how long it took, by front end; how many there were of each kind; and which connections ended. Thread-safe.</summary>
internal sealed class Completions(MailboxRegistry registry) : ICompletions
{
    private readonly ConcurrentQueue<(long At, long Ticks, string FrontEnd, bool Unavailable)> _times = [];
    private readonly ConcurrentDictionary<(string Kind, Outcome Outcome), long> _counts = [];
    private readonly ConcurrentQueue<(long At, Ended Ended)> _ended = [];

    public void Add(string frontEnd, Operation operation)
    {
        foreach (SeenEnd end in operation.Seen.OfType<SeenEnd>())
        {
            // A SELECT that ended so no longer knows what was selected before.
            bool isReplaced = end.Bye is { } bye && (end.In is { } mailbox ? registry.IsReplaced(mailbox) : bye.Contains("selected mailbox", StringComparison.Ordinal));
            // Expunges are kept for seconds here: who selects, and reads only after an outage, cannot be told any more what went meanwhile.
            bool isForgotten = end.Bye?.Contains("select it again", StringComparison.Ordinal) == true;
            // What another tenant shares is taken back now and then; the checks judge whether it was.
            bool isWithdrawn = end.Bye?.StartsWith("[NOPERM]", StringComparison.Ordinal) == true;
            if (!isReplaced && !isForgotten && !isWithdrawn)
                _ended.Enqueue((end.At, new Ended(operation.Session, frontEnd, end.Bye is not null, end.Bye ?? $"no BYE, at {operation.Text}", operation)));
        }
        string kind = KindOf(operation.Act);
        _counts.AddOrUpdate((kind, operation.Outcome), 1, static (_, n) => n + 1);
        if (operation.Outcome != Outcome.Unknown && kind is not ("IDLE" or SlowClient.Kind))
            _times.Enqueue((operation.Completed, operation.Completed - operation.Invoked, frontEnd, operation.Code == "UNAVAILABLE"));
    }

    /// <summary>Operations by kind and outcome.</summary>
    public IReadOnlyDictionary<(string Kind, Outcome Outcome), long> Counts => _counts;

    /// <summary>Of commands, other than IDLE and those of slow clients, that ended between two moments (ticks as in <see cref="Operation"/>).</summary>
    /// <param name="frontEnd">Only of sessions with it; null: all.</param>
    public Delays Between(long since, long until, string? frontEnd)
    {
        var ended = _times.Where(t => t.At >= since && t.At < until && (frontEnd is null || t.FrontEnd == frontEnd)).ToList();
        long[] ticks = [.. ended.Select(static t => t.Ticks).Order()];
        TimeSpan At(double share) => ticks.Length == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(0, ticks[(int)(share * (ticks.Length - 1))]);
        return new Delays(ticks.Length, At(0.5), At(0.99), At(1), ended.Count(static t => t.Unavailable));
    }

    public IReadOnlyList<Ended> EndedSince(long moment) => [.. _ended.Where(e => e.At >= moment).Select(static e => e.Ended)];

    private static string KindOf(Act act) => act switch
    {
        Read read => read.Command,
        Store { UnchangedSince: not null } => "STORE UNCHANGEDSINCE",
        Transfer { Move: true } => "MOVE",
        Transfer => "COPY",
        Select { Since: not null } => "SELECT QRESYNC",
        _ => act.GetType().Name.ToUpperInvariant(),
    };
}
