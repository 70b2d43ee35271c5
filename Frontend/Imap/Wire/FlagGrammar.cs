using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>flag and flag-list (RFC 9051 §9).</summary>
public static class FlagGrammar
{
    /// <summary>flag-list in parentheses.</summary>
    public static FlagList List(ref ImapParser parser)
    {
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return FlagList.None;
        }
        var system = SystemFlags.None;
        List<string>? keywords = null;
        do
        {
            Flag(ref parser, ref system, ref keywords);
        }
        while (parser.NextInList());
        return new(system, keywords ?? (IReadOnlyList<string>)[]);
    }

    /// <summary>flag-list, or flags without parentheses up to the end of the command, as STORE allows.</summary>
    public static FlagList ListOrBare(ref ImapParser parser)
    {
        if (parser.Next == '(')
        {
            return List(ref parser);
        }
        var system = SystemFlags.None;
        List<string>? keywords = null;
        do
        {
            Flag(ref parser, ref system, ref keywords);
        }
        while (!parser.OnlySpacesLeft && parser.TrySkip((byte)' '));
        return new(system, keywords ?? (IReadOnlyList<string>)[]);
    }

    static void Flag(ref ImapParser parser, ref SystemFlags system, ref List<string>? keywords)
    {
        if (parser.TrySkip((byte)'\\'))
        {
            system |= parser.Word("a system flag") switch
            {
                "SEEN" => SystemFlags.Seen,
                "ANSWERED" => SystemFlags.Answered,
                "FLAGGED" => SystemFlags.Flagged,
                "DELETED" => SystemFlags.Deleted,
                "DRAFT" => SystemFlags.Draft,
                "RECENT" => throw new ImapSyntaxException("\\Recent cannot be set"),
                _ => throw new ImapSyntaxException("Unknown system flag"),
            };
            return;
        }
        var keyword = parser.Atom("a flag");
        keywords ??= [];
        if (!keywords.Exists(known => known.Equals(keyword, StringComparison.OrdinalIgnoreCase)))
        {
            keywords.Add(keyword);
        }
    }
}
