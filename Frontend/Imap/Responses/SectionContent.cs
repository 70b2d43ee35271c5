using System.Buffers;
using System.Runtime.CompilerServices;
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
        _begun = ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        _hasFirst = await _begun.MoveNextAsync().ConfigureAwait(false);
    }

    private async ValueTask CopyToAsync(IBufferWriter<byte> output, Func<ValueTask> flushIfFull, bool showNul, CancellationToken cancellationToken)
    {
        const int Step = 32 * 1024;
        if (_begun is null)
            await BeginAsync(cancellationToken).ConfigureAwait(false);
        await using var pieces = _begun!;
        for (bool has = _hasFirst; has; has = await pieces.MoveNextAsync().ConfigureAwait(false))
        {
            var piece = pieces.Current;
            for (var rest = piece; !rest.IsEmpty;)
            {
                var length = Math.Min(rest.Length, Step);
                var target = output.GetSpan(length)[..length];
                rest.Span[..length].CopyTo(target);
                if (showNul)
                    target.Replace((byte)0, ReplyWriter.NulSubstitute);
                output.Advance(length);
                rest = rest[length..];
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
        var whole = ranges.Sum(range => range.Length) + tail.Length;
        skip = Math.Min(partial?.Offset ?? 0, whole);
        Length = Math.Min(partial?.Length ?? whole, whole - skip);
    }

    public override long Length { get; }

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var toSkip = skip;
        var left = Length;
        foreach (var range in ranges)
        {
            if (left == 0)
                yield break;
            if (toSkip >= range.Length)
            {
                toSkip -= range.Length;
                continue;
            }
            var wanted = new ByteRange(range.Offset + toSkip, Math.Min(range.Length - toSkip, left));
            toSkip = 0;
            left -= wanted.Length;
            await foreach (var piece in message.ReadAsync(wanted, cancellationToken).ConfigureAwait(false))
                yield return piece;
        }
        if (left > 0)
            yield return tail.Slice((int)toSkip, (int)left);
    }
}
