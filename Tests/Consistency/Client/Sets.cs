using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>Sets of numbers as the wire has them (RFC 9051 §9 sequence-set, uid-set), without '*'.</summary>
internal static class Sets
{
    /// <summary>Null where it is none.</summary>
    public static UidSet? Parse(string? text) => InOrder(text) is { } ranges ? UidSet.FromRanges(ranges) : null;

    /// <summary>The members in the order of the text: COPYUID pairs two of them (RFC 4315 §3). Null where it is no set, or has more than 100,000 members.</summary>
    public static IReadOnlyList<uint>? Members(string? text)
    {
        if (InOrder(text) is not { } ranges || ranges.Sum(static r => r.Count) > 100_000)
            return null;
        return [.. ranges.SelectMany(static r => UidSet.FromRanges([r]).Uids())];
    }

    private static List<UidRange>? InOrder(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var ranges = new List<UidRange>();
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split(':');
            if (ends.Length > 2 || !uint.TryParse(ends[0], out uint a) || !uint.TryParse(ends[^1], out uint b) || a == 0 || b == 0)
                return null;
            ranges.Add(new UidRange(Math.Min(a, b), Math.Max(a, b)));
        }
        return ranges;
    }
}
