namespace MailCluster.Imap.Wire;

/// <summary>partial-range of RFC 9394 §4: results by their place, from 1 for the first, or counted from the last.</summary>
/// <param name="First">As it was written, at least 1.</param>
/// <param name="Last">As it was written, at least 1; may be before <paramref name="First"/>.</param>
/// <param name="FromEnd">Both were written with a minus: 1 is the last result.</param>
public readonly record struct PartialRange(uint First, uint Last, bool FromEnd)
{
    /// <summary>The places that it asks for.</summary>
    public long Length => Math.Abs((long)Last - First) + 1;

    /// <summary>The places of the range among <paramref name="count"/> results, from 0; nothing where the range is out of them.</summary>
    public (int Start, int Length) Of(int count)
    {
        long low = Math.Min(First, Last);
        long high = Math.Min(Math.Max(First, Last), count);
        if (low > high)
        {
            return (0, 0);
        }
        return ((int)(FromEnd ? count - high : low - 1), (int)(high - low + 1));
    }

    public override string ToString() => FromEnd ? $"-{First}:-{Last}" : $"{First}:{Last}";
}

/// <summary>PARTIAL of SEARCH, SORT and UID FETCH (RFC 9394 §4).</summary>
public static class PartialGrammar
{
    /// <summary>Two numbers other than 0, both with a minus or both without.</summary>
    public static PartialRange Range(ref ImapParser parser)
    {
        var fromEnd = parser.TrySkip((byte)'-');
        var first = parser.NonZero("a range");
        parser.Skip((byte)':', "a range");
        if (fromEnd)
        {
            parser.Skip((byte)'-', "a range that is counted from the end throughout");
        }
        return new(first, parser.NonZero("a range"), fromEnd);
    }
}
