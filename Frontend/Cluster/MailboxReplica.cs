using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>
/// This process's copy of one mailbox: its newest known version, moved forward by answers of the owner, by its pushes, and by what an owner
/// in this process publishes. Versions only go forward, by (epoch, modseq).
/// </summary>
internal sealed partial class MailboxReplica
{
    private static readonly TimeSpan RenewEvery = MailboxLimits.ObserverLease / 3;

    /// <summary>
    /// An owner in this process tells without a lease, others renew it at their silo's desk. The owner itself is called now and then, so that it is not taken for one that nobody
    /// needs, which ends after 5 min.
    /// </summary>
    private static readonly TimeSpan CallEvery = TimeSpan.FromMinutes(2);

    private static readonly MailError Gone = new(MailErrorCode.MailboxGone, "The mailbox was deleted.");
    internal static readonly MailError Replaced = new(MailErrorCode.MailboxGone, "The mailbox was replaced by another of its name.");

    private readonly MailboxReplicas _all;
    private readonly IMailboxGrain _owner;
    private readonly ILogger _log;
    private readonly Lock _gate = new();

    // Under _gate for writing.
    private MailboxSnapshot? _current;
    private int _end;
    private TaskCompletionSource _changed = NewSignal();
    private TaskCompletionSource<MailResult<MailboxSnapshot>>? _next;
    private bool _running;

    private int _waiting;
    private long _renewed;
    private long _called;
    private TimeSpan _renewAfter;
    private volatile string? _silo;
    private volatile bool _renewing;

    public MailboxReplica(MailboxReplicas all, MailboxKey key)
    {
        _all = all;
        _owner = all.Cluster.Mailbox(key);
        _log = all.Log;
        Key = key;
    }

    public MailboxKey Key { get; }

    /// <summary>Sessions that have it open; guarded by <see cref="MailboxReplicas"/>.</summary>
    public int Holders { get; set; }

    public MailboxSnapshot? Current => Volatile.Read(ref _current);

    public MailboxEnd? End => Volatile.Read(ref _end) is var end and not 0 ? (MailboxEnd)end : null;

    public void Release() => _all.Release(this);

    public ValueTask<MailResult<MailboxSnapshot>> SyncAsync(CommandWait wait)
    {
        if (EndError is { } ended)
            return new(ended);
        // A version of an epoch below the one that is known comes from an owner that lost its claim: no proof of anything.
        if (_all.Local.TryGet(Key, out MailboxSnapshot? local) && !(Current?.Epoch > local.Epoch))
            return new(Adopt(local));
#if MUTATIONS
        // The lease is renewed only every few seconds, as where pushes were proof.
        if (Mutation.DropPush && Current is { } told && _renewed != 0 && _all.Cluster.Time.GetElapsedTime(_renewed) < _renewAfter)
            return new(told);
#endif
        return AskAsync(wait);
    }

    public async ValueTask<bool> WaitForChangeAsync(MailboxSnapshot? seen, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_gate)
        {
            if (_end != 0 || (_current is not null && (seen is null || IsNewer(_current.Epoch, _current.ModSeq, seen))))
                return true;
            changed = _changed.Task;
        }
        Interlocked.Increment(ref _waiting);
        try
        {
            // Without a lease nobody would push.
            if (RenewIfDue() is { } silo)
                _all.RenewAtDesk(silo, this);
            await changed.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return changed.IsCompleted;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>
    /// Makes <paramref name="version"/> the current one unless a newer one is known; returns the current one. The same version in another object takes the
    /// place of the known one: an owner in this process and its sessions then share the memory.
    /// </summary>
    public MailboxSnapshot Adopt(MailboxSnapshot version)
    {
        TaskCompletionSource? signal = null;
        MailboxSnapshot current;
        lock (_gate)
        {
            if (_current is null || IsNewer(version.Epoch, version.ModSeq, _current))
                signal = Replace(version);
            else if (version.Epoch == _current.Epoch && version.ModSeq == _current.ModSeq)
                Volatile.Write(ref _current, version);
            current = _current!;
        }
        signal?.TrySetResult();
        return current;
    }

    /// <summary>A pushed delta: the next step, an old one, or a sign that something was missed.</summary>
    public void Push(MailboxDelta delta)
    {
        Step step = Apply(delta);
        ClusterMetrics.Pushes.Add(1, new KeyValuePair<string, object?>("outcome", step.ToString()));
        // Without anyone waiting, the next command asks anyway.
        if (step == Step.Missed && Volatile.Read(ref _waiting) > 0)
            AskInBackground();
    }

    public void OnEnded(MailboxEnd reason)
    {
        if (reason == MailboxEnd.OwnerChanged)
        {
            Volatile.Write(ref _renewed, 0);
            if (Volatile.Read(ref _waiting) > 0)
                AskInBackground();
            return;
        }
        TaskCompletionSource signal;
        lock (_gate)
        {
            if (_end != 0)
                return;
            Volatile.Write(ref _end, (int)reason);
            signal = _changed;
        }
        signal.TrySetResult();
        _all.Retire(this);
    }

    /// <summary>Asks the owner, whoever that is now, when sessions wait for pushes: those of the owner before have ended.</summary>
    public void AskForWaiting()
    {
        if (_end == 0 && Volatile.Read(ref _waiting) > 0)
            AskInBackground();
    }

    /// <summary>
    /// Renews the lease at the owner when sessions wait for pushes and a third of it is over, once at a time; an owner in this process needs none. Not null: the silo at whose desk the lease is to be
    /// renewed, after which <see cref="RenewedAtDesk"/> must be called.
    /// </summary>
    public string? RenewIfDue()
    {
        long renewed = Volatile.Read(ref _renewed);
        if (Volatile.Read(ref _waiting) == 0 || _end != 0 || _renewing || (renewed != 0 && Since(renewed) < _renewAfter))
            return null;
        if (renewed != 0 && Since(Volatile.Read(ref _called)) < CallEvery)
        {
            if (_all.Local.TryGet(Key, out _))
                return null;
            if (_silo is { } silo)
            {
                _renewing = true;
                return silo;
            }
        }
        _renewing = true;
        AskInBackground().ContinueWith(_ => _renewing = false, TaskScheduler.Default);
        return null;
    }

    /// <summary>The version that is shown at the desk.</summary>
    public HeldVersion Held => Current is { } current ? new HeldVersion(Key, current.Epoch, current.ModSeq) : new HeldVersion(Key, 0, 0);

    /// <param name="stands">The lease is renewed, and what was shown is the owner's newest version; otherwise the owner is asked.</param>
    public void RenewedAtDesk(bool stands)
    {
        _renewing = false;
        if (stands)
            Volatile.Write(ref _renewed, _all.Cluster.Time.GetTimestamp());
        else if (Volatile.Read(ref _waiting) > 0)
            AskInBackground();
    }

    private TimeSpan Since(long then) => _all.Cluster.Time.GetElapsedTime(then);

    private MailError? EndError => End switch { null => null, MailboxEnd.UidValidityChanged => Replaced, _ => Gone };

    private static bool IsNewer(long epoch, long modSeq, MailboxSnapshot than) =>
        epoch != than.Epoch ? epoch > than.Epoch : modSeq > than.ModSeq;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Under <see cref="_gate"/>; the caller completes the returned signal outside of it.</summary>
    private TaskCompletionSource Replace(MailboxSnapshot version)
    {
        Volatile.Write(ref _current, version);
        TaskCompletionSource signal = _changed;
        _changed = NewSignal();
        return signal;
    }

    private Step Apply(MailboxDelta delta)
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            if (_current is null || delta.Epoch > _current.Epoch)
                return Step.Missed;
            if (!IsNewer(delta.Epoch, delta.ToModSeq, _current))
                return Step.Known;
            if (delta.FromModSeq != _current.ModSeq)
                return Step.Missed;
            signal = Replace(_current.Apply(delta));
        }
        signal.TrySetResult();
        return Step.Applied;
    }

    private enum Step
    {
        Applied,
        Known,
        Missed,
    }
}
