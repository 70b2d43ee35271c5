using System.Collections.Concurrent;

namespace MailCluster.Consistency.History;

/// <summary>Gathers what all clients did and saw. Thread-safe; keeps everything until the end of the run.</summary>
internal sealed class Recorder
{
    private readonly ConcurrentQueue<Operation> _operations = [];
    private readonly ConcurrentDictionary<int, SessionFacts> _sessions = [];
    private long _last;
    private int _lastSession;

    /// <summary>The next <see cref="Operation.Number"/>: taken at the invocation.</summary>
    public long NextNumber() => Interlocked.Increment(ref _last);

    public int NextSession() => Interlocked.Increment(ref _lastSession);

    public void Add(SessionFacts session) => _sessions[session.Session] = session;

    /// <summary>At its completion, or when its connection ended.</summary>
    public void Add(Operation operation) => _operations.Enqueue(operation);

    public long Count => _operations.Count;

    public IReadOnlyDictionary<int, SessionFacts> Sessions => _sessions;

    /// <summary>What was added so far, by the moment of invocation.</summary>
    public IReadOnlyList<Operation> Operations() => [.. _operations.OrderBy(static o => o.Number)];
}
