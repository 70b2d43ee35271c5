using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Imap.Responses;

/// <summary>A message and what the store knows of it.</summary>
/// <param name="Row">Of the version that the command began with.</param>
/// <param name="Email">Null when it was expunged and collected meanwhile.</param>
/// <param name="Store">Where its body is.</param>
internal sealed record LoadedMessage(MessageRef Row, StoredEmail? Email, IMessageBodies Store)
{
    /// <summary>Null without <see cref="Email"/>. Small bodies are in memory, others stay in the store. Made when it is asked for: ENVELOPE never does.</summary>
    public MessageBytes? Bytes { get => field ??= Email is { } email ? new MessageBytes(Store, email) : null; init; }
}

/// <summary>Loads what the snapshot has not, for many messages with few questions to the store and in bounded memory.</summary>
/// <param name="makeRoom">False: what is read pushes nothing out of what the front end keeps.</param>
internal sealed class MessageBatches(IMessageBodies store, AccountId account, bool makeRoom = true)
{
    /// <summary>Messages in one batch: enough for round trips not to count.</summary>
    public const int MaxMessages = 256;

    /// <summary>Octets of a batch, of which a command has three in memory: some 2.5 MB of small bodies, or the structures of some 40 large messages.</summary>
    private const long MaxOctets = 2560 * 1024;

    /// <summary>What a large message counts: its structure is never larger than it, and rarely than this.</summary>
    private const long MaxCounted = 64 * 1024;

    /// <summary>Octets of a body that is read together with others; larger ones are read by range, as the client takes them.</summary>
    private const int SmallBody = 32 * 1024;

    /// <summary>Messages of which so few are asked for at once that their structures are read along: a client that reads one asks for both, one after the other, and the store is asked once.</summary>
    private const int Few = 8;

    /// <summary>The messages in batches, in their order.</summary>
    public static IEnumerable<IReadOnlyList<MessageRef>> Split(IEnumerable<MessageRef> messages, int maxMessages = MaxMessages)
    {
        var batch = new List<MessageRef>();
        long octets = 0;
        foreach (MessageRef message in messages)
        {
            long counted = Counted(message.Size);
            if (IsFull(batch.Count, octets, counted, maxMessages))
            {
                yield return batch;
                batch = [];
                octets = 0;
            }
            batch.Add(message);
            octets += counted;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    /// <summary>What a message of so many octets counts in a batch.</summary>
    public static long Counted(uint size) => Math.Min(size, MaxCounted);

    /// <summary>Whether a batch of so many messages and octets takes no further one.</summary>
    public static bool IsFull(int messages, long octets, long next, int maxMessages = MaxMessages) =>
        messages == maxMessages || (messages > 0 && octets + next > MaxOctets);

    /// <summary>A batch with its emails, and with their structures and small bodies where they are asked for.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async Task<IReadOnlyList<LoadedMessage>> LoadAsync(IReadOnlyList<MessageRef> batch, bool content, bool bodies, CancellationToken cancellationToken)
    {
        EmailId[] ids = [.. batch.Select(static m => m.Email)];
        IReadOnlyList<StoredEmail?> emails = await (store is CachedBodies cache
            ? cache.GetEmailsAsync(account, ids, content || batch.Count <= Few, makeRoom, cancellationToken)
            : store.GetEmailsAsync(account, ids, content || batch.Count <= Few, cancellationToken)).ConfigureAwait(false);
        LoadedMessage[] loaded =
            [.. batch.Select((row, i) => new LoadedMessage(row, emails[i], store))];
        return bodies ? await WithBodiesAsync(loaded, cancellationToken).ConfigureAwait(false) : loaded;
    }

    /// <summary>The same messages, the small ones among them in memory.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async Task<IReadOnlyList<LoadedMessage>> WithBodiesAsync(IReadOnlyList<LoadedMessage> loaded, CancellationToken cancellationToken)
    {
        int[] small = [.. Enumerable.Range(0, loaded.Count).Where(i => loaded[i].Email is { BodySize: <= SmallBody })];
        if (small.Length == 0)
            return loaded;
        BodyId[] ids = [.. small.Select(i => loaded[i].Email!.Body)];
        IReadOnlyList<byte[]?> bodies = await (store is CachedBodies cache
            ? cache.GetBodiesAsync(ids, SmallBody, makeRoom, cancellationToken)
            : store.GetBodiesAsync(ids, SmallBody, cancellationToken)).ConfigureAwait(false);
        LoadedMessage[] result = [.. loaded];
        for (int i = 0; i < small.Length; i++)
        {
            if (bodies[i] is not { } body)
                continue;
            if (body.Length != result[small[i]].Email!.BodySize)
                throw new InvalidDataException($"Body {ids[i]} has not the size that its email tells.");
            result[small[i]] = result[small[i]] with { Bytes = new MessageBytes(result[small[i]].Email!.Prefix, body) };
        }
        return result;
    }
}
