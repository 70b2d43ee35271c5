namespace MailCluster.Imap.Wire;

/// <summary>The system flags of RFC 9051 §2.3.2, and \Recent of RFC 3501, which only the server sets.</summary>
[Flags]
public enum SystemFlags
{
    None = 0,
    Seen = 1,
    Answered = 2,
    Flagged = 4,
    Deleted = 8,
    Draft = 16,
    Recent = 32,
}

/// <summary>Flags that a client sent: system flags, and keywords as they were written, each once (compared without case).</summary>
public sealed record FlagList(SystemFlags System, IReadOnlyList<string> Keywords)
{
    public static FlagList Empty { get; } = new(SystemFlags.None, []);
}

/// <summary>flag and flag-list (RFC 9051 §9).</summary>
public static class FlagGrammar
{
    /// <summary>flag-list in parentheses.</summary>
    public static FlagList List(ref ImapParser parser)
    {
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return FlagList.Empty;
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
