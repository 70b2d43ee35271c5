using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Grains;

/// <summary>
/// Puts committed changes in the order of their modseqs, whatever the order in which their commits are heard of, and moves the version in memory forward by them.
/// A change is published before <see cref="ApplyAsync"/> returns. Used by one activation, one turn at a time.
/// </summary>
internal sealed class DeltaLog(MailboxClaim claim, Action<MailboxSnapshot> publish, Action<MailboxDelta> push, Action changed, Action lose)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<long, MailboxDelta> _early = [];
    private readonly SortedDictionary<long, TaskCompletionSource> _waiters = [];
    private readonly List<MailboxDelta> _sinceLoadBegan = [];
    private long _applied = claim.Status.HighestModSeq;
    private int _retaining;
    private Exception? _failed;

    /// <summary>The version in memory; null while the mailbox is not loaded.</summary>
    public MailboxVersion? Version { get; private set; }

    /// <summary>Takes a committed change; returns when it and all before it are published.</summary>
    /// <exception cref="ClaimLostException">The activation has ended meanwhile.</exception>
    public Task ApplyAsync(MailboxDelta delta)
    {
        if (_failed is not null)
            return Task.FromException(_failed);
        if (delta.ToModSeq <= _applied)
            return Task.CompletedTask;
        _early[delta.FromModSeq] = delta;
        Drain();
        return delta.ToModSeq <= _applied ? Task.CompletedTask : WaitForAsync(delta.ToModSeq);
    }

    /// <summary>Keeps what is applied from now on, for a load that reads the rows meanwhile.</summary>
    public IDisposable Retain()
    {
        _retaining++;
        return new Retention(this);
    }

    /// <summary>Returns when the version <paramref name="modSeq"/>, which is committed, is published.</summary>
    /// <param name="patience">How long before the claim is given up; null: as for changes that wait for their predecessor.</param>
    /// <exception cref="ClaimLostException">The activation has ended meanwhile.</exception>
    public Task ReachAsync(long modSeq, TimeSpan? patience = null) =>
        _failed is not null ? Task.FromException(_failed) : modSeq <= _applied ? Task.CompletedTask : WaitForAsync(modSeq, patience);

    /// <summary>Starts from rows that were read at some moment since <see cref="Retain"/>, and catches up. Null: the claim was lost meanwhile.</summary>
    public MailboxVersion? Start(MailboxSnapshot snapshot)
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
        Version = new MailboxVersion(snapshot);
        publish(snapshot);
        if (ahead)
            changed();
        foreach (long early in _early.Where(e => e.Value.ToModSeq <= _applied).Select(static e => e.Key).ToList())
            _early.Remove(early);
        Drain();
        Release();
        return Version;
    }

    public void Fail(Exception reason)
    {
        _failed = reason;
        Version = null;
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

    private void Drain()
    {
        bool any = false;
        while (_early.Remove(_applied, out MailboxDelta? next))
        {
            any = true;
            _applied = next.ToModSeq;
            if (_retaining > 0)
                _sinceLoadBegan.Add(next);
            if (Version is not null)
            {
                Version.Apply(next);
                publish(Version.Snapshot);
                push(next);
            }
        }
        if (any)
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

    private async Task WaitForAsync(long modSeq, TimeSpan? patience = null)
    {
        if (!_waiters.TryGetValue(modSeq, out TaskCompletionSource? waiter))
            _waiters.Add(modSeq, waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await waiter.Task.WaitAsync(patience ?? _patience);
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
            if (--log._retaining == 0)
                log._sinceLoadBegan.Clear();
        }
    }
}
