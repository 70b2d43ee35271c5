using System.Buffers;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MimeKit.Utils;

namespace MailCluster.Imap.Search;

/// <summary>
/// What SEARCH looks into (RFC 9051 §6.4.4): headers with encoded words decoded, those of parts with TEXT only, text parts without transfer encoding and charset, HTML
/// as it is. A string matches anywhere, as a collation compares it.
/// </summary>
public static class MessageText
{
    /// <summary>Octets of encoded text of one message that are searched; more is not text that a person wrote.</summary>
    public const long MaxSearched = 32 * 1024 * 1024;

    private const int MaxHeaderBlock = 1024 * 1024;

    /// <summary>
    /// True when a field of that name holds <paramref name="value"/>; an empty value asks only for the field (SEARCH HEADER, SUBJECT, FROM…).
    /// </summary>
    /// <param name="headers">Of the message; <see cref="HeadersAsync"/> gives all of them.</param>
    public static bool HeaderContains(IReadOnlyList<ContentHeader> headers, string name, string value, Collation collation)
    {
        var wanted = Encoding.Latin1.GetBytes(name);
        foreach (var header in headers)
        {
            if (header.Name.EqualsIgnoreCase(wanted) && (value.Length == 0 || collation.Contains(DecodeHeader(header.Value), value)))
                return true;
        }
        return false;
    }

    /// <summary>All header fields: those that this server put in front, then the message's own. Reads the body only where the stored list is cut short.</summary>
    public static async ValueTask<IReadOnlyList<ContentHeader>> HeadersAsync(MessageBytes message, MessageContent content, CancellationToken cancellationToken)
    {
        var headers = Fields(message.Prefix);
        if (!content.HeadersTruncated)
            headers.AddRange(content.Headers);
        else
            headers.AddRange(Fields(await ReadAsync(message, Header(message, content.Root), cancellationToken).ConfigureAwait(false)));
        return headers;
    }

    /// <summary>
    /// SEARCH BODY: for each of the values whether it is in a text part or in the header of an embedded message. One pass for all values.
    /// </summary>
    public static async ValueTask<bool[]> BodyContainsAsync(
        MessageBytes message, BodyPart root, IReadOnlyList<string> values, Collation collation, CancellationToken cancellationToken)
    {
        var matcher = new TextMatcher(values, collation);
        await ReadBodyAsync(matcher, message, root, mimeHeaders: false, cancellationToken).ConfigureAwait(false);
        return matcher.Found;
    }

    /// <summary>SEARCH TEXT: as BODY, and in the message's header and those of its parts too, names of fields included.</summary>
    /// <param name="headers">All of the message: see <see cref="HeadersAsync"/>.</param>
    public static async ValueTask<bool[]> TextContainsAsync(
        MessageBytes message, BodyPart root, IReadOnlyList<ContentHeader> headers, IReadOnlyList<string> values, Collation collation, CancellationToken cancellationToken)
    {
        var matcher = new TextMatcher(values, collation);
        if (ReadHeaders(matcher, headers))
            await ReadBodyAsync(matcher, message, root, mimeHeaders: true, cancellationToken).ConfigureAwait(false);
        return matcher.Found;
    }

    /// <summary>Gives the text of header fields, each as a line; false when the sink has enough.</summary>
    internal static bool ReadHeaders(TextSink sink, IReadOnlyList<ContentHeader> headers)
    {
        foreach (var header in headers)
        {
            if (!sink.Add($"{header.Name}: {DecodeHeader(header.Value)}\n"))
                return false;
        }
        return true;
    }

    /// <summary>Gives the decoded texts of a message in order, until the sink has enough: its text parts and the headers of embedded messages.</summary>
    /// <param name="mimeHeaders">Also the header fields of all parts, such as the names of attached files.</param>
    internal static async ValueTask ReadBodyAsync(TextSink sink, MessageBytes message, BodyPart root, bool mimeHeaders, CancellationToken cancellationToken)
    {
        var left = MaxSearched;
        var parts = new Stack<(BodyPart Part, bool WithHeader)>([(root, false)]);
        while (parts.TryPop(out var next) && left > 0)
        {
            var part = next.Part;
            if (next.WithHeader)
            {
                left -= part.HeaderLength;
                if (!ReadHeaders(sink, Fields(await ReadAsync(message, Header(message, part), cancellationToken).ConfigureAwait(false))))
                    return;
            }
            for (var i = part.Parts.Count - 1; i >= 0; i--)
                parts.Push((part.Parts[i], mimeHeaders || part.Kind == BodyPartKind.Message));
            if (part.Kind == BodyPartKind.Leaf && part.IsText)
            {
                var length = Math.Clamp(left, 0, part.BodyLength);
                left -= length;
                if (!await ReadPartAsync(sink, message, part, length, cancellationToken).ConfigureAwait(false) || !sink.Add("\n"))
                    return;
            }
        }
    }

    /// <summary>The text of a header value: encoded words (RFC 2047) decoded, 8-bit taken as UTF-8 where it is, else as Windows-1252.</summary>
    public static string DecodeHeader(RawText value)
    {
        var raw = value.Bytes.ToArray();
        return raw.AsSpan().IndexOf("=?"u8) < 0 ? Guess(raw, mayBeCut: false).GetString(raw) : Rfc2047.DecodeText(raw);
    }

    /// <summary>Gives the text of a text part's first octets, without transfer encoding and charset; false when the sink has enough.</summary>
    internal static async ValueTask<bool> ReadPartAsync(TextSink sink, MessageBytes message, BodyPart part, long length, CancellationToken cancellationToken)
    {
        using var text = new PartText(part);
        var range = new ByteRange(message.Prefix.Length + part.BodyOffset, length);
        // What is in memory is decoded where it is; what is not is gathered into the same steps, so that the text does not depend on where a message is kept.
        if (message.TryGetBytes(range, out ReadOnlyMemory<byte> bytes))
            return text.AddAll(bytes.Span, sink);
        var step = ArrayPool<byte>.Shared.Rent(PartText.Step);
        try
        {
            var filled = 0;
            await foreach (var piece in message.ReadAsync(range, cancellationToken).ConfigureAwait(false))
            {
                for (var rest = piece; !rest.IsEmpty;)
                {
                    var taken = Math.Min(rest.Length, PartText.Step - filled);
                    rest[..taken].CopyTo(step.AsMemory(filled));
                    rest = rest[taken..];
                    filled += taken;
                    if (filled < PartText.Step)
                        continue;
                    if (!text.AddAll(step.AsSpan(0, filled), sink))
                        return false;
                    filled = 0;
                }
            }
            return text.AddAll(step.AsSpan(0, filled), sink);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(step);
        }
    }

    /// <summary>UTF-8 where the bytes are that, else Windows-1252.</summary>
    internal static Encoding Guess(ReadOnlySpan<byte> bytes, bool mayBeCut)
    {
        // A character may be cut at the end of a piece: that alone does not make it other than UTF-8.
        var end = bytes.Length;
        while (mayBeCut && end > 0 && bytes.Length - end < 3 && bytes[end - 1] >= 0x80)
            end--;
        return System.Text.Unicode.Utf8.IsValid(bytes) || System.Text.Unicode.Utf8.IsValid(bytes[..end]) ? Encoding.UTF8 : Charsets.Western;
    }

    private static ByteRange Header(MessageBytes message, BodyPart part) =>
        new(message.Prefix.Length + part.HeaderOffset, Math.Min(part.HeaderLength, MaxHeaderBlock));

    private static List<ContentHeader> Fields(ReadOnlyMemory<byte> block)
    {
        var headers = new List<ContentHeader>();
        var rest = block.Span;
        while (HeaderField.TryRead(ref rest, out var field))
        {
            var memory = block.Slice(block.Length - rest.Length - field.Length, field.Length);
            var name = HeaderField.Name(field);
            if (name.Length > 0)
                headers.Add(new ContentHeader(new RawText(memory[..name.Length]), new RawText(HeaderField.Value(memory))));
        }
        return headers;
    }

    private static async ValueTask<byte[]> ReadAsync(MessageBytes message, ByteRange range, CancellationToken cancellationToken)
    {
        var bytes = new byte[range.Length];
        var at = 0;
        await foreach (var piece in message.ReadAsync(range, cancellationToken).ConfigureAwait(false))
        {
            piece.CopyTo(bytes.AsMemory(at));
            at += piece.Length;
        }
        return bytes;
    }
}
