namespace MailCluster.Imap.Wire;

/// <summary>Which mailboxes a source of ESEARCH names (RFC 7377 §2.2, RFC 5465 §6).</summary>
public enum SearchSourceKind
{
    Selected,

    /// <summary>Where mail is delivered to.</summary>
    Inboxes,
    Personal,
    Subscribed,

    /// <summary>The named mailboxes and all below them.</summary>
    Subtree,

    /// <summary>The named mailboxes and those one level below.</summary>
    SubtreeOne,
    Mailboxes,
}

/// <param name="Names">For the last three kinds only.</param>
public sealed record SearchSource(SearchSourceKind Kind, IReadOnlyList<MailboxArgument> Names);

/// <summary>The arguments of ESEARCH.</summary>
/// <param name="Sources">At least one; the selected mailbox where none was given.</param>
public sealed record MultiSearchArguments(IReadOnlyList<SearchSource> Sources, SearchArguments Search)
{
    /// <summary>Only the selected mailbox is searched.</summary>
    public bool IsSelectedOnly => Sources.All(static s => s.Kind == SearchSourceKind.Selected);
}

/// <summary>ESEARCH (RFC 7377 §3).</summary>
public static class MultiSearchGrammar
{
    const int MaxSources = 100;
    const int MaxNames = 1000;

    /// <summary>What follows ESEARCH and its space, up to the end of the command.</summary>
    public static MultiSearchArguments Parse(ref ImapParser parser)
    {
        IReadOnlyList<SearchSource> sources = [new(SearchSourceKind.Selected, [])];
        if (parser.TryWord("IN"u8))
        {
            parser.Space();
            sources = Sources(ref parser);
            parser.Space();
        }
        SearchOptions? options = null;
        if (parser.TryWord("RETURN"u8))
        {
            parser.Space();
            options = SearchGrammar.Options(ref parser);
            parser.Space();
        }
        return new(sources, SearchGrammar.Rest(ref parser, options));
    }

    static List<SearchSource> Sources(ref ImapParser parser)
    {
        var sources = new List<SearchSource>();
        parser.OpenList();
        do
        {
            if (sources.Count == MaxSources)
            {
                ImapParser.Fail("ESEARCH has too many sources");
            }
            // The list of scope options, of which none is defined, would begin with a parenthesis.
            var kind = parser.Word("a source") switch
            {
                "SELECTED" => SearchSourceKind.Selected,
                "INBOXES" => SearchSourceKind.Inboxes,
                "PERSONAL" => SearchSourceKind.Personal,
                "SUBSCRIBED" => SearchSourceKind.Subscribed,
                "SUBTREE" => SearchSourceKind.Subtree,
                "SUBTREE-ONE" => SearchSourceKind.SubtreeOne,
                "MAILBOXES" => SearchSourceKind.Mailboxes,
                _ => throw new ImapSyntaxException("Unknown source of ESEARCH"),
            };
            sources.Add(new(kind, kind >= SearchSourceKind.Subtree ? Names(ref parser) : []));
        }
        while (parser.NextInList());
        return sources;
    }

    static IReadOnlyList<MailboxArgument> Names(ref ImapParser parser)
    {
        parser.Space();
        if (!parser.TrySkip((byte)'('))
        {
            return [parser.Mailbox()];
        }
        var names = new List<MailboxArgument>();
        do
        {
            if (names.Count == MaxNames)
            {
                ImapParser.Fail("ESEARCH names too many mailboxes");
            }
            names.Add(parser.Mailbox());
        }
        while (parser.NextInList());
        return names;
    }
}
