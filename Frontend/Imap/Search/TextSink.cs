using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>Takes the text of a message piece by piece.</summary>
internal abstract class TextSink
{
    /// <summary>Takes the next piece, which may begin and end anywhere; false when no more is wanted.</summary>
    public abstract bool Add(ReadOnlySpan<char> piece);
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
