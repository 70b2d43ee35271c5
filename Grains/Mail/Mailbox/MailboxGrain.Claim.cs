using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.Logging;

namespace MailCluster.Grains;

/// <summary>How the mailbox is claimed and loaded, and how that ends.</summary>
public sealed partial class MailboxGrain
{
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
        register.Add(_key, this, new OwnedMailbox(claim.Epoch, DateTimeOffset.UtcNow, () => _owned?.Loaded is not null, () => _underWay.Count, _observers.Renew));
        GrainMetrics.Claims.Add(1);
        if (!_nameless && claim.Path is { } path)
            local.Name(_key, claim.Epoch, path);
        return _owned = new MailboxOwnership(claim, new DeltaLog(claim, version =>
        {
            local.Publish(_key, version);
        }, _observers.Push, _reports.Changed, Lose));
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

    /// <summary>Ends this activation: its memory may no longer be what is in the rows. The next one claims anew.</summary>
    private void Lose()
    {
        if (_owned is not { IsLost: false } owned)
            return;
        owned.IsLost = true;
        owned.Log.Fail(new ClaimLostException());
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
}
