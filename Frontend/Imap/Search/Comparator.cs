using System.IO.Enumeration;

namespace MailCluster.Imap.Search;

/// <summary>What a session compares with (RFC 5255 §4.2, "active comparator"): a collation, and whether it orders the other way round (RFC 4790 §3.3).</summary>
public sealed record Comparator(Collation Collation, bool Inverted = false)
{
    /// <summary>The one that is active until COMPARATOR chooses another.</summary>
    public static Comparator Default { get; } = new(Collation.Unicode);

    /// <summary>Its collation-selected.</summary>
    public string Name => Inverted ? "-" + Collation.Name : Collation.Name;

    /// <summary>All that a collation-order names, those of the widest use first.</summary>
    /// <param name="order">As the grammar has let it through.</param>
    public static IEnumerable<Comparator> Matching(string order)
    {
        bool inverted = order[0] == '-';
        string wild = order[0] is '-' or '+' ? order[1..] : order;
        if (wild.Equals("default", StringComparison.OrdinalIgnoreCase))
            return [Default with { Inverted = inverted }];
        return Collation.All.Where(c => FileSystemName.MatchesSimpleExpression(wild, c.Name)).Select(c => new Comparator(c, inverted));
    }
}
