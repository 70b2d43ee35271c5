using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.Logging;

namespace MailCluster.Grains;

/// <summary>How the mailbox is claimed and loaded, and how that ends.</summary>
public sealed partial class MailboxGrain
{
    /// <summary>How long an activation stays after its last use.</summary>
    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(5);

    /// <summary>Milliseconds between two times that Orleans is told of uses that it does not see.</summary>
    private const long _usedEvery = 60_000;

    private static readonly TimeSpan _toldWithin = TimeSpan.FromSeconds(1);

    private long _usedAt = -_usedEvery;

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

    /// <summary>The claim, made once an activation.</summary>
    private async ValueTask<(MailboxOwnership?, MailError?)> OwnAsync()
    {
        if (_end is { } ended)
            return (null, ended);
        if (_owned is { IsLost: true })
            return (null, Lost);
        Task<MailboxOwnership?> claiming = _claiming ??= ClaimAsync();
        try
        {
            MailboxOwnership? owned = await claiming;
            return _end is { } end ? (null, end) : owned is { IsLost: false } ? (owned, null) : (null, Lost);
        }
        catch (Exception e)
        {
            // The next call tries again; of those who waited for this claim only the first may say so.
            if (_claiming == claiming)
                _claiming = null;
            if (e is StoreUnavailableException)
                return (null, Away);
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
        await WithdrawAsync(claim);
        register.Add(_key, this, new OwnedMailbox(claim.Epoch, DateTimeOffset.UtcNow, () => _owned?.Loaded is not null, () => _underWay.Count, _observers.Renew));
        GrainMetrics.Claims.Add(1);
        if (!_nameless && claim.Path is { } path)
            local.Name(_key, claim.Epoch, path);
        MailboxOwnership owned = _owned = new MailboxOwnership(claim, new DeltaLog(claim, version => local.Publish(_key, version), _observers.Push, Changed, () => InTurn(Lose)));
        local.Lend(_key, claim.Epoch, new LocalOwner(_key, owned, lanes, ids, _underWay, ConcludeInTurn, Used));
        return owned;

        Task<MailResult<CommitOutcome>> ConcludeInTurn(CommitOperation operation, Task<CommitOutcome> committed) =>
            Task.Factory.StartNew(() => ConcludeAsync(owned, operation, () => committed), CancellationToken.None, TaskCreationOptions.None, _turns).Unwrap();
    }

    /// <summary>
    /// Another activation may have had the claim until now: while silos come and go the directory of grains can lose one that lives. It writes nothing any more, and its silo must read nothing more of what it
    /// has published, before anything is answered here. One that is silent for a second is dead or cut off.
    /// </summary>
    private async Task WithdrawAsync(MailboxClaim claim)
    {
        if (claim.Previous is not { } previous)
            return;
        local.Withdraw(_key, claim.Epoch - 1);
        if (previous == silo.SiloAddress.ToParsableString() || silos.GetApproximateSiloStatus(SiloAddress.FromParsableString(previous)) != SiloStatus.Active)
            return;
        try
        {
            await GrainFactory.GetGrain<ILeaseDesk>(previous).Withdraw(_key, claim.Epoch - 1).AsTask().WaitAsync(_toldWithin);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogNotWithdrawn(e, _key, previous);
        }
    }

    /// <summary>
    /// For news of another's claim where this activation has none: if the row names an owner that may live, that is an activation which calls do not reach. It loses its claim to this one.
    /// </summary>
    private async ValueTask TakeOverAsync()
    {
        if (await store.OwnerAsync(_key) is { } owner && !silos.IsDeadSilo(SiloAddress.FromParsableString(owner)))
            await OwnAsync();
    }

    /// <summary>Any thread.</summary>
    private void Changed()
    {
        if (!_reports.AreUnwanted)
            InTurn(_reports.Changed);
    }

    /// <summary>A door of this process makes a change. Calls alone tell Orleans that this activation is in use. Any thread.</summary>
    private void Used()
    {
        long now = Environment.TickCount64, told = Volatile.Read(ref _usedAt);
        if (now - told > _usedEvery && Interlocked.CompareExchange(ref _usedAt, now, told) == told)
            InTurn(() => DelayDeactivation(_keptFor));
    }

    /// <summary>At once where it is a turn of this owner, else as a turn of its own.</summary>
    private void InTurn(Action action)
    {
        if (TaskScheduler.Current == _turns)
            action();
        else
            Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.None, _turns).Ignore();
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
                return (null, Lost);
            }
            return owned.IsLost ? (null, Lost) : (version, null);
        }
        catch (StoreUnavailableException)
        {
            return (null, Away);
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
        return _owned is { IsLost: false } ? null : Lost;
    }

    /// <summary>Ends this activation: its memory may no longer be what is in the rows. The next one claims anew.</summary>
    private void Lose()
    {
        if (_owned is not { IsLost: false } owned)
            return;
        owned.End();
        local.Withdraw(_key, owned.Epoch);
        _observers.End(MailboxEnd.OwnerChanged);
        // What was committed of which this memory does not know, the row does.
        _reports.Changed();
        DeactivateOnIdle();
    }

    /// <summary>Ends this activation because of what happened to the mailbox; what its callers are told from now on.</summary>
    private MailError EndNow(MailboxEnd reason)
    {
        if (_end is null)
        {
            // A mailbox that is still there has another owner in a moment.
            _end = reason == MailboxEnd.Deleted ? _gone : Lost;
            _owned?.End();
            local.Withdraw(_key, long.MaxValue);
            _observers.End(reason);
            DeactivateOnIdle();
        }
        return _end;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo}, which had mailbox {Mailbox}, could not be told that it has not any more")]
    private partial void LogNotWithdrawn(Exception e, MailboxKey mailbox, string silo);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Mailbox {Mailbox} is claimed under epoch {Epoch}")]
    private partial void LogClaimed(MailboxKey mailbox, long epoch);
}
