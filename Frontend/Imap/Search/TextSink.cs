using System.Buffers;
using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>Takes the text of a message piece by piece.</summary>
internal abstract class TextSink
{
    /// <summary>Takes the next piece, which may begin and end anywhere; false when no more is wanted.</summary>
    public abstract bool Add(ReadOnlySpan<char> piece);
}

/// <summary>Takes the text as a collation maps it, but for what <see cref="Collation.Rest"/> takes for the same.</summary>
internal abstract class CollatedSink(Collation collation) : TextSink
{
    private ArrayBufferWriter<char>? _mapped;
    private char _half;

    public sealed override bool Add(ReadOnlySpan<char> piece)
    {
        if (_half == 0 && collation.IsPlain(piece))
            return AddCollated(piece);
        _mapped ??= new ArrayBufferWriter<char>(piece.Length + 1);
        _mapped.ResetWrittenCount();
        if (_half != 0 && piece.Length > 0)
        {
            collation.Append([_half, piece[0]], _mapped);
            piece = piece[1..];
            _half = '\0';
        }
        // A character beyond U+FFFF may be cut in two where a piece ends.
        if (piece.Length > 0 && char.IsHighSurrogate(piece[^1]))
        {
            _half = piece[^1];
            piece = piece[..^1];
        }
        collation.Append(piece, _mapped);
        return AddCollated(_mapped.WrittenSpan);
    }

    /// <summary>What comes next is the beginning of another text.</summary>
    protected void Restart() => _half = '\0';

    protected abstract bool AddCollated(ReadOnlySpan<char> piece);
}

/// <summary>Keeps all of the text.</summary>
internal sealed class TextBuffer : TextSink
{
    private readonly StringBuilder _text = new();

    public override bool Add(ReadOnlySpan<char> piece)
    {
        _text.Append(piece);
        return true;
    }

    public override string ToString() => _text.ToString();
}
