using System.Diagnostics;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;

namespace MailCluster.Grains;

/// <summary>
/// The owner of one mailbox. Unclaimed until something must be changed or a version is asked for; then claimed (<see cref="MailboxClaim"/>: enough for what comes in);
/// then loaded (a <see cref="MailboxVersion"/> in memory) at the first call that needs the messages.
/// Calls interleave: many changes of one mailbox wait in the lane together, and take effect in the order of their modseqs.
/// </summary>
[Reentrant, PreferLocalPlacement, CollectionAgeLimit(Minutes = 5), GrainType("mailbox")]
public sealed partial class MailboxGrain(
    MailboxStore store, CommitLanes lanes, IdBlocks ids, ILocalMailboxes local, OwnedMailboxes register, ILocalSiloDetails silo, ILogger<MailboxGrain> log) : Grain, IMailboxGrain
{
    private static readonly MailError _gone = new(MailErrorCode.MailboxGone, "The mailbox was deleted.");
    private static readonly MailError _lost = new(MailErrorCode.StaleEpoch, "The mailbox has moved to another node.");
    private static readonly MailError _away = new(MailErrorCode.Unavailable, "The mail store cannot be reached now.");

    private static readonly MailError _unsure = new(MailErrorCode.Unavailable, "This node is not sure to be a member of the cluster now.");

    private readonly Dictionary<OperationId, Task> _underWay = [];
    private MailboxKey _key;
    private MailboxObservers _observers = null!;
    private Task<MailboxOwnership?>? _claiming;
    private MailboxOwnership? _owned;
    private MailError? _end;
    private bool _nameless;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = MailboxKey.Parse(this.GetPrimaryKeyString());
        _observers = new MailboxObservers(_key, local, log);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        register.Remove(_key, this);
        if (_owned is not { } owned)
            return;
#if MUTATIONS
        // A silo that was declared dead deactivates what it owns.
        if (Mutation.NoFence)
            return;
#endif
        local.Withdraw(_key, owned.Epoch);
        // A silo that stops gives thousands of claims back by being dead.
        if (reason.ReasonCode != DeactivationReasonCode.ShuttingDown || owned.FirstRecentIsDirty)
            await store.ReleaseAsync(_key, owned.Epoch, owned.FirstRecent, cancellationToken);
    }

    public async ValueTask<MailResult<MailboxSelected>> Select(bool readOnly)
    {
        using Activity? span = MailTraces.Owner(nameof(Select));
        bool claims = _claiming is null;
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        if (owned.Loaded is { Snapshot: var snapshot })
        {
            MailboxStatus status = snapshot.ToStatus(_key.Mailbox);
            return Unsure() is { } unsure ? unsure : Selected(owned, status, snapshot.KeywordsInUse(), readOnly);
        }
        try
        {
            // What this very call has claimed was read after it began.
            if (claims)
                return local.MayRead ? Selected(owned, owned.Claim.Status, owned.Claim.Keywords, readOnly) : _unsure;
            if (await store.SelectAsync(_key) is not var (read, keywords))
                return EndNow(MailboxEnd.Deleted);
            // It may have been loaded meanwhile: what is told here, the version that the session asks for next must have.
            if (owned.Loaded is not null || owned.IsLoading)
                await owned.Log.ReachAsync(read.HighestModSeq);
            return local.MayRead ? Selected(owned, read, keywords, readOnly) : _unsure;
        }
        catch (ClaimLostException)
        {
            return _lost;
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
    }

    private static MailboxSelected Selected(MailboxOwnership owned, MailboxStatus status, IReadOnlyList<string> keywords, bool readOnly) =>
        new(owned.Epoch, status, readOnly ? Math.Max(owned.FirstRecent, status.UidNext) : owned.ClaimRecent(status.UidNext - 1), keywords);

    public async ValueTask<MailResult<MailboxStatus?>> Status()
    {
        // Whoever claims or loads it from now on reads the rows later than the caller did.
        if (_end is not null || _owned is not { IsLost: false } owned || (owned.Loaded is null && !owned.IsLoading))
            return (MailboxStatus?)null;
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        MailboxSnapshot snapshot = version.Snapshot;
        MailboxStatus status = snapshot.ToStatus(_key.Mailbox, owned.Recent(snapshot.UidNext, snapshot.Count));
        return Unsure() is { } unsure ? unsure : status;
    }

    public async ValueTask<MailResult<SyncReply>> Sync(long epoch, long modSeq, IMailboxObserver? observer)
    {
        using Activity? span = MailTraces.Owner(nameof(Sync));
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        if (observer is not null)
            _observers.Renew(observer);
        SyncReply reply = version.Since(epoch, modSeq);
        return Unsure() is { } unsure ? unsure : reply;
    }

    public async ValueTask<MailResult<SnapshotPage>> GetChunks(long epoch, long modSeq, int from, int count)
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        if (version.Pinned(epoch, modSeq) is not { } snapshot)
            return _lost;
        if (Unsure() is { } unsure)
            return unsure;
        from = Math.Clamp(from, 0, snapshot.Chunks.Count);
        return new SnapshotPage(snapshot.Keywords, [.. snapshot.Chunks.Skip(from).Take(Math.Clamp(count, 0, 256))]);
    }

    public async ValueTask<MailResult<uint>> ClaimRecent(uint upTo)
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        return local.MayRead ? owned.ClaimRecent(upTo) : _unsure;
    }

    public ValueTask<MailResult<AppendResult>> Append(AppendRequest request) => Once<AppendResult>(request.Operation, async () =>
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        long[] emails;
        try
        {
            emails = await ids.NextAsync(request.Messages.Count);
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Kind = CommitKind.Append, Mailbox = _key, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Messages = request.Messages, Emails = emails, Delivery = request.Delivery, Path = request.Path, Rows = request.Messages.Count, FirstRecent = owned.FirstRecent,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        if (outcome.Status == CommitStatus.Done)
        {
            uint first = outcome.Uids[0].First;
            MessageRow[] rows = [.. request.Messages.Select((m, i) => new MessageRow((uint)(first + i), new EmailId(emails[i]), m.Size, m.InternalDate, m.ZoneMinutes,
                outcome.SaveDate, m.Flags, outcome.ModSeq, outcome.Threads[i]))];
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, outcome.ModSeq - 1, outcome.ModSeq, [new MessagesAdded(outcome.ModSeq, rows)]));
        }
        return new AppendResult(owned.UidValidity, outcome.Uids, outcome.ModSeq, outcome.Status == CommitStatus.DeliveredBefore);
    });

    public ValueTask<MailResult<StoreResult>> Store(StoreRequest request) => Once<StoreResult>(request.Operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? _lost;
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Kind = CommitKind.Store, Mailbox = _key, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Uids = request.Uids, Mode = request.Mode, Flags = request.Flags, UnchangedSince = request.UnchangedSince,
            Rows = Math.Min(request.Uids.Cardinality, version.Snapshot.Count), FirstRecent = owned.FirstRecent,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        if (outcome.Status == CommitStatus.Done && !outcome.Uids.IsEmpty)
        {
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, outcome.ModSeq - 1, outcome.ModSeq,
                [new FlagsChanged(outcome.ModSeq, outcome.Uids, request.Mode, request.Flags)]));
        }
        return new StoreResult(outcome.Uids, outcome.Status == CommitStatus.DoneBefore ? ModifiedSince(request, outcome.Uids) : outcome.Modified, outcome.ModSeq);
    });

    /// <summary>
    /// What an UNCHANGEDSINCE kept back that was made before: of an earlier commit only what it changed is known. What has a later modseq now it did not change, or
    /// need not have.
    /// </summary>
    private UidSet ModifiedSince(StoreRequest request, UidSet changed) => request.UnchangedSince is { } since && _owned?.Loaded is { Snapshot: var now }
        ? UidSet.FromUids(now.Messages(request.Uids.Except(changed)).Where(m => m.ModSeq > since).Select(static m => m.Uid))
        : UidSet.Empty;

    public ValueTask<MailResult<ExpungeResult>> Expunge(ExpungeRequest request) => Once<ExpungeResult>(request.Operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? _lost;
        UidSet uids = request.Uids ?? UidSet.FromRanges([new UidRange(1, uint.MaxValue)]);
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Kind = CommitKind.Expunge, Mailbox = _key, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Uids = uids, Rows = Math.Min(uids.Cardinality, version.Snapshot.Count), FirstRecent = owned.FirstRecent,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        if (outcome.Status == CommitStatus.Done && !outcome.Uids.IsEmpty)
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, outcome.ModSeq - 1, outcome.ModSeq, [new MessagesExpunged(outcome.ModSeq, outcome.Uids)]));
        return new ExpungeResult(outcome.Uids, outcome.ModSeq);
    });

    public ValueTask<MailResult<CopyResult>> CopyFrom(CopyRequest request) => Once<CopyResult>(request.Operation, async () =>
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Kind = request.Move ? CommitKind.Move : CommitKind.Copy, Mailbox = _key, Source = request.Source, Epoch = owned.Epoch, Tenant = owned.Tenant,
            Id = request.Operation, Actor = request.Actor, Uids = request.Uids, Rows = request.Uids.Cardinality, FirstRecent = owned.FirstRecent,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        MessagesExpunged? taken = outcome.SourceModSeq is { } sourceModSeq ? new MessagesExpunged(sourceModSeq, outcome.SourceUids) : null;
        bool within = request.Source == _key;
        if (outcome.Status == CommitStatus.Done && outcome.Added.Count > 0)
        {
            var added = new MessagesAdded(outcome.ModSeq, outcome.Added);
            long from = taken is not null && within ? taken.ModSeq - 1 : outcome.ModSeq - 1;
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, from, outcome.ModSeq, taken is not null && within ? [taken, added] : [added]));
        }
        // The source's owner publishes before anyone hears OK. Also after an earlier commit: its notice may have been lost.
        if (taken is not null && !within)
            await NoticeAsync(request.Source, new MailboxDelta(outcome.SourceEpoch!.Value, taken.ModSeq - 1, taken.ModSeq, [taken]));
        return new CopyResult(owned.UidValidity, outcome.SourceUids, outcome.Uids, outcome.ModSeq, outcome.SourceModSeq);
    });

    public async ValueTask<MailResult<UidSet>> Vanished(long since)
    {
        try
        {
            return await store.VanishedAsync(_key, since);
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
    }

    public async ValueTask Applied(MailboxDelta delta)
    {
        // Nothing in memory, nothing to put right. A claim that is under way may have read its version before the change.
        if (_claiming is null)
            return;
        (MailboxOwnership? owned, _) = await OwnAsync();
        if (owned is null || delta.Epoch < owned.Epoch)
            return;
        if (delta.Epoch > owned.Epoch)
            Lose();
        else
        {
            try
            {
                await owned.Log.ApplyAsync(delta);
            }
            catch (ClaimLostException)
            {
                // Nothing is answered from this memory any more; the next owner reads the change from the rows.
            }
        }
    }

    public async ValueTask Committed(long epoch, long modSeq)
    {
        if (_owned is not { IsLost: false } owned || owned.Epoch != epoch)
            return;
        try
        {
            await owned.Log.ReachAsync(modSeq, MailboxLimits.Unheard);
        }
        catch (ClaimLostException)
        {
            LogUnheard(_key, modSeq);
        }
    }

    public async ValueTask Unname()
    {
        // Also where a claim is under way, which may have read the name already.
        _nameless = true;
        local.Unname(_key);
        // The rows name an owner, and it is not this activation: should there be another, it must lose its claim before the name changes.
        if (_claiming is null)
            await OwnAsync();
    }

    public ValueTask End(MailboxEnd reason)
    {
        EndNow(reason);
        return ValueTask.CompletedTask;
    }

    /// <summary>An operation that is under way is joined by its retry.</summary>
    private async ValueTask<MailResult<T>> Once<T>(OperationId operation, Func<Task<MailResult<T>>> work, [CallerMemberName] string method = "")
    {
        using Activity? span = MailTraces.Owner(method);
        bool joined = _underWay.TryGetValue(operation, out Task? running) && running is Task<MailResult<T>>;
        Task<MailResult<T>> task = joined ? (Task<MailResult<T>>)running! : work();
        if (!joined)
            _underWay[operation] = task;
        try
        {
            return await task;
        }
        catch (ClaimLostException)
        {
            return _lost;
        }
        finally
        {
            if (!joined)
                _underWay.Remove(operation);
        }
    }

    private async Task<MailResult<CommitOutcome>> CommitAsync(MailboxOwnership owned, CommitOperation operation)
    {
        CommitOutcome outcome;
        using Activity? span = MailTraces.Lane();
        try
        {
            outcome = await lanes.CommitAsync(operation);
        }
        catch (CommitNotDoneException)
        {
            return _away;
        }
        catch (CommitUnknownException e)
        {
            LogUnknown(e, _key);
            Lose();
            return _away;
        }
        switch (outcome.Status)
        {
            case CommitStatus.Done or CommitStatus.DoneBefore or CommitStatus.DeliveredBefore:
                if (outcome.Status == CommitStatus.Done && !outcome.Uids.IsEmpty)
                    owned.FirstRecentSaved(operation.FirstRecent);
                return outcome;
            case CommitStatus.Fenced:
                Lose();
                return _lost;
            case CommitStatus.MailboxGone:
                return EndNow(MailboxEnd.Deleted);
            case CommitStatus.OverQuota:
                return new MailError(MailErrorCode.OverQuota, "The quota would be exceeded.");
            case CommitStatus.BodyGone:
                return new MailError(MailErrorCode.BodyGone, "The upload is no longer there.");
            case CommitStatus.SourceGone:
                return new MailError(MailErrorCode.NonExistent, "The mailbox was deleted.");
            case CommitStatus.Renamed:
                return new MailError(MailErrorCode.Renamed, "The mailbox has another name now.");
            case CommitStatus.TooManyKeywords:
                return new MailError(MailErrorCode.Limit, $"A mailbox holds at most {KeywordTable.MaxKeywords} keywords.");
            default:
                throw new InvalidOperationException($"Status {outcome.Status} of {operation.Kind}.");
        }
    }

    /// <summary>The claim, made once an activation.</summary>
    private async ValueTask<(MailboxOwnership?, MailError?)> OwnAsync()
    {
        if (_end is { } ended)
            return (null, ended);
        if (_owned is { IsLost: true })
            return (null, _lost);
        Task<MailboxOwnership?> claiming = _claiming ??= ClaimAsync();
        try
        {
            MailboxOwnership? owned = await claiming;
            return _end is { } end ? (null, end) : owned is { IsLost: false } ? (owned, null) : (null, _lost);
        }
        catch (Exception e)
        {
            // The next call tries again; of those who waited for this claim only the first may say so.
            if (_claiming == claiming)
                _claiming = null;
            if (e is StoreUnavailableException)
                return (null, _away);
            throw;
        }
    }

    private async Task<MailboxOwnership?> ClaimAsync()
    {
        if (await store.ClaimAsync(_key, silo.SiloAddress.ToParsableString()) is not { } claim)
        {
            EndNow(MailboxEnd.Deleted);
            return null;
        }
        LogClaimed(_key, claim.Epoch);
        register.Add(_key, this, new OwnedMailbox(claim.Epoch, DateTimeOffset.UtcNow, () => _owned?.Loaded is not null, () => _underWay.Count));
        GrainMetrics.Claims.Add(1);
        if (!_nameless && claim.Path is { } path)
            local.Name(_key, claim.Epoch, path);
        return _owned = new MailboxOwnership(claim, new DeltaLog(claim, version =>
        {
            local.Publish(_key, version);
        }, _observers.Push, Lose));
    }

    private async ValueTask<(MailboxVersion?, MailError?)> LoadAsync()
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return (null, error);
        if (owned.Loaded is { } loaded)
            return (loaded, null);
        try
        {
            if (await owned.LoadAsync(() => store.LoadAsync(_key, owned.Epoch)) is not { } version)
            {
                // Another has claimed it, or it is gone: the next activation finds out which.
                Lose();
                return (null, _lost);
            }
            return owned.IsLost ? (null, _lost) : (version, null);
        }
        catch (StoreUnavailableException)
        {
            return (null, _away);
        }
    }

    /// <summary>
    /// Why nothing that was just read from this memory may be answered; null when it may. Asked after the read: a permission from before says nothing about it.
    /// </summary>
    private MailError? Unsure()
    {
        if (!local.MayRead)
            return _unsure;
        // What this activation published was withdrawn: another node has claimed the mailbox.
        if (_owned is { IsLost: false } owned && !(local.TryGet(_key, out MailboxSnapshot? published) && published.Epoch == owned.Epoch) && local.MayRead)
            Lose();
        return _owned is { IsLost: false } ? null : _lost;
    }

    /// <summary>Tells another owner of a committed change until it has heard, or a new owner reads it from the rows.</summary>
    private async Task NoticeAsync(MailboxKey mailbox, MailboxDelta delta)
    {
        IMailboxGrain owner = GrainFactory.GetGrain<IMailboxGrain>(mailbox.ToString());
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await owner.Applied(delta);
                return;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException && attempt < 10)
            {
                LogNoticeRetry(e, mailbox);
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 150) * attempt));
            }
        }
    }

    /// <summary>Ends this activation: its memory may no longer be what is in the rows. The next one claims anew.</summary>
    private void Lose()
    {
        if (_owned is not { IsLost: false } owned)
            return;
        owned.IsLost = true;
        owned.Log.Fail(new ClaimLostException());
        local.Withdraw(_key, owned.Epoch);
        _observers.End(MailboxEnd.OwnerChanged);
        DeactivateOnIdle();
    }

    /// <summary>Ends this activation because of what happened to the mailbox; what its callers are told from now on.</summary>
    private MailError EndNow(MailboxEnd reason)
    {
        if (_end is null)
        {
            // A mailbox that is still there has another owner in a moment.
            _end = reason == MailboxEnd.Deleted ? _gone : _lost;
            if (_owned is { } owned)
            {
                owned.IsLost = true;
                owned.Log.Fail(new ClaimLostException());
            }
            local.Withdraw(_key, long.MaxValue);
            _observers.End(reason);
            DeactivateOnIdle();
        }
        return _end;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Mailbox {Mailbox} is claimed under epoch {Epoch}")]
    private partial void LogClaimed(MailboxKey mailbox, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of a change of mailbox {Mailbox} is unknown; its owner starts anew")]
    private partial void LogUnknown(Exception e, MailboxKey mailbox);

    [LoggerMessage(Level = LogLevel.Information, Message = "Mailbox {Mailbox} was changed up to {ModSeq} without its owner's knowing; it starts anew")]
    private partial void LogUnheard(MailboxKey mailbox, long modSeq);

    [LoggerMessage(Level = LogLevel.Information, Message = "The owner of mailbox {Mailbox} could not be told of a move; trying again")]
    private partial void LogNoticeRetry(Exception e, MailboxKey mailbox);
}

/// <summary>The activation lost its claim while a change waited to be published: what was committed is in the rows, the next owner has it.</summary>
internal sealed class ClaimLostException() : Exception("The claim on the mailbox is over.");
