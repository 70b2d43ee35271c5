using System.Diagnostics;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>Octets of a message that a client counts from its first octet, added headers included.</summary>
public readonly record struct ByteRange(long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>
/// Random access to one message as clients see it: the headers that this server put in front, then the stored body.
/// Reads only what is asked for.
/// </summary>
public sealed class MessageBytes
{
    private static readonly TimeSpan LiteralPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ReadOnlyMemory<byte> prefix;
    private readonly ReadOnlyMemory<byte>? inMemory;
    private readonly IMessageBodies? bodies;
    private readonly BodyId body;
    private readonly long bodySize;

    /// <summary>A message whose body stays in the store; reading throws what <see cref="IMessageBodies.ReadAsync"/> throws.</summary>
    public MessageBytes(IMessageBodies bodies, StoredEmail email)
    {
        this.bodies = bodies;
        body = email.Body;
        prefix = email.Prefix;
        bodySize = email.BodySize;
    }

    /// <summary>A message whose body is in memory.</summary>
    public MessageBytes(ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte> body)
    {
        this.prefix = prefix;
        inMemory = body;
        bodySize = body.Length;
    }

    public ReadOnlyMemory<byte> Prefix => prefix;

    /// <summary>Reading it asks nobody.</summary>
    public bool IsInMemory => inMemory is not null;

    /// <summary>
    /// A part of the answer has left: it can't be taken back, so that an outage of the store is waited for as long as clients wait for the rest of a literal,
    /// before the connection has to be given up.
    /// </summary>
    public bool HasBegunToLeave { get; set; }

    /// <summary>RFC822.SIZE.</summary>
    public long Length => prefix.Length + bodySize;

    /// <summary>The octets of a range inside the body, where they are in memory.</summary>
    public bool TryGetBytes(ByteRange range, out ReadOnlyMemory<byte> bytes)
    {
        bytes = inMemory is { } memory ? memory.Slice((int)(range.Offset - prefix.Length), (int)range.Length) : default;
        return inMemory is not null;
    }

    /// <summary>The octets of a range of a message that is in memory: some of the prefix, some of the body; either may be empty.</summary>
    public ReadOnlyMemory<byte>[] InMemory(ByteRange range)
    {
        var ofPrefix = Math.Clamp(prefix.Length - range.Offset, 0, range.Length);
        return
        [
            ofPrefix == 0 ? default : prefix.Slice((int)range.Offset, (int)ofPrefix),
            inMemory!.Value.Slice((int)Math.Max(range.Offset - prefix.Length, 0), (int)(range.Length - ofPrefix)),
        ];
    }

    /// <summary>The octets of a range, which must lie inside the message, in pieces; each is valid until the next is asked for.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ByteRange range, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (range.Length > 0 && range.Offset < prefix.Length)
        {
            var length = (int)Math.Min(range.Length, prefix.Length - range.Offset);
            yield return prefix.Slice((int)range.Offset, length);
            range = new ByteRange(prefix.Length, range.Length - length);
        }
        if (range.Length <= 0)
            yield break;
        var offset = range.Offset - prefix.Length;
        if (inMemory is { } memory)
        {
            yield return memory.Slice((int)offset, (int)range.Length);
            yield break;
        }
        var end = offset + range.Length;
        var began = Stopwatch.GetTimestamp();
        while (offset < end)
        {
            await using var pieces = bodies!.ReadAsync(body, bodySize, offset, end - offset, cancellationToken).GetAsyncEnumerator(cancellationToken);
            bool? more;
            while ((more = await NextAsync(pieces, began).ConfigureAwait(false)) == true)
            {
                offset += pieces.Current.Length;
                yield return pieces.Current;
                began = Stopwatch.GetTimestamp();
            }
            if (more == false && offset < end)
                throw new InvalidDataException($"Body {body} ends before octet {end}.");
        }
    }

    /// <summary>Null: the store was away, and is to be asked again.</summary>
    private async ValueTask<bool?> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> pieces, long began)
    {
        try
        {
            return await pieces.MoveNextAsync().ConfigureAwait(false);
        }
        catch (StoreUnavailableException) when (HasBegunToLeave && Stopwatch.GetElapsedTime(began) < LiteralPatience)
        {
            await Task.Delay(Pause).ConfigureAwait(false);
            return null;
        }
    }
}
