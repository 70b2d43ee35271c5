using System.Diagnostics;
using System.Numerics;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using Microsoft.Extensions.Logging;

namespace MailCluster.Imap.Search;

/// <summary>
/// Makes the index of texts, behind the searches that had to read what it did not know: mail that nobody searches costs nothing. One group at a time in a process, in
/// turn by tenant, then by account, with pauses. What was begun and lost (by a restart, an outage, a full queue) is asked for again by the next search; what two nodes
/// make at the same time is kept once, or twice, and does no harm. One object a process.
/// </summary>
/// <param name="bodies">Not through a cache: what is indexed is not what is read next.</param>
/// <param name="percent">Of one task's time, 1 to 100; pauses take the rest.</param>
public sealed partial class SearchIndexer(ISearchIndex index, IMessageBodies bodies, int percent, ILogger log) : IAsyncDisposable
{
    /// <summary>Emails that wait at most, 8 octets each; what is more is asked for again.</summary>
    private const int MaxWaiting = 1_000_000;

    /// <summary>Emails that are loaded at a time.</summary>
    private const int Batch = 32;

    /// <summary>Octets of a body that is loaded with others.</summary>
    private const int SmallBody = 32 * 1024;

    /// <summary>Positions of the smallest signatures: even of short messages each has its sender's servers in the header.</summary>
    private const int MinPositions = 512;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<TenantId, Queue<Work>> _work = [];
    private readonly Queue<TenantId> _turn = new();
    private readonly HashSet<AccountId> _accounts = [];
    private int _waiting;
    private Task _running = Task.CompletedTask;

    private sealed record Work(TenantId Tenant, AccountId Account, EmailId[] Emails)
    {
        public int Done { get; set; }

        public int Left => Emails.Length - Done;
    }

    internal ISearchIndex Index => index;

    /// <summary>Done when nothing waits any more.</summary>
    internal Task Idle => _running;

    /// <summary>Asks for emails to be indexed, as many as fill groups; an account that waits already is passed over. Returns at once.</summary>
    /// <param name="unknown">Emails that the index does not know, sorted.</param>
    internal void Ask(TenantId tenant, AccountId account, IReadOnlyList<EmailId> unknown)
    {
        lock (_lock)
        {
            int count = Math.Min(unknown.Count, MaxWaiting - _waiting) / SearchGroup.MaxEmails * SearchGroup.MaxEmails;
            if (count == 0 || _stop.IsCancellationRequested || !_accounts.Add(account))
                return;
            if (!_work.TryGetValue(tenant, out Queue<Work>? queue))
            {
                _work.Add(tenant, queue = new());
                _turn.Enqueue(tenant);
            }
            queue.Enqueue(new Work(tenant, account, [.. unknown.Take(count)]));
            _waiting += count;
            if (_running.IsCompleted)
                _running = Task.Run(RunAsync);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_lock)
        {
            _stop.Cancel();
            running = _running;
        }
        await running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (Take() is { } work)
        {
            long start = Stopwatch.GetTimestamp();
            bool failed = false;
            try
            {
                await IndexAsync(work.Account, work.Emails.AsMemory(work.Done, SearchGroup.MaxEmails), _stop.Token).ConfigureAwait(false);
                await Task.Delay(Stopwatch.GetElapsedTime(start) * (100 - percent) / percent, _stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failed = true;
                if (!_stop.IsCancellationRequested)
                    LogFailed(work.Account, e);
            }
            PutBack(work, failed);
        }
    }

    // Null when nothing waits: whoever asks next starts a new run.
    private Work? Take()
    {
        lock (_lock)
        {
            if (_turn.Count > 0 && !_stop.IsCancellationRequested)
                return _work[_turn.Peek()].Dequeue();
            _running = Task.CompletedTask;
            return null;
        }
    }

    private void PutBack(Work work, bool failed)
    {
        lock (_lock)
        {
            int done = failed ? work.Left : SearchGroup.MaxEmails;
            _waiting -= done;
            work.Done += done;
            Queue<Work> queue = _work[_turn.Dequeue()];
            if (work.Left > 0)
                queue.Enqueue(work);
            else
                _accounts.Remove(work.Account);
            if (queue.Count > 0)
                _turn.Enqueue(work.Tenant);
            else
                _work.Remove(work.Tenant);
        }
    }

    private async Task IndexAsync(AccountId account, ReadOnlyMemory<EmailId> emails, CancellationToken cancellationToken)
    {
        var indexed = new List<EmailId>(emails.Length);
        // Of each the positions; null for all of them.
        var texts = new List<ushort[]?>(emails.Length);
        var signature = new TextSignature();
        for (int at = 0; at < emails.Length; at += Batch)
        {
            EmailId[] batch = emails.Slice(at, Math.Min(Batch, emails.Length - at)).ToArray();
            foreach ((StoredEmail email, MessageBytes bytes) in await LoadAsync(account, batch, cancellationToken).ConfigureAwait(false))
            {
                indexed.Add(email.Id);
                texts.Add(await SignAsync(signature, email, bytes, cancellationToken).ConfigureAwait(false));
            }
        }
        if (indexed.Count == 0)
            return;
        await index.AddAsync(account, indexed, Slices(texts), cancellationToken).ConfigureAwait(false);
        ImapMetrics.Indexed.Add(indexed.Count);
    }

    private async Task<List<(StoredEmail, MessageBytes)>> LoadAsync(AccountId account, EmailId[] batch, CancellationToken cancellationToken)
    {
        // What is gone by now needs no signature.
        StoredEmail[] emails = [.. (await bodies.GetEmailsAsync(account, batch, withContent: true, cancellationToken).ConfigureAwait(false)).OfType<StoredEmail>()];
        StoredEmail[] small = [.. emails.Where(static e => e.BodySize <= SmallBody)];
        IReadOnlyList<byte[]?> read = await bodies.GetBodiesAsync([.. small.Select(static e => e.Body)], SmallBody, cancellationToken).ConfigureAwait(false);
        Dictionary<BodyId, byte[]> inMemory = [];
        for (int i = 0; i < small.Length; i++)
        {
            if (read[i] is { } body)
                inMemory[small[i].Body] = body;
        }
        return [.. emails.Select(e => (e, inMemory.TryGetValue(e.Body, out byte[]? body) ? new MessageBytes(e.Prefix, body) : new MessageBytes(bodies, e)))];
    }

    private static async ValueTask<ushort[]?> SignAsync(TextSignature signature, StoredEmail email, MessageBytes bytes, CancellationToken cancellationToken)
    {
        signature.Clear();
        try
        {
            MessageContent content = email.Content!;
            if (MessageText.ReadHeaders(signature, await MessageText.HeadersAsync(bytes, content, cancellationToken).ConfigureAwait(false)))
                await MessageText.ReadBodyAsync(signature, bytes, content.Root, mimeHeaders: true, cancellationToken).ConfigureAwait(false);
        }
        catch (BodyGoneException)
        {
            // Its last email went a moment ago: nobody will ask.
        }
        return signature.IsFull ? null : signature.Positions();
    }

    /// <summary>The signatures position by position, in as many positions as are a good half to three quarters empty.</summary>
    private static byte[] Slices(List<ushort[]?> texts)
    {
        double mean = texts.Average(static t => t?.Length ?? TextSignature.MaxCount);
        int count = Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)(2 * mean)), MinPositions, SearchGroup.Positions);
        int shift = BitOperations.Log2(SearchGroup.Positions) - BitOperations.Log2((uint)count);
        var slices = new byte[count * SearchGroup.SliceBytes];
        for (int i = 0; i < texts.Count; i++)
        {
            byte bit = (byte)(1 << (i & 7));
            if (texts[i] is { } positions)
            {
                foreach (ushort position in positions)
                    slices[((position >> shift) * SearchGroup.SliceBytes) + (i >> 3)] |= bit;
                continue;
            }
            for (int position = 0; position < count; position++)
                slices[(position * SearchGroup.SliceBytes) + (i >> 3)] |= bit;
        }
        return slices;
    }

    [LoggerMessage(LogLevel.Warning, "Mail of account {Account} was not indexed; the next search of it tries again")]
    private partial void LogFailed(AccountId account, Exception e);
}
