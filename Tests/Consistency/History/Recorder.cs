using System.Collections.Concurrent;
using System.Diagnostics;

namespace MailCluster.Consistency.History;

/// <summary>Gathers what all clients did and saw. Thread-safe; keeps everything until the end of the run.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<Operation> _operations = [];
    private readonly ConcurrentDictionary<int, SessionFacts> _sessions = [];
    private readonly ConcurrentDictionary<long, long> _underWay = [];
    private long _last;
    private int _lastSession;

    /// <summary>The next <see cref="Operation.Number"/>: taken just before the invocation, and given back by <see cref="Add(Operation)"/> in any case.</summary>
    public long NextNumber()
    {
        long number = Interlocked.Increment(ref _last);
        _underWay[number] = Stopwatch.GetTimestamp();
        return number;
    }

    public int NextSession() => Interlocked.Increment(ref _lastSession);

    public void Add(SessionFacts session) => _sessions[session.Session] = session;

    /// <summary>At its completion, or when its connection ended.</summary>
    public void Add(Operation operation)
    {
        _operations.Enqueue(operation);
        _underWay.TryRemove(operation.Number, out _);
    }

    public long Count => _operations.Count;

    public IReadOnlyDictionary<int, SessionFacts> Sessions => _sessions;

    /// <summary>What was added so far, by the moment of invocation.</summary>
    public IReadOnlyList<Operation> Operations() => [.. _operations.OrderBy(static o => o.Number)];

    /// <summary>
    /// The part of the history that can be judged while clients are at work: up to the invocation of the oldest operation that is still under way and is not here yet. What was
    /// seen later may be its effect.
    /// </summary>
    public IReadOnlyList<Operation> Closed()
    {
        long end = Stopwatch.GetTimestamp();
        foreach (KeyValuePair<long, long> operation in _underWay)
            end = Math.Min(end, operation.Value);
        return
        [
            .. _operations.Where(o => o.Invoked < end && (o.Completed < end || o.Act is not (Read or Select))).OrderBy(static o => o.Number)
                .Select(o => o.Seen.Count > 0 && o.Seen[^1].At >= end ? o with { Seen = [.. o.Seen.Where(s => s.At < end)] } : o),
        ];
    }
}
