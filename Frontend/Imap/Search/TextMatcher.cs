namespace MailCluster.Imap.Search;

/// <summary>Looks for several strings, by a collation, in a text that comes in pieces; a match may span pieces.</summary>
internal sealed class TextMatcher : CollatedSink
{
    private readonly IReadOnlyList<string> _values;
    private readonly StringComparison _comparison;

    // The end of what was seen, as long as the longest string without its last character, with room for as much of the next piece.
    private readonly char[] _seam;
    private readonly int _overlap;
    private int _carried;
    private int _missing;

    public TextMatcher(IReadOnlyList<string> values, Collation collation)
        : base(collation)
    {
        _values = values = [.. values.Select(collation.Map)];
        _comparison = collation.Rest;
        Found = new bool[values.Count];
        for (int i = 0; i < values.Count; i++)
        {
            // RFC 9051 §6.4.4: the empty string is in every message.
            Found[i] = values[i].Length == 0;
            _missing += Found[i] ? 0 : 1;
            _overlap = Math.Max(_overlap, values[i].Length - 1);
        }
        _seam = new char[2 * _overlap];
    }

    /// <summary>For each value whether it was seen so far.</summary>
    public bool[] Found { get; }

    public bool FoundAll => _missing == 0;

    protected override bool AddCollated(ReadOnlySpan<char> piece)
    {
        if (FoundAll)
            return false;
        int begin = Math.Min(_overlap, piece.Length);
        piece[..begin].CopyTo(_seam.AsSpan(_carried));
        if (_carried > 0)
            Look(_seam.AsSpan(0, _carried + begin));
        Look(piece);
        if (piece.Length >= _overlap)
        {
            piece[^_overlap..].CopyTo(_seam);
            _carried = _overlap;
        }
        else
        {
            int seam = _carried + begin;
            int kept = Math.Min(_overlap, seam);
            _seam.AsSpan(seam - kept, kept).CopyTo(_seam);
            _carried = kept;
        }
        return !FoundAll;
    }

    private void Look(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < _values.Count; i++)
        {
            if (!Found[i] && text.Contains(_values[i], _comparison))
            {
                Found[i] = true;
                _missing--;
            }
        }
    }
}
