using System.Runtime.CompilerServices;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MimeKit.Utils;

namespace MailCluster.Imap.Search;

/// <summary>
/// What SEARCH looks into (RFC 9051 §6.4.4): headers with encoded words decoded, text parts without transfer encoding and charset, HTML
/// as it is. A string matches anywhere, whatever its case.
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
    public static bool HeaderContains(IReadOnlyList<ContentHeader> headers, string name, string value)
    {
        var wanted = Encoding.Latin1.GetBytes(name);
        foreach (var header in headers)
        {
            if (header.Name.EqualsIgnoreCase(wanted) && (value.Length == 0 || Contains(DecodeHeader(header.Value), value)))
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
        MessageBytes message, MessageContent content, IReadOnlyList<string> values, CancellationToken cancellationToken)
    {
        var matcher = new TextMatcher(values);
        await SearchBodyAsync(matcher, message, content, cancellationToken).ConfigureAwait(false);
        return matcher.Found;
    }

    /// <summary>SEARCH TEXT: as BODY, and in the message's header too, names of fields included.</summary>
    public static async ValueTask<bool[]> TextContainsAsync(
        MessageBytes message, MessageContent content, IReadOnlyList<string> values, CancellationToken cancellationToken)
    {
        var matcher = new TextMatcher(values);
        SearchHeaders(matcher, await HeadersAsync(message, content, cancellationToken).ConfigureAwait(false));
        if (!matcher.FoundAll)
            await SearchBodyAsync(matcher, message, content, cancellationToken).ConfigureAwait(false);
        return matcher.Found;
    }

    /// <summary>The text of a header value: encoded words (RFC 2047) decoded, 8-bit taken as UTF-8 where it is, else as Windows-1252.</summary>
    public static string DecodeHeader(RawText value)
    {
        var raw = value.Bytes.ToArray();
        return raw.AsSpan().IndexOf("=?"u8) < 0 ? Guess(raw, mayBeCut: false).GetString(raw) : Rfc2047.DecodeText(raw);
    }

    /// <summary>The decoded texts of a message in order, in pieces: its text parts and the headers of embedded messages.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<char>> BodyTextAsync(
        MessageBytes message, BodyPart root, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var left = MaxSearched;
        var parts = new Stack<BodyPart>([root]);
        while (parts.TryPop(out var part) && left > 0)
        {
            for (var i = part.Parts.Count - 1; i >= 0; i--)
                parts.Push(part.Parts[i]);
            if (part.Kind == BodyPartKind.Message)
            {
                var fields = Fields(await ReadAsync(message, Header(message, part.Parts[0]), cancellationToken).ConfigureAwait(false));
                left -= part.Parts[0].HeaderLength;
                foreach (var field in fields)
                    yield return $"{field.Name}: {DecodeHeader(field.Value)}\n".AsMemory();
            }
            else if (part.Kind == BodyPartKind.Leaf && part.IsText)
            {
                var length = Math.Min(part.BodyLength, left);
                left -= length;
                await foreach (var piece in PartTextAsync(message, part, length, cancellationToken).ConfigureAwait(false))
                    yield return piece;
                yield return "\n".AsMemory();
            }
        }
    }

    /// <summary>The first octets of a text part, without transfer encoding and charset; each piece is valid until the next is asked for.</summary>
    internal static async IAsyncEnumerable<ReadOnlyMemory<char>> PartTextAsync(
        MessageBytes message, BodyPart part, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var charset = part.Parameter("charset"u8).ToString();
        var named = charset.Length == 0 || charset.EndsWith("ascii", StringComparison.OrdinalIgnoreCase) ? null : Charsets.Find(charset);
        Decoder? decoder = null;
        var chars = Array.Empty<char>();
        var range = new ByteRange(message.Prefix.Length + part.BodyOffset, length);
        await foreach (var piece in BinarySection.DecodeAsync(message, range, part.Encoding, cancellationToken).ConfigureAwait(false))
        {
            decoder ??= (named ?? Guess(piece.Span, mayBeCut: piece.Length > 4096)).GetDecoder();
            var needed = decoder.GetCharCount(piece.Span, flush: false);
            if (chars.Length < needed)
                chars = new char[needed];
            yield return chars.AsMemory(0, decoder.GetChars(piece.Span, chars, flush: false));
        }
    }

    private static async ValueTask SearchBodyAsync(TextMatcher matcher, MessageBytes message, MessageContent content, CancellationToken cancellationToken)
    {
        await foreach (var piece in BodyTextAsync(message, content.Root, cancellationToken).ConfigureAwait(false))
        {
            matcher.Add(piece.Span);
            if (matcher.FoundAll)
                return;
        }
    }

    private static void SearchHeaders(TextMatcher matcher, IReadOnlyList<ContentHeader> headers)
    {
        foreach (var header in headers)
            matcher.Add($"{header.Name}: {DecodeHeader(header.Value)}\n");
    }

    private static bool Contains(string text, string value) => text.Contains(value, StringComparison.OrdinalIgnoreCase);

    private static Encoding Guess(ReadOnlySpan<byte> bytes, bool mayBeCut)
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
