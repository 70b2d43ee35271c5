using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
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
    MailboxStore store, CommitLanes lanes, IdBlocks ids, ILocalMailboxes local, OwnedMailboxes register, ILocalSiloDetails silo, ISiloStatusOracle silos, IOptions<AccountOptions> options,
    ILogger<MailboxGrain> log) : Grain, IMailboxGrain, IWatchedMailbox
{
    private static readonly MailError _gone = new(MailErrorCode.MailboxGone, "The mailbox was deleted.");
    internal static readonly MailError Lost = new(MailErrorCode.StaleEpoch, "The mailbox has moved to another node.");
    internal static readonly MailError Away = new(MailErrorCode.Unavailable, "The mail store cannot be reached now.");

    private static readonly MailError _unsure = new(MailErrorCode.Unavailable, "This node is not sure to be a member of the cluster now.");

    private readonly ConcurrentDictionary<OperationId, Task> _underWay = [];
    private MailboxKey _key;
    private TaskScheduler _turns = null!;
    private MailboxObservers _observers = null!;
    private MailboxReports _reports = null!;
    private Task<MailboxOwnership?>? _claiming;
    private MailboxOwnership? _owned;
    private MailError? _end;
    private bool _nameless;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = MailboxKey.Parse(this.GetPrimaryKeyString());
        _turns = TaskScheduler.Current;
        _observers = new MailboxObservers(_key, local, log);
        _reports = new MailboxReports(ReportAsync, log);
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
        // What doors of this process have under way is published no more; their retry asks the next owner.
        owned.End();
        local.Withdraw(_key, owned.Epoch);
        // A silo that stops gives thousands of claims back by being dead.
        if (reason.ReasonCode != DeactivationReasonCode.ShuttingDown || owned.FirstRecentIsDirty)
            await store.ReleaseAsync(_key, owned.Epoch, owned.FirstRecent, cancellationToken);
    }

    public ValueTask<MailResult<AppendResult>> Append(AppendRequest request) => Once(
        request.Operation, () => AppendAsync(request), null, static done => new AppendResult(done.UidValidity ?? 0, done.Uids, done.ModSeq, false));

    private async Task<MailResult<AppendResult>> AppendAsync(AppendRequest request)
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        (MailRights rights, MailError? notPermitted) = await MayAsync(owned, request.Actor, request.Actor.Account == MailboxAcl.Anyone ? MailRights.Post : MailRights.Insert);
        if (notPermitted is not null)
            return notPermitted;
        if (MayAnnotate(request.Messages.SelectMany(static m => m.Annotations ?? []), rights) is { } notAnnotated)
            return notAnnotated;
        IReadOnlyList<NewMessage> messages = Permitted((request.Unfiltered ? request.Sealed() : request).Messages, rights);
        AccountId? viewer = ViewerOf(_key, request.Actor, _key.Account);
        if (await EmailsAsync(messages.Count) is not { } emails)
            return Away;
        MailResult<CommitOutcome> result = await CommitAsync(owned, MailboxChanges.Append(_key, owned, request, messages, viewer, emails, AnnotationBounds));
        return result.Error is { } refused ? refused : MailboxChanges.Appended(owned, result.Value!);
    }

    public ValueTask<MailResult<StoreResult>> Store(StoreRequest request) => Once<StoreResult>(request.Operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? Lost;
        (MailRights rights, MailError? unsure) = await RightsAsync(owned, request.Actor.Account);
        if (unsure is not null)
            return unsure;
        FlagMask mask = rights.Flags();
        if (!mask.Touches(request.Mode, request.Flags))
            return Refusal(rights);
        CommitOperation operation = MailboxChanges.Store(_key, owned, version, request, mask, ViewerOf(_key, request.Actor, _key.Account));
        MailResult<CommitOutcome> result = await CommitAsync(owned, operation);
        return result.Error is { } refused ? refused : MailboxChanges.Stored(owned, operation, result.Value!);
    });

    public ValueTask<MailResult<ExpungeResult>> Expunge(ExpungeRequest request) =>
        ExpungeAsync(CommitKind.Expunge, request.Operation, request.Actor, request.Uids ?? UidSet.All);

    public ValueTask<MailResult<ExpungeResult>> Remove(RemoveRequest request) => ExpungeAsync(CommitKind.Remove, request.Operation, request.Actor, request.Uids);

    private ValueTask<MailResult<ExpungeResult>> ExpungeAsync(CommitKind kind, OperationId operation, Actor actor, UidSet uids) => Once<ExpungeResult>(operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? Lost;
        if (await MayAsync(owned, actor, kind == CommitKind.Remove ? MailRights.Expunge | MailRights.DeleteMessages : MailRights.Expunge) is (_, { } notPermitted))
            return notPermitted;
        MailResult<CommitOutcome> result = await CommitAsync(owned, MailboxChanges.Expunge(_key, owned, version, kind, operation, actor, uids));
        return result.Error is { } refused ? refused : MailboxChanges.Expunged(result.Value!);
    });

    public ValueTask<MailResult<ReplaceResult>> Replace(ReplaceRequest request) => Once(
        request.Operation, () => ReplaceAsync(request), request.Source, static done => new ReplaceResult(done.UidValidity ?? 0, done.Uids[0].First, done.ModSeq, done.SourceModSeq ?? 0));

    private async Task<MailResult<ReplaceResult>> ReplaceAsync(ReplaceRequest request)
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        (MailRights rights, MailError? notPermitted) = await MayAsync(owned, request.Actor, MailRights.Insert);
        if ((notPermitted ?? await MayTakeAsync(request.Source, request.Actor, move: true)) is { } notAllowed)
            return notAllowed;
        if (MayAnnotate(request.Message.Annotations ?? [], rights) is { } notAnnotated)
            return notAnnotated;
        IReadOnlyList<NewMessage> messages = Permitted([request.Message], rights);
        AccountId? viewer = ViewerOf(_key, request.Actor, _key.Account);
        if (await EmailsAsync(1) is not { } emails)
            return Away;
        var operation = new CommitOperation
        {
            Kind = CommitKind.Replace, Mailbox = _key, Source = request.Source, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Viewer = viewer, Messages = messages, Emails = emails, Uids = UidSet.Single(request.Uid), Path = request.Path, FirstRecent = owned.FirstRecent,
            AnnotationLimits = AnnotationBounds,
        };
        MailResult<CommitOutcome> result = await CommitAsync(owned, operation);
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        await PublishAsync(owned, request.Source, outcome, outcome.Status == CommitStatus.Done ? MailboxChanges.Added(operation, outcome) : null);
        return new ReplaceResult(owned.UidValidity, outcome.Uids[0].First, outcome.ModSeq, outcome.SourceModSeq!.Value);
    }

    public ValueTask<MailResult<CopyResult>> CopyFrom(CopyRequest request) => Once(
        request.Operation, () => CopyAsync(request), request.Source, static done => new CopyResult(done.UidValidity ?? 0, done.SourceUids, done.Uids, done.ModSeq, done.SourceModSeq));

    private async Task<MailResult<CopyResult>> CopyAsync(CopyRequest request)
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        (MailRights rights, MailError? notPermitted) = await MayAsync(owned, request.Actor, MailRights.Insert);
        if ((notPermitted ?? await MayTakeAsync(request.Source, request.Actor, request.Move)) is { } notAllowed)
            return notAllowed;
        AccountId? viewer = ViewerOf(_key, request.Actor, _key.Account);
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Viewer = viewer, SourceViewer = ViewerOf(request.Source, request.Actor, _key.Account), Mask = rights.Flags(),
            Kind = request.Move ? CommitKind.Move : CommitKind.Copy, Mailbox = _key, Source = request.Source, Epoch = owned.Epoch, Tenant = owned.Tenant,
            Id = request.Operation, Actor = request.Actor, Uids = request.Uids, Rows = request.Uids.Cardinality, FirstRecent = owned.FirstRecent,
            SharesAnnotations = rights.Has(MailRights.Annotate), AnnotationLimits = AnnotationBounds,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        await PublishAsync(owned, request.Source, outcome,
            outcome.Status == CommitStatus.Done && outcome.Added.Count > 0 ? new MessagesAdded(outcome.ModSeq, outcome.Added, viewer, outcome.Modified) : null);
        return new CopyResult(owned.UidValidity, outcome.SourceUids, outcome.Uids, outcome.ModSeq, outcome.SourceModSeq);
    }

    /// <summary>Publishes what came in here, and what a source lost by the same commit.</summary>
    /// <param name="added">Null where nothing came, or it came by an earlier commit.</param>
    private async Task PublishAsync(MailboxOwnership owned, MailboxKey source, CommitOutcome outcome, MessagesAdded? added)
    {
        MessagesExpunged? taken = outcome.SourceModSeq is { } sourceModSeq ? new MessagesExpunged(sourceModSeq, outcome.SourceUids) : null;
        bool within = taken is not null && source == _key;
        if (added is not null)
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, within ? taken!.ModSeq - 1 : added.ModSeq - 1, added.ModSeq, within ? [taken!, added] : [added]));
        // The source's owner publishes before anyone hears OK. Also after an earlier commit: its notice may have been lost.
        if (taken is not null && !within)
            await NoticeAsync(source, outcome.SourceEpoch, taken);
    }

    /// <param name="epoch">The source's; null: it was deleted.</param>
    private ValueTask NoticeAsync(MailboxKey source, long? epoch, MessagesExpunged taken) =>
        epoch is { } current ? new(NoticeAsync(source, new MailboxDelta(current, taken.ModSeq - 1, taken.ModSeq, [taken]))) : ValueTask.CompletedTask;

    /// <summary>Messages with the flags that may be set; the others are left out (RFC 4314 §4).</summary>
    private static IReadOnlyList<NewMessage> Permitted(IReadOnlyList<NewMessage> messages, MailRights rights)
    {
        FlagMask mask = rights.Flags();
        return mask == FlagMask.All ? messages : [.. messages.Select(m => m with { Flags = mask.Of(m.Flags) })];
    }

    /// <summary>Ids for new emails; null: PostgreSQL can't be reached.</summary>
    private async ValueTask<long[]?> EmailsAsync(int count)
    {
        try
        {
            return await ids.NextAsync(count);
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    public async ValueTask Applied(MailboxDelta delta)
    {
        // Nothing in memory, nothing to put right. A claim that is under way may have read its version before the change.
        if (_claiming is null)
        {
            try
            {
                await TakeOverAsync();
            }
            catch (StoreUnavailableException)
            {
                throw new TimeoutException("PostgreSQL cannot be reached.");
            }
            return;
        }
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
        if (_claiming is null)
        {
            try
            {
                await TakeOverAsync();
            }
            catch (StoreUnavailableException)
            {
                // It is looked at again.
            }
            return;
        }
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

    public ValueTask Watched()
    {
        _reports.Watched();
        return ValueTask.CompletedTask;
    }

    private ValueTask<bool> ReportAsync() => GrainFactory.GetGrain<IAccountEvents>(_key.Account.Value).Heard(
        _key.Mailbox, _owned is { IsLost: false, Loaded.Snapshot: var version } ? version.ToStatus(_key.Mailbox) : null);

    /// <summary>
    /// As <see cref="Once{T}(OperationId, Func{Task{MailResult{T}}}, string)"/>. A repetition may come where it may do nothing any more (the mailbox was deleted, rights were withdrawn), and does not get to
    /// the lane, which would tell it what an earlier try has done: the rows do.
    /// </summary>
    /// <param name="source">Where messages are taken from.</param>
    private ValueTask<MailResult<T>> Once<T>(
        OperationId operation, Func<Task<MailResult<T>>> work, MailboxKey? source, Func<OperationOutcome, MailResult<T>> before, [CallerMemberName] string method = "") => Once(operation, async () =>
    {
        MailResult<T> result = await work();
        if (result.Error is not { NotDone: false, Code: MailErrorCode.MailboxGone or MailErrorCode.NonExistent or MailErrorCode.NoPermission } refused)
            return result;
        try
        {
            if (await store.OutcomeAsync(_key, operation, source) is not { } outcome)
                return refused with { NotDone = true };
            // As after the commit: its notice may have been lost.
            if (source is { } from && from != _key && outcome.SourceModSeq is { } modSeq)
                await NoticeAsync(from, outcome.SourceEpoch, new MessagesExpunged(modSeq, outcome.SourceUids));
            return before(outcome);
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }, method);

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
            return Lost;
        }
        finally
        {
            if (!joined)
                _underWay.TryRemove(operation, out _);
        }
    }

    /// <summary>Commits, and publishes what came of it here alone (<see cref="MailboxChanges.Delta"/>).</summary>
    private async Task<MailResult<CommitOutcome>> CommitAsync(MailboxOwnership owned, CommitOperation operation)
    {
        using Activity? span = MailTraces.Lane();
        MailResult<CommitOutcome> result = await ConcludeAsync(owned, operation, () => lanes.CommitAsync(operation));
        if (result.Value is { } outcome && MailboxChanges.Delta(owned, operation, outcome) is { } delta)
            await owned.Log.ApplyAsync(delta);
        return result;
    }

    /// <summary>What the outcome of a commit means for this owner, and for who asked for it.</summary>
    private async Task<MailResult<CommitOutcome>> ConcludeAsync(MailboxOwnership owned, CommitOperation operation, Func<Task<CommitOutcome>> committing)
    {
        CommitOutcome outcome;
        try
        {
            outcome = await committing();
        }
        catch (CommitNotDoneException)
        {
            return Away;
        }
        catch (CommitUnknownException e)
        {
            LogUnknown(e, _key);
            Lose();
            return Away;
        }
        switch (outcome.Status)
        {
            case CommitStatus.Done or CommitStatus.DoneBefore or CommitStatus.DeliveredBefore:
                if (outcome.Status == CommitStatus.Done && !outcome.Uids.IsEmpty)
                    owned.FirstRecentSaved(operation.FirstRecent);
                return outcome;
            case CommitStatus.Fenced:
                Lose();
                return Lost;
            case CommitStatus.MailboxGone:
                EndNow(MailboxEnd.Deleted);
                // The commit has looked for what was done before.
                return _gone with { NotDone = true };
            case CommitStatus.OverQuota:
                return new MailError(MailErrorCode.OverQuota, "The quota would be exceeded.");
            case CommitStatus.BodyGone:
                return new MailError(MailErrorCode.BodyGone, "The upload is no longer there.");
            case CommitStatus.SourceGone:
                return new MailError(MailErrorCode.NonExistent, "The mailbox was deleted.", NotDone: true);
            case CommitStatus.Renamed:
                return new MailError(MailErrorCode.Renamed, "The mailbox has another name now.");
            case CommitStatus.Filtered:
                return new MailError(MailErrorCode.Filtered, "Filters have to decide what becomes of the message.");
            case CommitStatus.MessageGone:
                return new MailError(MailErrorCode.MessageGone, "The message was expunged.");
            case CommitStatus.TooManyAnnotations:
                return new MailError(MailErrorCode.TooManyMessageAnnotations, $"A message has at most {options.Value.MaxMessageAnnotations} annotations.");
            case CommitStatus.TooManyKeywords:
                return new MailError(MailErrorCode.Limit, $"A mailbox holds at most {KeywordTable.MaxKeywords} keywords.");
            default:
                throw new InvalidOperationException($"Status {outcome.Status} of {operation.Kind}.");
        }
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of a change of mailbox {Mailbox} is unknown; its owner starts anew")]
    private partial void LogUnknown(Exception e, MailboxKey mailbox);

    [LoggerMessage(Level = LogLevel.Information, Message = "Mailbox {Mailbox} was changed up to {ModSeq} without its owner's knowing; it starts anew")]
    private partial void LogUnheard(MailboxKey mailbox, long modSeq);

    [LoggerMessage(Level = LogLevel.Information, Message = "The owner of mailbox {Mailbox} could not be told of a move; trying again")]
    private partial void LogNoticeRetry(Exception e, MailboxKey mailbox);
}

/// <summary>The activation lost its claim while a change waited to be published: what was committed is in the rows, the next owner has it.</summary>
internal sealed class ClaimLostException() : Exception("The claim on the mailbox is over.");
