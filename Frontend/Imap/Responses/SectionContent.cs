using System.Buffers;
using System.Runtime.CompilerServices;
using MailCluster.Cluster;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>
/// What a BODY[…] or BINARY[…] item answers: octets whose number is known before the first is read, so that they stream as a literal.
/// </summary>
public abstract class SectionContent
{
    private IAsyncEnumerator<ReadOnlyMemory<byte>>? _begun;
    private bool _hasFirst;

    /// <summary>Octets, after the partial was applied.</summary>
    public abstract long Length { get; }

    /// <summary>The octets in pieces, each valid until the next is asked for; exactly <see cref="Length"/> in all.</summary>
    public abstract IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>Nothing has to be fetched: <see cref="InMemory"/> has the octets.</summary>
    protected virtual bool IsInMemory => false;

    /// <summary>The octets all at once.</summary>
    protected virtual IEnumerable<ReadOnlyMemory<byte>> InMemory() => throw new NotSupportedException();

    /// <summary>
    /// Writes a BODY[…] value: NIL for null (no such part), a literal otherwise. A NUL shows as <see cref="ReplyWriter.NulSubstitute"/>.
    /// Waits for the client when it reads slowly.
    /// </summary>
    /// <param name="reply">Writes to <paramref name="output"/>.</param>
    /// <param name="output">Of the connection.</param>
    /// <param name="flushIfFull">Called between pieces of at most 32 KB; waits while the client reads slowly.</param>
    /// <param name="content">The section.</param>
    public static async ValueTask WriteBodyAsync(
        ReplyWriter reply, IBufferWriter<byte> output, Func<ValueTask> flushIfFull, SectionContent? content, CancellationToken cancellationToken)
    {
        if (content is null)
        {
            reply.Nil();
            return;
        }
        reply.LiteralHeader(content.Length);
        await content.CopyToAsync(output, flushIfFull, showNul: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a BINARY[…] value: NIL for null, otherwise always a literal8, which can hold a NUL.</summary>
    /// <inheritdoc cref="WriteBodyAsync"/>
    public static async ValueTask WriteBinaryAsync(
        ReplyWriter reply, IBufferWriter<byte> output, Func<ValueTask> flushIfFull, SectionContent? content, CancellationToken cancellationToken)
    {
        if (content is null)
        {
            reply.Nil();
            return;
        }
        reply.Literal8Header(content.Length);
        await content.CopyToAsync(output, flushIfFull, showNul: false, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the first piece, so that a store that is away is known before a byte of the answer is written.</summary>
    public async ValueTask BeginAsync(CancellationToken cancellationToken)
    {
        if (IsInMemory)
            return;
        _begun = ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        _hasFirst = await _begun.MoveNextAsync().ConfigureAwait(false);
    }

    private async ValueTask CopyToAsync(IBufferWriter<byte> output, Func<ValueTask> flushIfFull, bool showNul, CancellationToken cancellationToken)
    {
        if (IsInMemory)
        {
            foreach (var piece in InMemory())
                await CopyAsync(piece).ConfigureAwait(false);
            return;
        }
        if (_begun is null)
            await BeginAsync(cancellationToken).ConfigureAwait(false);
        await using var pieces = _begun!;
        for (bool has = _hasFirst; has; has = await pieces.MoveNextAsync().ConfigureAwait(false))
            await CopyAsync(pieces.Current).ConfigureAwait(false);

        async ValueTask CopyAsync(ReadOnlyMemory<byte> piece)
        {
            const int Step = 32 * 1024;
            while (!piece.IsEmpty)
            {
                var length = Math.Min(piece.Length, Step);
                var target = output.GetSpan(length)[..length];
                piece.Span[..length].CopyTo(target);
                if (showNul)
                    target.Replace((byte)0, ReplyWriter.NulSubstitute);
                output.Advance(length);
                piece = piece[length..];
                await flushIfFull().ConfigureAwait(false);
            }
        }
    }
}

/// <summary>Ranges of the message one after the other, then perhaps an empty line that the message itself has not.</summary>
internal sealed class RangesContent : SectionContent
{
    private readonly MessageBytes message;
    private readonly IReadOnlyList<ByteRange> ranges;
    private readonly ReadOnlyMemory<byte> tail;
    private readonly long skip;

    public RangesContent(MessageBytes message, IReadOnlyList<ByteRange> ranges, ReadOnlyMemory<byte> tail, Partial? partial)
    {
        this.message = message;
        this.ranges = ranges;
        this.tail = tail;
        long whole = tail.Length;
        foreach (var range in ranges)
            whole += range.Length;
        skip = Math.Min(partial?.Offset ?? 0, whole);
        Length = Math.Min(partial?.Length ?? whole, whole - skip);
    }

    public override long Length { get; }

    protected override bool IsInMemory => message.IsInMemory;

    protected override IEnumerable<ReadOnlyMemory<byte>> InMemory()
    {
        var (wanted, ofTail) = Wanted();
        return wanted.SelectMany(message.InMemory).Append(ofTail);
    }

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (wanted, ofTail) = Wanted();
        foreach (var range in wanted)
        {
            await foreach (var piece in message.ReadAsync(range, cancellationToken).ConfigureAwait(false))
                yield return piece;
        }
        if (!ofTail.IsEmpty)
            yield return ofTail;
    }

    /// <summary>What the partial leaves of the ranges and of the tail.</summary>
    private (List<ByteRange> Ranges, ReadOnlyMemory<byte> OfTail) Wanted()
    {
        var wanted = new List<ByteRange>(ranges.Count);
        var toSkip = skip;
        var left = Length;
        foreach (var range in ranges)
        {
            var skipped = Math.Min(toSkip, range.Length);
            var length = Math.Min(range.Length - skipped, left);
            if (length > 0)
                wanted.Add(new ByteRange(range.Offset + skipped, length));
            toSkip -= skipped;
            left -= length;
        }
        return (wanted, tail.Slice((int)toSkip, (int)left));
    }
}
