using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>Asking the owner.</summary>
internal sealed partial class MailboxReplica
{
    /// <summary>
    /// Joins the next round of asking. A round that has already begun may have been answered before the caller's command came, so it proves
    /// nothing to it: at most one round runs and one waits.
    /// </summary>
    private async ValueTask<MailResult<MailboxSnapshot>> AskAsync(CommandWait wait)
    {
        Task<MailResult<MailboxSnapshot>> round;
        bool start = false;
        lock (_gate)
        {
            _next ??= new TaskCompletionSource<MailResult<MailboxSnapshot>>(TaskCreationOptions.RunContinuationsAsynchronously);
            round = _next.Task;
            if (!_running)
                start = _running = true;
        }
        if (start)
            _ = RunRoundsAsync();
        // A round that runs and the next one may each take as long as a call may: who waits for both waits no longer than for one.
        long asked = _all.Cluster.Time.GetTimestamp();
        await ((Task)round).WaitAsync(wait.Of(_all.Cluster.Options.RetryFor), _all.Cluster.Time, wait.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        wait.Add(_all.Cluster.Time.GetElapsedTime(asked));
        return round.IsCompleted ? await round.ConfigureAwait(false) : wait.Ended.IsCancellationRequested ? MailClusterClient.Closed : MailClusterClient.Away;
    }

    /// <summary>Never on the caller's thread: it may be an owner's, from whose context other owners must not be called.</summary>
    private Task AskInBackground() => Task.Run(() => AskAsync(new CommandWait(CancellationToken.None)).AsTask());

    private async Task RunRoundsAsync()
    {
        while (true)
        {
            TaskCompletionSource<MailResult<MailboxSnapshot>> round;
            lock (_gate)
            {
                if (_next is null)
                {
                    _running = false;
                    return;
                }
                round = _next;
                _next = null;
            }
            try
            {
                MailResult<MailboxSnapshot> result = await CatchUpAsync().ConfigureAwait(false);
                ClusterMetrics.Syncs.Add(1, new KeyValuePair<string, object?>("outcome", result.Error?.Code.ToString() ?? "Ok"));
                round.SetResult(result);
            }
            catch (Exception e)
            {
                LogFailed(e, Key);
                round.SetException(e);
                _ = round.Task.Exception;
            }
        }
    }

    private async ValueTask<MailResult<MailboxSnapshot>> CatchUpAsync()
    {
        MailClusterClient cluster = _all.Cluster;
        // StaleEpoch inside means that the version went away between two calls; the whole is then begun again.
        MailResult<MailboxSnapshot> result = await cluster.CallAsync(CatchUpOnceAsync, _all.Stopped).ConfigureAwait(false);
        if (result.Error?.Code == MailErrorCode.MailboxGone)
        {
            OnEnded(MailboxEnd.Deleted);
            return EndError!;
        }
        return result;
    }

    private async ValueTask<MailResult<MailboxSnapshot>> CatchUpOnceAsync()
    {
        if (EndError is { } ended)
            return ended;
        MailboxSnapshot? known = Current;
        MailResult<SyncReply> answer = await _owner.Sync(known?.Epoch ?? 0, known?.ModSeq ?? 0, _all.Reference).ConfigureAwait(false);
        if (answer.Error is { } error)
            return error;
        SyncReply reply = answer.Value!;
        if (known is not null && reply.Epoch < known.Epoch)
            return new MailError(MailErrorCode.StaleEpoch, "An owner answered that has lost its claim.");
        _silo = reply.Silo;
        Volatile.Write(ref _called, _all.Cluster.Time.GetTimestamp());
        Volatile.Write(ref _renewed, _called);
        // With jitter, so that the mailboxes of a process don't renew in one burst.
        _renewAfter = RenewEvery * (0.8 + (0.2 * Random.Shared.NextDouble()));

        if (reply.Reload is { } chunks)
            return await ReloadAsync(reply, chunks).ConfigureAwait(false);
        if (known is null)
        {
            // An empty mailbox, or one whose whole history fits in the deltas.
            Adopt(MailboxSnapshot.Of(reply.Epoch, reply.Deltas is [var first, ..] ? first.FromModSeq : reply.ModSeq, 1, KeywordTable.Empty, [], reply.UidValidity));
        }
        else if (reply.Epoch > known.Epoch)
        {
            // The new owner knows the version of the old one: the same messages under its own epoch.
            Adopt(known.Under(reply.Epoch, reply.UidValidity));
        }
        foreach (MailboxDelta delta in reply.Deltas)
            Apply(delta);
        MailboxSnapshot now = Current!;
        if (IsNewer(reply.Epoch, reply.ModSeq, now))
            return new MailError(MailErrorCode.StaleEpoch, "The owner's changes do not lead to its version.");
        if (now.Epoch == reply.Epoch && now.ModSeq == reply.ModSeq && now.UidNext < reply.UidNext)
            now = RaiseUidNext(now, reply.UidNext);
        return now;
    }

    private async ValueTask<MailResult<MailboxSnapshot>> ReloadAsync(SyncReply reply, int chunks)
    {
        var loaded = new List<MessageChunk>(chunks);
        KeywordTable keywords = KeywordTable.Empty;
        while (loaded.Count < chunks)
        {
            int count = Math.Min(_all.Cluster.Options.ChunksPerPage, chunks - loaded.Count);
            MailResult<SnapshotPage> page = await _owner.GetChunks(reply.Epoch, reply.ModSeq, loaded.Count, count).ConfigureAwait(false);
            if (page.Error is { } error)
                return error;
            if (page.Value!.Chunks.Count == 0)
                return new MailError(MailErrorCode.StaleEpoch, "The owner has fewer chunks than it said.");
            keywords = page.Value.Keywords;
            loaded.AddRange(page.Value.Chunks);
        }
        return Adopt(MailboxSnapshot.Of(reply.Epoch, reply.ModSeq, reply.UidNext, keywords, loaded, reply.UidValidity, reply.Sharing));
    }

    /// <summary>UIDNEXT may rise without a message that stays: one that was added and removed since.</summary>
    private MailboxSnapshot RaiseUidNext(MailboxSnapshot now, uint uidNext)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_current, now))
                return _current!;
            MailboxSnapshot raised = now.WithUidNext(uidNext);
            Volatile.Write(ref _current, raised);
            return raised;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Mailbox {Mailbox} could not be brought up to date")]
    private partial void LogFailed(Exception exception, MailboxKey mailbox);
}
