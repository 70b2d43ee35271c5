using System.Buffers;
using System.Runtime.CompilerServices;
using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;
using MimeKit.Encodings;

namespace MailCluster.Imap.Responses;

/// <summary>BINARY and BINARY.SIZE (RFC 9051 §6.4.5, RFC 3516): a part without its transfer encoding.</summary>
public static class BinarySection
{
    /// <summary>What a BINARY item names.</summary>
    /// <param name="Content">The decoded octets; null when there is no such part (answer NIL, and 0 for BINARY.SIZE).</param>
    /// <param name="UnknownEncoding">The part's transfer encoding is unknown: the command is answered NO [UNKNOWN-CTE].</param>
    public readonly record struct Result(SectionContent? Content, bool UnknownEncoding);

    /// <summary>
    /// Finds the part and learns its decoded size, for which an encoded part is read once. What is not part of the encoding (stray
    /// characters in base64, a missing end) is passed over and never an error.
    /// </summary>
    public static async ValueTask<Result> ResolveAsync(
        MessageBytes message, BodyPart root, IReadOnlyList<uint> numbers, Partial? partial, CancellationToken cancellationToken)
    {
        if (numbers.Count == 0)
            return new Result(new RangesContent(message, [new ByteRange(0, message.Length)], default, partial), false);
        if (SectionResolver.FindPart(root, numbers) is not { } part)
            return default;
        var range = new ByteRange(message.Prefix.Length + part.BodyOffset, part.BodyLength);
        if (part.Kind == BodyPartKind.Multipart || IsIdentity(part.Encoding))
            return new Result(new RangesContent(message, [range], default, partial), false);
        if (Decoder(part.Encoding) is null)
            return new Result(null, true);
        var whole = 0L;
        await foreach (var piece in DecodeAsync(message, range, part.Encoding, cancellationToken).ConfigureAwait(false))
            whole += piece.Length;
        return new Result(new DecodedContent(message, range, part.Encoding, whole, partial), false);
    }

    /// <summary>The octets of a range without their transfer encoding, which must be a known one.</summary>
    internal static async IAsyncEnumerable<ReadOnlyMemory<byte>> DecodeAsync(
        MessageBytes message, ByteRange range, RawText encoding, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int Step = 16 * 1024;
        var decoder = Decoder(encoding) ?? new PassThroughDecoder(MimeKit.ContentEncoding.Default);
        var input = ArrayPool<byte>.Shared.Rent(Step);
        var output = ArrayPool<byte>.Shared.Rent(decoder.EstimateOutputLength(Step) + 64);
        try
        {
            await foreach (var piece in message.ReadAsync(range, cancellationToken).ConfigureAwait(false))
            {
                for (var rest = piece; !rest.IsEmpty;)
                {
                    var length = Math.Min(rest.Length, Step);
                    rest[..length].CopyTo(input);
                    rest = rest[length..];
                    var decoded = decoder.Decode(input, 0, length, output);
                    if (decoded > 0)
                        yield return output.AsMemory(0, decoded);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(input);
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    internal static bool IsIdentity(RawText encoding) =>
        encoding.IsAbsent || encoding.EqualsIgnoreCase("7bit"u8) || encoding.EqualsIgnoreCase("8bit"u8) || encoding.EqualsIgnoreCase("binary"u8);

    /// <summary>Null for an encoding that RFC 2045 does not know, and for those that need none.</summary>
    internal static IMimeDecoder? Decoder(RawText encoding) =>
        encoding.EqualsIgnoreCase("base64"u8) ? new Base64Decoder()
        : encoding.EqualsIgnoreCase("quoted-printable"u8) ? new QuotedPrintableDecoder()
        : null;

    private sealed class DecodedContent(MessageBytes message, ByteRange range, RawText encoding, long whole, Partial? partial) : SectionContent
    {
        private readonly long skip = Math.Min(partial?.Offset ?? 0, whole);

        public override long Length => Math.Min(partial?.Length ?? whole, whole - skip);

        public override async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var toSkip = skip;
            var left = Length;
            await foreach (var piece in DecodeAsync(message, range, encoding, cancellationToken).ConfigureAwait(false))
            {
                if (left == 0)
                    yield break;
                if (toSkip >= piece.Length)
                {
                    toSkip -= piece.Length;
                    continue;
                }
                var wanted = piece.Slice((int)toSkip, (int)Math.Min(piece.Length - toSkip, left));
                toSkip = 0;
                left -= wanted.Length;
                yield return wanted;
            }
        }
    }
}
