using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Grains;

/// <summary>
/// Puts committed changes in the order of their modseqs, whatever the order in which their commits are heard of, and moves the version in memory forward by them.
/// A change is published before <see cref="ApplyAsync"/> returns. Any thread: doors of this process apply what they have committed themselves.
/// </summary>
/// <param name="publish">These four are called under the log's lock, in the order of the versions: they only take note.</param>
internal sealed class DeltaLog(MailboxClaim claim, Action<MailboxSnapshot> publish, Action<MailboxDelta> push, Action changed, Action lose)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, MailboxDelta> _early = [];
    private readonly SortedDictionary<long, TaskCompletionSource> _waiters = [];
    private readonly List<MailboxDelta> _sinceLoadBegan = [];
    private long _applied = claim.Status.HighestModSeq;
    private int _retaining;
    private Exception? _failed;
    private MailboxVersion? _version;

    /// <summary>The version in memory; null while the mailbox is not loaded.</summary>
    public MailboxVersion? Version => Volatile.Read(ref _version);

    /// <summary>Takes a committed change; returns when it and all before it are published.</summary>
    /// <exception cref="ClaimLostException">The activation has ended meanwhile.</exception>
    public Task ApplyAsync(MailboxDelta delta)
    {
        Note(delta);
        return ReachAsync(delta.ToModSeq);
    }

    /// <summary>
    /// Takes note of a committed change, which whoever next asks for it or a later one applies. Commits are noted in their order by the lane, and applied by those who wait for them, in threads of their
    /// own: the lane does not wait for that, nor any of them for another.
    /// </summary>
    public void Note(MailboxDelta delta)
    {
        lock (_gate)
        {
            if (_failed is null && delta.ToModSeq > _applied)
                _early[delta.FromModSeq] = delta;
        }
    }

    /// <summary>Keeps what is applied from now on, for a load that reads the rows meanwhile.</summary>
    public IDisposable Retain()
    {
        lock (_gate)
            _retaining++;
        return new Retention(this);
    }

    /// <summary>Returns when the version <paramref name="modSeq"/>, which is committed, is published.</summary>
    /// <param name="patience">How long before the claim is given up; null: as for changes that wait for their predecessor.</param>
    /// <exception cref="ClaimLostException">The activation has ended meanwhile.</exception>
    public Task ReachAsync(long modSeq, TimeSpan? patience = null)
    {
        lock (_gate)
        {
            if (_failed is not null)
                return Task.FromException(_failed);
            if (modSeq > _applied)
                Drain();
            return modSeq <= _applied ? Task.CompletedTask : WaitForAsync(modSeq, patience);
        }
    }

    /// <summary>Starts from rows that were read at some moment since <see cref="Retain"/>, and catches up. Null: the claim was lost meanwhile.</summary>
    public MailboxVersion? Start(MailboxSnapshot snapshot)
    {
        lock (_gate)
        {
            if (_failed is not null)
                return null;
            foreach (MailboxDelta delta in _sinceLoadBegan)
            {
                if (delta.FromModSeq == snapshot.ModSeq)
                    snapshot = snapshot.Apply(delta);
            }
            // The rows may hold changes whose commits are yet to be heard of.
            bool ahead = snapshot.ModSeq > _applied;
            _applied = Math.Max(_applied, snapshot.ModSeq);
            _version = new MailboxVersion(snapshot);
            publish(snapshot);
            if (ahead)
                changed();
            foreach (long early in _early.Where(e => e.Value.ToModSeq <= _applied).Select(static e => e.Key).ToList())
                _early.Remove(early);
            Drain();
            Release();
            return _version;
        }
    }

    /// <summary>Nothing is published any more once this returns.</summary>
    public void Fail(Exception reason)
    {
        lock (_gate)
        {
            _failed = reason;
            _version = null;
            foreach (TaskCompletionSource waiter in _waiters.Values)
            {
                waiter.TrySetException(reason);
                // Those who waited may have gone: nobody need look at it.
                _ = waiter.Task.Exception;
            }
            _waiters.Clear();
            _early.Clear();
            _sinceLoadBegan.Clear();
        }
    }

    // These are called under the lock.

    private void Drain()
    {
        if (!_early.ContainsKey(_applied))
            return;
        var steps = new List<MailboxDelta>();
        while (_early.Remove(_applied, out MailboxDelta? next))
        {
            steps.Add(next);
            _applied = next.ToModSeq;
            if (_retaining > 0)
                _sinceLoadBegan.Add(next);
            _version?.Apply(next);
        }
        if (_version is not null)
        {
            publish(_version.Snapshot);
            steps.ForEach(push);
        }
        changed();
        Release();
    }

    private void Release()
    {
        while (_waiters.Count > 0 && _waiters.First() is var (modSeq, waiter) && modSeq <= _applied)
        {
            _waiters.Remove(modSeq);
            waiter.TrySetResult();
        }
    }

    private Task WaitForAsync(long modSeq, TimeSpan? patience = null)
    {
        if (!_waiters.TryGetValue(modSeq, out TaskCompletionSource? waiter))
            _waiters.Add(modSeq, waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return WaitForAsync(waiter.Task, patience ?? _patience);
    }

    private async Task WaitForAsync(Task reached, TimeSpan patience)
    {
        try
        {
            await reached.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            // A change before this one was never heard of: the rows know better than this memory.
            lose();
            throw new ClaimLostException();
        }
    }

    private sealed class Retention(DeltaLog log) : IDisposable
    {
        public void Dispose()
        {
            lock (log._gate)
            {
                if (--log._retaining == 0)
                    log._sinceLoadBegan.Clear();
            }
        }
    }
}
