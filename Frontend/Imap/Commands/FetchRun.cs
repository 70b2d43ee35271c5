using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using MailCluster.Net;

namespace MailCluster.Imap.Commands;

/// <summary>One FETCH: its messages in their order, in batches of which the next ones are loaded while one is written.</summary>
internal sealed class FetchRun
{
    /// <summary>Batches that are read while one is written: finding them takes PostgreSQL longer than all the rest, and it finds two at a time.</summary>
    private const int Ahead = 2;

    /// <summary>Messages whose annotations are read at once: some 5 MB at most.</summary>
    private const int AnnotatedBatch = 50;

    private readonly ImapSession _session;
    private readonly Selected _state;
    private readonly FetchArguments _arguments;
    private readonly bool _uid;
    private readonly FetchAnswer _answer;
    private readonly MessageBatches _batches;

    /// <summary>Messages whose new \Seen the client has not been told yet.</summary>
    private UidSet _untold = UidSet.Empty;
    private bool _missing;
    private bool _unknownEncoding;

    public FetchRun(ImapSession session, Selected state, FetchArguments arguments, bool uid)
    {
        (_session, _state, _arguments, _uid) = (session, state, arguments, uid);
        _answer = new FetchAnswer(session, state, arguments.Attributes, uid);
        _batches = new MessageBatches(session.Cluster.Bodies, state.Mailbox.Key.Account);
    }

    /// <summary>From the highest UID to the lowest: where a limit leaves the lowest ones out (RFC 9738 §3.1).</summary>
    public bool NewestFirst { get; init; }

    private MailboxSnapshot View => _state.Mailbox.Messages.Messages;

    public async ValueTask<Completion> RunAsync(UidSet named)
    {
        IEnumerable<MessageRef> messages = View.Messages(named);
        if (_arguments.ChangedSince is { } since)
            messages = messages.Where(m => m.ModSeq > since);
        if (_arguments.Places is { } places)
        {
            MessageRef[] all = [.. messages];
            (int start, int length) = places.Of(all.Length);
            messages = new ArraySegment<MessageRef>(all, start, length);
        }
        if (NewestFirst)
            messages = messages.Reverse();
        MailError? error = null;
        if (_answer.NeedsAnnotations && !_answer.NeedsBytes && !_answer.NeedsContent)
            await FromAnnotationsAsync(messages);
        else if (_answer.NeedsBytes || _answer.NeedsAnnotations)
            error = await FromStoreAsync(messages);
        else if (_answer.NeedsContent)
            await FromWrittenAsync(messages);
        else
            await FromViewAsync(messages);
        if (error is not null)
            return error;
        if (_unknownEncoding)
            return Completion.No("UNKNOWN-CTE", "A part has a transfer encoding that is not known");
        // A UID that does not exist is no error (RFC 9051 §6.4.9); a number was promised.
        if (_missing && !_uid)
            return Completion.No("EXPUNGEISSUED", "Some of the messages no longer exist");
        return Completion.Done;
    }

    private async ValueTask FromViewAsync(IEnumerable<MessageRef> messages)
    {
        ConnectionOutput output = _session.Connection.Output;
        foreach (MessageRef message in messages)
        {
            // A ghost of which nothing was ever loaded.
            if (message.Email == default || !_answer.Write(message))
                _missing = true;
            if (output.ShouldFlush)
                await _session.FlushIfFullAsync();
        }
    }

    private async ValueTask FromWrittenAsync(IEnumerable<MessageRef> messages)
    {
        ConnectionOutput output = _session.Connection.Output;
        var written = new WrittenBatches(_session.Cluster.Bodies, _state.Mailbox.Key.Account, _answer.ContentItems, _session.Reply.Charset);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_session.Gone);
        using IEnumerator<WrittenBatches.Batch> batches = WrittenBatches.Split(messages).GetEnumerator();
        var loading = new Queue<(IReadOnlyList<MessageRef> Messages, Task<WrittenBatch> Items)>();
        try
        {
            Load();
            while (loading.TryPeek(out (IReadOnlyList<MessageRef> Messages, Task<WrittenBatch> Items) batch))
            {
                WrittenBatch items = await _session.PatientAsync(new ValueTask<WrittenBatch>(batch.Items), "Still fetching");
                _ = loading.Dequeue();
                Load();
                for (int i = 0; i < batch.Messages.Count; i++)
                {
                    _missing |= !_answer.Write(batch.Messages[i], items, i);
                    if (output.ShouldFlush)
                        await _session.FlushIfFullAsync();
                }
            }
        }
        finally
        {
            if (loading.Count > 0)
            {
                await stop.CancelAsync();
                await ((Task)Task.WhenAll(loading.Select(static b => b.Items))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        void Load()
        {
            while (loading.Count < Ahead && batches.MoveNext())
                loading.Enqueue((batches.Current.Messages, written.LoadAsync(batches.Current, stop.Token)));
        }
    }

    /// <summary>Annotations (RFC 5257), and what the view has.</summary>
    private async ValueTask FromAnnotationsAsync(IEnumerable<MessageRef> messages)
    {
        foreach (MessageRef[] batch in messages.Chunk(AnnotatedBatch))
        {
            ILookup<uint, MessageAnnotation> annotations = await AnnotationsAsync(batch);
            foreach (MessageRef message in batch)
            {
                if (message.Email == default)
                    _missing = true;
                else if (_answer.Find([.. annotations[message.Uid]]) is { } found)
                    await _answer.WriteAsync(message, found, withFlags: false);
                await _session.FlushIfFullAsync();
            }
        }
    }

    private async ValueTask<ILookup<uint, MessageAnnotation>> AnnotationsAsync(IEnumerable<MessageRef> messages)
    {
        // NOTIFY and UPDATE may have asked where there are none.
        if (_session.Services.Annotations is not { } annotations)
            return Array.Empty<MessageAnnotation>().ToLookup(static a => a.Uid);
        Task<IReadOnlyList<MessageAnnotation>> read = annotations.ListAsync(
            _state.Mailbox.Key, _state.User.Settings.Account, UidSet.FromUids(messages.Select(static m => m.Uid)), _session.Gone);
        return (await _session.PatientAsync(new ValueTask<IReadOnlyList<MessageAnnotation>>(read), "Still fetching")).ToLookup(static a => a.Uid);
    }

    private async ValueTask<MailError?> FromStoreAsync(IEnumerable<MessageRef> messages)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_session.Gone);
        using IEnumerator<IReadOnlyList<MessageRef>> batches = MessageBatches.Split(messages).GetEnumerator();
        var loading = new Queue<Task<IReadOnlyList<LoadedMessage>>>();
        try
        {
            Load();
            while (loading.TryPeek(out Task<IReadOnlyList<LoadedMessage>>? next))
            {
                IReadOnlyList<LoadedMessage> batch = await _session.PatientAsync(new ValueTask<IReadOnlyList<LoadedMessage>>(next), "Still fetching");
                _ = loading.Dequeue();
                Load();
                if (_answer.SetsSeen && await MarkSeenAsync(batch) is { } error)
                    return error;
                await AnswerWithSectionsAsync(batch);
            }
            return null;
        }
        finally
        {
            TellUntold();
            if (loading.Count > 0)
            {
                await stop.CancelAsync();
                await ((Task)Task.WhenAll(loading)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        void Load()
        {
            while (loading.Count < Ahead && batches.MoveNext())
                loading.Enqueue(_batches.LoadAsync(batches.Current, _answer.NeedsContent, bodies: true, stop.Token));
        }
    }

    private async ValueTask AnswerWithSectionsAsync(IReadOnlyList<LoadedMessage> batch)
    {
        Task<FetchedSections>? ahead = null;
        ILookup<uint, MessageAnnotation>? annotations = null;
        try
        {
            for (int i = 0; i < batch.Count; i++)
            {
                FetchedSections sections = await FoundAsync(ahead is null ? _answer.FindAsync(batch[i], _session.Gone) : new ValueTask<FetchedSections>(ahead));
                // The beginning of the next is on its way while the client takes this one.
                ahead = i + 1 < batch.Count && batch[i + 1].Bytes is { IsInMemory: false } ? _answer.FindAsync(batch[i + 1], _session.Gone).AsTask() : null;
                if (_answer.NeedsAnnotations && !sections.IsMissing)
                {
                    if (i % AnnotatedBatch == 0 || annotations is null)
                        annotations = await AnnotationsAsync(batch.Skip(i).Take(AnnotatedBatch).Select(static m => m.Row));
                    sections = _answer.With(sections, [.. annotations[batch[i].Row.Uid]]);
                }
                await AnswerWithSectionsAsync(batch[i], sections);
            }
        }
        finally
        {
            // After a failure: nobody looks at it any more.
            if (ahead is not null)
                await ((Task)ahead).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        static async ValueTask<FetchedSections> FoundAsync(ValueTask<FetchedSections> finding)
        {
            try
            {
                return await finding;
            }
            catch (BodyGoneException)
            {
                return FetchedSections.Missing;
            }
        }
    }

    private async ValueTask AnswerWithSectionsAsync(LoadedMessage loaded, FetchedSections sections)
    {
        if (sections.IsMissing || !View.TryFind(loaded.Row.Uid, out MessageRef message))
        {
            _missing = true;
            return;
        }
        _unknownEncoding |= sections.UnknownEncoding;
        bool withFlags = _untold.Contains(message.Uid);
        loaded.Bytes!.HasBegunToLeave = true;
        try
        {
            await _answer.WriteAsync(message, sections, withFlags);
        }
        catch (Exception e) when (e is not ConnectionClosedException)
        {
            // A part of the answer may have left: whatever came now would be read as the rest of a literal.
            _session.Connection.Abort("a message could not be read to its end");
            throw new ConnectionClosedException("A message could not be read to its end", e);
        }
        if (withFlags)
            _untold = _untold.Except(UidSet.Single(message.Uid));
        await _session.FlushIfFullAsync();
    }

    /// <summary>Sets \Seen on all messages of a batch that lack it, as one change; their answers then carry FLAGS.</summary>
    private async ValueTask<MailError?> MarkSeenAsync(IReadOnlyList<LoadedMessage> batch)
    {
        SelectedMailbox mailbox = _state.Mailbox;
        // RFC 4314 §4: without s nothing is marked, and nothing refused.
        if (mailbox.ReadOnly || !mailbox.Rights.Has(MailRights.Seen))
            return null;
        var unseen = new UidSet.Builder();
        foreach (LoadedMessage loaded in batch)
        {
            if (loaded.Email is not null && View.TryFind(loaded.Row.Uid, out MessageRef message) && (message.SystemFlags & SystemFlags.Seen) == 0)
                unseen.Add(message.Uid);
        }
        UidSet uids = unseen.ToSet().Except(mailbox.Messages.Ghosts);
        if (uids.IsEmpty)
            return null;
        IMailboxGrain owner = _session.Cluster.Mailbox(mailbox.Key);
        var request = new StoreRequest(
            _session.Cluster.NextOperation(), _state.User.Actor, uids, StoreMode.Add, new FlagList(SystemFlags.Seen, []));
        MailResult<StoreResult> result = await _session.PatientAsync(
            _session.Cluster.CallAsync(() => owner.Store(request), _session.Wait, uids.Cardinality), "Still fetching");
        if (result.Error is { } error)
            return error;
        if (await _session.SyncAsync(_state, new Telling(_uid, Expunged: false, Later: uids)) is null)
            _untold = uids;
        return null;
    }

    /// <summary>The view counts as told: what no answer has carried is told on its own.</summary>
    private void TellUntold()
    {
        foreach (MessageRef message in View.Messages(_untold))
        {
            if (!_state.Mailbox.Messages.Ghosts.Contains(message.Uid))
                FlagsResponse.Changed(_session.Reply, _state.User, _state.Mailbox, message, _uid);
        }
        _untold = UidSet.Empty;
    }
}
