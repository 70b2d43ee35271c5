using System.Buffers;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>
/// ENVELOPE, BODY and BODYSTRUCTURE for many messages. Where a command is about most of a part of a mailbox (<see cref="MessageChunk"/>) what was written for it is kept in the front end
/// with the bodies that were read last, and is copied the next time: it takes less memory than what it is written from, and a seventh of the time. Kept by the first email of the part, and believed
/// where all its emails are the same. What a command picks here and there is written from the emails, which are kept instead.
/// </summary>
internal sealed class WrittenBatches(IMessageBodies store, AccountId account, IReadOnlyList<FetchItem> items, WireCharset charset)
{
    /// <summary>Messages of a part that is worth keeping: what is smaller changes with each message that comes or goes.</summary>
    private const int WorthKeeping = 128;

    private readonly CachedBodies? _cache = store as CachedBodies;

    /// <summary>Null while it is in use: two batches may be written at once.</summary>
    private ArrayBufferWriter<byte>? _buffer;

    /// <summary>The messages in batches, in their order.</summary>
    public static IEnumerable<Batch> Split(IEnumerable<MessageRef> messages)
    {
        List<MessageRef> scattered = [];
        foreach (Batch part in Parts(messages))
        {
            // Less than half of it: to read the rest, too, would cost more than it saves.
            bool whole = part.End - part.Start >= WorthKeeping && part.Messages.Count >= (part.End - part.Start) / 2;
            if (!whole)
                scattered.AddRange(part.Messages);
            if (scattered.Count > 0 && (whole || scattered.Count >= MessageBatches.MaxMessages))
            {
                foreach (IReadOnlyList<MessageRef> batch in MessageBatches.Split(scattered))
                    yield return new Batch(batch, null, 0, 0);
                scattered = [];
            }
            if (whole)
                yield return part;
        }
        foreach (IReadOnlyList<MessageRef> batch in MessageBatches.Split(scattered))
            yield return new Batch(batch, null, 0, 0);
    }

    /// <summary>What the answers of a batch need.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async Task<WrittenBatch> LoadAsync(Batch batch, CancellationToken cancellationToken)
    {
        if (batch.Chunk is not { } chunk)
        {
            EmailId[] scattered = [.. batch.Messages.Select(static m => m.Email)];
            return new WrittenBatch(Write([.. scattered.Select(static e => e.Value)], await store.GetEmailsAsync(account, scattered, true, cancellationToken).ConfigureAwait(false)), null);
        }
        int[] places = [.. batch.Messages.Select(m => m.Place - batch.Start)];
        if (Kept(chunk.Fixed.Email.AsSpan(batch.Start, batch.End - batch.Start)) is { } kept)
            return new WrittenBatch(kept, places);
        long[] emails = chunk.Fixed.Email[batch.Start..batch.End];
        EmailId[] ids = [.. emails.Select(static e => new EmailId(e))];
        IReadOnlyList<StoredEmail?> read = _cache is null
            ? await store.GetEmailsAsync(account, ids, true, cancellationToken).ConfigureAwait(false)
            : await _cache.PassEmailsAsync(account, ids, cancellationToken).ConfigureAwait(false);
        WrittenItem[] written = Write(emails, read);
        for (int i = 0; i < written.Length; i++)
        {
            // Of what is gone nothing is known: who has it in his view still asks again.
            if (written[i].IsWhole)
                _cache?.KeepComputed(account, ids[0], written[i], written[i].Octets, What(items[i]));
        }
        return new WrittenBatch(written, places);
    }

    private WrittenItem[]? Kept(ReadOnlySpan<long> emails)
    {
        var kept = new WrittenItem[items.Count];
        for (int i = 0; i < kept.Length; i++)
        {
            if (_cache?.FindComputed(account, new EmailId(emails[0]), What(items[i])) is not WrittenItem item || !item.IsOf(emails))
                return null;
            kept[i] = item;
        }
        return kept;
    }

    private WrittenItem[] Write(long[] emails, IReadOnlyList<StoredEmail?> read)
    {
        // Grown to what a batch takes, which is a large array: a new one for each would be collected with the oldest only.
        ArrayBufferWriter<byte> buffer = Interlocked.Exchange(ref _buffer, null) ?? new ArrayBufferWriter<byte>();
        WrittenItem[] written = [.. items.Select(item => WrittenItem.Of(item, charset, emails, read, buffer))];
        _buffer = buffer;
        return written;
    }

    // 0 is what SORT and THREAD keep.
    private int What(FetchItem item) => 1 + ((int)item * 2) + (int)charset;

    private static IEnumerable<Batch> Parts(IEnumerable<MessageRef> messages)
    {
        List<MessageRef> asked = [];
        MessageChunk? chunk = null;
        int start = 0, end = 0;
        foreach (MessageRef message in messages)
        {
            if (!ReferenceEquals(message.Chunk, chunk) || message.Place < start || message.Place >= end)
            {
                if (asked.Count > 0)
                    yield return new Batch(asked, chunk, start, end);
                asked = [];
                chunk = message.Chunk;
                (start, end) = PartOf(chunk.Fixed.Size, message.Place);
            }
            asked.Add(message);
        }
        if (asked.Count > 0)
            yield return new Batch(asked, chunk, start, end);
    }

    /// <summary>The part of a chunk in which a place is: always cut in the same way, and none larger than a batch.</summary>
    private static (int Start, int End) PartOf(uint[] sizes, int place)
    {
        int start = 0;
        long octets = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            long counted = MessageBatches.Counted(sizes[i]);
            if (MessageBatches.IsFull(i - start, octets, counted))
            {
                if (i > place)
                    return (start, i);
                (start, octets) = (i, 0);
            }
            octets += counted;
        }
        return (start, sizes.Length);
    }

    /// <summary>Messages that are answered together.</summary>
    /// <param name="Messages">In the order of the answers.</param>
    /// <param name="Chunk">Where all of them are, in the places from <paramref name="Start"/> to before <paramref name="End"/>; null where they are scattered.</param>
    internal readonly record struct Batch(IReadOnlyList<MessageRef> Messages, MessageChunk? Chunk, int Start, int End);
}
