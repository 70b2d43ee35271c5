namespace MailCluster.Imap.Search;

/// <summary>Looks for several strings, whatever their case, in a text that comes in pieces; a match may span pieces.</summary>
internal sealed class TextMatcher
{
    private readonly IReadOnlyList<string> values;
    private readonly int overlap;
    private char[] window = [];
    private int carried;
    private int missing;

    public TextMatcher(IReadOnlyList<string> values)
    {
        this.values = values;
        Found = new bool[values.Count];
        for (var i = 0; i < values.Count; i++)
        {
            // RFC 9051 §6.4.4: the empty string is in every message.
            Found[i] = values[i].Length == 0;
            missing += Found[i] ? 0 : 1;
            overlap = Math.Max(overlap, values[i].Length - 1);
        }
    }

    /// <summary>For each value whether it was seen so far.</summary>
    public bool[] Found { get; }
    public bool FoundAll => missing == 0;

    public void Add(ReadOnlySpan<char> piece)
    {
        if (FoundAll || piece.IsEmpty)
            return;
        var length = carried + piece.Length;
        if (window.Length < length)
            Array.Resize(ref window, Math.Max(length, 2 * window.Length));
        piece.CopyTo(window.AsSpan(carried));
        var text = window.AsSpan(0, length);
        for (var i = 0; i < values.Count; i++)
        {
            if (!Found[i] && text.Contains(values[i], StringComparison.OrdinalIgnoreCase))
            {
                Found[i] = true;
                missing--;
            }
        }
        carried = Math.Min(overlap, length);
        text[^carried..].CopyTo(window);
    }
}
