using System.Collections.Concurrent;
using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>An owner in memory whose pushes wait in a list until the test delivers, repeats, turns round or loses them.</summary>
internal sealed class FakeMailbox : IMailboxGrain
{
    private readonly Lock _gate = new();
    private readonly List<MailboxDelta> _history = [];
    private readonly HashSet<IMailboxObserver> _observers = [];
    private MailboxSnapshot? _pinned;

    public MailboxSnapshot Snapshot { get; private set; } = MailboxSnapshot.OfRows(1, 1, 1, [], 7);

    public List<MailboxDelta> Pushes { get; } = [];

    public int Syncs { get; private set; }

    /// <summary>Called at the beginning of each Sync; may wait.</summary>
    public Func<int, Task>? OnSync { get; set; }

    /// <summary>Called at the beginning of each GetChunks.</summary>
    public Action? OnGetChunks { get; set; }

    /// <summary>Where it says that it is.</summary>
    public string? Silo { get; set; }

    public MailError? Answer { get; set; }

    public ConcurrentQueue<(MailboxKey Key, AppendRequest Request)> Appends { get; } = new();

    public Func<AppendRequest, MailResult<AppendResult>>? OnAppend { get; set; }

    /// <summary>Whether its account has a filter; an append that is meant for those without is then no append.</summary>
    public Func<bool>? Filtered { get; init; }

    public Func<StoreRequest, MailResult<StoreResult>>? OnStore { get; set; }

    public MailboxKey Key { get; init; }

    public long Commit(Func<long, MailboxSnapshot, MailboxEffect> change)
    {
        lock (_gate)
        {
            long modSeq = Snapshot.ModSeq + 1;
            var delta = new MailboxDelta(Snapshot.Epoch, Snapshot.ModSeq, modSeq, [change(modSeq, Snapshot)]);
            Snapshot = Snapshot.Apply(delta);
            _history.Add(delta);
            Pushes.Add(delta);
            return modSeq;
        }
    }

    public long Add(int count) => Commit((modSeq, now) => new MessagesAdded(modSeq,
        [.. Enumerable.Range(0, count).Select(i => new MessageRow(
            now.UidNext + (uint)i, new EmailId(now.UidNext + i), 100, 0, 0, 0, new FlagList(SystemFlags.None, i % 3 == 0 ? ["kw" + (modSeq % 5)] : []), modSeq, 0))]));

    /// <summary>Another owner takes over; the old one's deltas are forgotten, or not.</summary>
    /// <param name="uidValidity">Its mailbox was renamed before.</param>
    public void Takeover(bool keepsHistory, uint uidValidity = 0)
    {
        lock (_gate)
        {
            MailboxSnapshot old = Snapshot;
            Snapshot = MailboxSnapshot.OfRows(old.Epoch + 1, old.ModSeq, old.UidNext, old.Messages().Select(static m => m.ToRow()), uidValidity == 0 ? old.UidValidity : uidValidity);
            if (!keepsHistory)
                _history.Clear();
            _pinned = null;
            _observers.Clear();
        }
    }

    public void ForgetHistory()
    {
        lock (_gate)
            _history.Clear();
    }

    public void Unpin()
    {
        lock (_gate)
            _pinned = null;
    }

    public async Task DeliverAsync(int index, bool keep)
    {
        MailboxDelta delta = Pushes[index];
        if (!keep)
            Pushes.RemoveAt(index);
        IMailboxObserver[] observers;
        lock (_gate)
            observers = [.. _observers];
        foreach (IMailboxObserver observer in observers)
            await observer.Changed(Key, delta);
    }

    public async Task TellEndAsync(MailboxEnd reason)
    {
        foreach (IMailboxObserver observer in _observers)
            await observer.Ended(Key, reason);
    }

    public async ValueTask<MailResult<SyncReply>> Sync(long epoch, long modSeq, IMailboxObserver? observer)
    {
        int number;
        lock (_gate)
            number = ++Syncs;
        MailResult<SyncReply> reply;
        lock (_gate)
        {
            if (Answer is { } error)
                return error;
            if (observer is not null)
                _observers.Add(observer);
            int from = _history.FindIndex(d => d.FromModSeq == modSeq);
            if (epoch == Snapshot.Epoch && modSeq == Snapshot.ModSeq)
            {
                reply = new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], null, Snapshot.UidNext, Snapshot.UidValidity);
            }
            else if (epoch != 0 && from >= 0)
            {
                reply = new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [.. _history.Skip(from).Select(d => d with { Epoch = Snapshot.Epoch })], null, Snapshot.UidNext, Snapshot.UidValidity);
            }
            else
            {
                _pinned = Snapshot;
                reply = new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], Snapshot.Chunks.Count, Snapshot.UidNext, Snapshot.UidValidity);
            }
        }
        if (OnSync is { } wait)
            await wait(number);
        return reply.Value! with { Silo = Silo };
    }

    public ValueTask<MailResult<SnapshotPage>> GetChunks(long epoch, long modSeq, int from, int count)
    {
        OnGetChunks?.Invoke();
        lock (_gate)
        {
            if (_pinned is not { } version || version.Epoch != epoch || version.ModSeq != modSeq)
                return new(new MailError(MailErrorCode.StaleEpoch, "not pinned"));
            return new(new SnapshotPage(version.Keywords, [.. version.Chunks.Skip(from).Take(count)]));
        }
    }

    public ValueTask<MailResult<AppendResult>> Append(AppendRequest request)
    {
        if (request.Unfiltered)
        {
            request = request.Sealed();
            if (Filtered?.Invoke() == true)
                return new(new MailError(MailErrorCode.Filtered, ""));
        }
        Appends.Enqueue((Key, request));
        return new(OnAppend?.Invoke(request) ?? new AppendResult(1, UidSet.Single((uint)Appends.Count), 2, false));
    }

    public ValueTask<MailResult<MailboxSelected>> Select(bool readOnly) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxStatus?>> Status() => throw new NotSupportedException();

    public ValueTask<MailResult<uint>> ClaimRecent(uint upTo) => throw new NotSupportedException();

    public ValueTask<MailResult<StoreResult>> Store(StoreRequest request) => new(OnStore!(request));

    public ValueTask<MailResult<StoreResult>> Annotate(AnnotateRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<ExpungeResult>> Expunge(ExpungeRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<ExpungeResult>> Remove(RemoveRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<ReplaceResult>> Replace(ReplaceRequest request) => throw new NotSupportedException();

    public Func<CopyRequest, MailResult<CopyResult>>? OnCopyFrom { get; init; }

    public ValueTask<MailResult<CopyResult>> CopyFrom(CopyRequest request) => new(OnCopyFrom!(request));

    public ValueTask<MailResult<UidSet>> Vanished(long since) => throw new NotSupportedException();

    public ValueTask<MailResult<IReadOnlyList<ImportedUidl>>> ImportedUidls(uint from, int count) => throw new NotSupportedException();

    public ValueTask Applied(MailboxDelta delta) => throw new NotSupportedException();

    public ValueTask Committed(long epoch, long modSeq) => throw new NotSupportedException();

    public ValueTask Unname() => throw new NotSupportedException();

    public ValueTask End(MailboxEnd reason) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxSelected>> SelectAs(bool readOnly, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxStatus?>> StatusAs(AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxAcl>> SetRights(SetRightsRequest request) => throw new NotSupportedException();
}
