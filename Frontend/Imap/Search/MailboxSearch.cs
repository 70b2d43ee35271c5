using System.Collections;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;

namespace MailCluster.Imap.Search;

/// <summary>
/// Finds the messages of one version of a mailbox that pass a test: first by the snapshot alone; what that leaves open by the index of texts, by stored headers, in
/// batches, and at last by the text of the messages. Memory is bounded by the batches, whatever the mailbox and its messages are.
/// </summary>
/// <param name="index">Null for none: what the snapshot leaves open is read.</param>
internal sealed class MailboxSearch(IMessageBodies store, AccountId account, SearchTest test, ISearchIndex? index = null)
{
    /// <summary>Messages after which others get the processor.</summary>
    private const int Stride = 4096;

    /// <summary>Open messages from which on the index is asked: fewer are read as fast.</summary>
    private const int WorthAsking = 64;

    /// <summary>Batches at a time: while one is looked through the next comes from PostgreSQL.</summary>
    private const int Batches = 2;

    /// <summary>Octets that an email with its structure takes in the front end, roughly.</summary>
    private const int KnownOctets = 1024;

    /// <summary>Emails that were looked into because the index does not know them, sorted.</summary>
    public IReadOnlyList<EmailId> Unknown { get; private set; } = [];

    /// <param name="messages">The version.</param>
    /// <param name="ghosts">Messages in it that no longer exist: never found.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<SearchFound> RunAsync(MailboxSnapshot messages, UidSet ghosts, CancellationToken cancellationToken)
    {
        var found = new BitArray(messages.Count);
        var open = new List<int>();
        var subject = new SearchSubject();
        foreach (MessageRef message in messages.Messages())
        {
            if (message.Index % Stride == Stride - 1)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
            if (!ghosts.IsEmpty && ghosts.Contains(message.Uid))
                continue;
            if (test.Decide(subject.Of(message)) is { } decided)
                found[message.Index] = decided;
            else
                open.Add(message.Index);
        }
        SearchSieve? sieve = null;
        if (index is not null && open.Count >= WorthAsking
            && (sieve = await SearchSieve.LoadAsync(index, account, test, messages, open, cancellationToken).ConfigureAwait(false)) is not null)
        {
            Unknown = sieve.Unknown;
            subject = new SearchSubject(sieve);
            open.RemoveAll(place =>
            {
                if (test.Decide(subject.Of(messages[place])) is not { } decided)
                    return false;
                found[place] = decided;
                return true;
            });
        }
        await ReadAsync(messages, open, sieve, place => found[place] = true, cancellationToken).ConfigureAwait(false);
        return SearchFound.Of(messages, found);
    }

    /// <summary>Which of some messages pass; costs no more than they do.</summary>
    /// <param name="candidates">No ghosts.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<UidSet> AmongAsync(MailboxSnapshot messages, UidSet candidates, CancellationToken cancellationToken)
    {
        var found = new List<uint>();
        var open = new List<int>();
        var subject = new SearchSubject();
        foreach (MessageRef message in messages.Messages(candidates))
        {
            if (test.Decide(subject.Of(message)) is not { } decided)
                open.Add(message.Index);
            else if (decided)
                found.Add(message.Uid);
        }
        if (open.Count > 0)
        {
            SearchSieve? sieve = index is not null && open.Count >= WorthAsking
                ? await SearchSieve.LoadAsync(index, account, test, messages, open, cancellationToken).ConfigureAwait(false) : null;
            Unknown = sieve?.Unknown ?? [];
            await ReadAsync(messages, open, sieve, place => found.Add(messages[place].Uid), cancellationToken).ConfigureAwait(false);
        }
        return UidSet.FromUids(found);
    }

    private async ValueTask ReadAsync(MailboxSnapshot messages, List<int> open, SearchSieve? sieve, Action<int> found, CancellationToken cancellationToken)
    {
        long octets = open.Sum(place => KnownOctets + (test.Cost == 2 ? (long)messages[place].Size : 0));
        bool makeRoom = store is not CachedBodies cache || cache.IsWorthKeeping(octets);
        var batches = new MessageBatches(store, account, makeRoom);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Queue<Task<List<int>>>();
        try
        {
            foreach (IReadOnlyList<MessageRef> batch in MessageBatches.Split(open.Select(place => messages[place])))
            {
                stop.Token.ThrowIfCancellationRequested();
                if (running.Count == Batches)
                    await EndAsync();
                running.Enqueue(Task.Run(() => DecideAsync(batches, batch, new SearchSubject(sieve), stop.Token), stop.Token));
            }
            while (running.Count > 0)
                await EndAsync();
        }
        finally
        {
            // After a failure nothing goes on behind the command's back.
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async ValueTask EndAsync()
        {
            foreach (int place in await running.Peek().ConfigureAwait(false))
                found(place);
            _ = running.Dequeue();
        }
    }

    /// <summary>The places of those that pass.</summary>
    private async Task<List<int>> DecideAsync(MessageBatches batches, IReadOnlyList<MessageRef> batch, SearchSubject subject, CancellationToken cancellationToken)
    {
        var found = new List<int>();
        var open = new List<LoadedMessage>();
        var headersOf = new List<IReadOnlyList<ContentHeader>>();
        foreach (LoadedMessage message in await batches.LoadAsync(batch, content: true, bodies: false, cancellationToken).ConfigureAwait(false))
        {
            // Expunged meanwhile: no match, whatever was asked.
            if (message.Email is null)
                continue;
            IReadOnlyList<ContentHeader>? headers = test.NeedsHeaders ? await HeadersAsync(message, cancellationToken).ConfigureAwait(false) : [];
            if (headers is null)
                continue;
            if (test.Decide(subject.Of(message.Row, headers)) is { } decided)
            {
                if (decided)
                    found.Add(message.Row.Index);
                continue;
            }
            open.Add(message);
            headersOf.Add(headers);
        }
        IReadOnlyList<LoadedMessage> loaded = await batches.WithBodiesAsync(open, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < loaded.Count; i++)
        {
            if (await LookInsideAsync(loaded[i], headersOf[i], subject, cancellationToken).ConfigureAwait(false))
                found.Add(loaded[i].Row.Index);
        }
        return found;
    }

    private static async ValueTask<IReadOnlyList<ContentHeader>?> HeadersAsync(LoadedMessage message, CancellationToken cancellationToken)
    {
        try
        {
            return await MessageText.HeadersAsync(message.Bytes!, message.Email!.Content!, cancellationToken).ConfigureAwait(false);
        }
        catch (BodyGoneException)
        {
            return null;
        }
    }

    private async ValueTask<bool> LookInsideAsync(
        LoadedMessage message, IReadOnlyList<ContentHeader> headers, SearchSubject subject, CancellationToken cancellationToken)
    {
        (MessageBytes bytes, BodyPart root) = (message.Bytes!, message.Email!.Content!.Root);
        var questions = new TextQuestions();
        test.Ask(subject.Of(message.Row, headers), questions);
        try
        {
            if (questions.Body.Count > 0)
            {
                string[] values = [.. questions.Body];
                Answer(values, inHeader: false, await MessageText.BodyContainsAsync(bytes, root, values, questions.Collation, cancellationToken).ConfigureAwait(false));
            }
            if (questions.Text.Count > 0)
            {
                string[] values = [.. questions.Text];
                Answer(values, inHeader: true, await MessageText.TextContainsAsync(bytes, root, headers, values, questions.Collation, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (BodyGoneException)
        {
            return false;
        }
        return test.Decide(subject) ?? throw new InvalidOperationException("Every string was looked for, and the test is still open.");

        void Answer(string[] values, bool inHeader, bool[] found)
        {
            for (int i = 0; i < values.Length; i++)
                subject.Answers(inHeader)[values[i]] = found[i];
        }
    }
}
