using System.Buffers;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MimeKit.Encodings;

namespace MailCluster.Imap.Search;

/// <summary>The text of one part, without transfer encoding and charset.</summary>
internal sealed class PartText : IDisposable
{
    /// <summary>Octets that are decoded at a time. All steps but the last have so many: the first one tells the charset where none is named.</summary>
    public const int Step = 16 * 1024;

    private readonly IMimeDecoder? _transfer;
    private readonly Encoding? _charset;
    private Decoder? _decoder;
    private byte[] _encoded = [];
    private byte[] _decoded = [];
    private char[] _chars = [];

    public PartText(BodyPart part)
    {
        _transfer = BinarySection.Decoder(part.Encoding);
        RawText charset = part.Parameter("charset"u8);
        _charset = charset.EqualsIgnoreCase("utf-8"u8) ? Encoding.UTF8
            : charset.IsEmpty || Ascii.EqualsIgnoreCase(charset.Span[^Math.Min(5, charset.Length)..], "ascii"u8) ? null
            : Charsets.Find(charset.ToString());
    }

    /// <summary>Gives the text of encoded octets that begin at a multiple of <see cref="Step"/>; false when the sink has enough.</summary>
    public bool AddAll(ReadOnlySpan<byte> encoded, TextSink sink)
    {
        while (!encoded.IsEmpty)
        {
            int length = Math.Min(encoded.Length, Step);
            if (!Add(encoded[..length], sink))
                return false;
            encoded = encoded[length..];
        }
        return true;
    }

    public void Dispose()
    {
        foreach (byte[] bytes in new[] { _encoded, _decoded })
        {
            if (bytes.Length > 0)
                ArrayPool<byte>.Shared.Return(bytes);
        }
        if (_chars.Length > 0)
            ArrayPool<char>.Shared.Return(_chars);
    }

    private bool Add(ReadOnlySpan<byte> step, TextSink sink)
    {
        ReadOnlySpan<byte> bytes = step;
        if (_transfer is not null)
        {
            // One step, or the shorter only one.
            if (_encoded.Length < step.Length)
                (_encoded, _decoded) = (ArrayPool<byte>.Shared.Rent(step.Length), ArrayPool<byte>.Shared.Rent(_transfer.EstimateOutputLength(step.Length) + 64));
            step.CopyTo(_encoded);
            bytes = _decoded.AsSpan(0, _transfer.Decode(_encoded, 0, step.Length, _decoded));
        }
        if (bytes.IsEmpty)
            return true;
        _decoder ??= (_charset ?? MessageText.Guess(bytes, mayBeCut: bytes.Length > 4096)).GetDecoder();
        int needed = _decoder.GetCharCount(bytes, flush: false);
        if (_chars.Length < needed)
        {
            if (_chars.Length > 0)
                ArrayPool<char>.Shared.Return(_chars);
            _chars = ArrayPool<char>.Shared.Rent(needed);
        }
        return sink.Add(_chars.AsSpan(0, _decoder.GetChars(bytes, _chars, flush: false)));
    }
}
