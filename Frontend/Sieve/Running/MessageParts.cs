using System.Text;
using MimeKit;

namespace MailCluster.Sieve.Running;

/// <summary>The parts of a message, or of its beginning, as the body test looks at them (RFC 5173 §5).</summary>
internal sealed class MessageParts
{
    private const int MaxDepth = 32;

    private readonly List<(string Type, Func<string> Text)> _parts = [];

    /// <summary>Behind the header, octet for octet as Latin-1 where it is not UTF-8.</summary>
    public string Raw { get; private init; } = "";

    public static MessageParts Of(ReadOnlyMemory<byte> message)
    {
        int body = Find(message.Span);
        var parts = new MessageParts { Raw = Decode(message.Span[body..]) };
        try
        {
            using var stream = new MemoryStream(message.ToArray());
            var options = ParserOptions.Default.Clone();
            options.MaxMimeDepth = MaxDepth;
            MimeMessage parsed = MimeMessage.Load(options, stream);
            if (parsed.Body is { } root)
                parts.Add(root, MaxDepth);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException)
        {
            // Broken beyond what the parser takes: one text.
            parts._parts.Add(("text/plain", () => parts.Raw));
        }
        return parts;
    }

    /// <summary>The texts of parts whose type, or its first half, is one of these; "" is all of them. Multiparts and messages stand for what they have in them.</summary>
    public IEnumerable<string> Texts(IReadOnlyList<string> types)
    {
        foreach ((string type, Func<string> text) in _parts)
        {
            if (types.Any(t => t.Length == 0 || type == t || (!t.Contains('/') && type.StartsWith(t + "/", StringComparison.Ordinal))))
                yield return text();
        }
    }

    private void Add(MimeEntity entity, int depth)
    {
        string type = entity.ContentType.MimeType.ToLowerInvariant();
        switch (entity)
        {
            case Multipart multipart when depth > 0:
                // Prologue and epilogue (RFC 5173 §5.2).
                _parts.Add((type, () => $"{multipart.Preamble}\r\n{multipart.Epilogue}"));
                foreach (MimeEntity part in multipart)
                    Add(part, depth - 1);
                break;
            case MessagePart { Message: { } inner } when depth > 0:
                _parts.Add((type, () => inner.Headers.ToString() ?? ""));
                if (inner.Body is { } body)
                    Add(body, depth - 1);
                break;
            case TextPart text:
                _parts.Add((type, () => text.Text ?? ""));
                break;
            case MimePart { Content: { } content }:
                _parts.Add((type, () =>
                {
                    using var bytes = new MemoryStream();
                    content.DecodeTo(bytes);
                    return Decode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
                }));
                break;
        }
    }

    private static int Find(ReadOnlySpan<byte> message)
    {
        int empty = message.IndexOf("\r\n\r\n"u8);
        return message.StartsWith("\r\n"u8) ? 2 : empty < 0 ? message.Length : empty + 4;
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }
}
