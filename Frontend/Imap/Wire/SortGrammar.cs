using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>What messages are ordered by (RFC 5256 §3, RFC 5257 §4.9, RFC 5957 §2).</summary>
public enum SortKey
{
    Arrival,
    Cc,
    Date,
    DisplayFrom,
    DisplayTo,
    From,

    /// <summary>The best first; only with FUZZY (RFC 6203 §6).</summary>
    Relevancy,
    Size,
    Subject,
    To,

    /// <summary>The value of an annotation (RFC 5257 §4.9).</summary>
    Annotation,
}

/// <summary>One criterion of SORT; what comes first decides first.</summary>
/// <param name="Entry">Of <see cref="SortKey.Annotation"/>: its name.</param>
/// <param name="Shared">Of the same: value.shared; otherwise value.priv.</param>
public readonly record struct SortCriterion(SortKey Key, bool Reverse, string? Entry = null, bool Shared = false);

/// <summary>The arguments of SORT and UID SORT.</summary>
/// <param name="Criteria">At least one.</param>
/// <param name="Search">What to sort, and with RETURN (RFC 5267 §3) what to answer.</param>
public sealed record SortArguments(IReadOnlyList<SortCriterion> Criteria, SearchArguments Search);

/// <summary>How messages are gathered in threads (RFC 5256 §4, draft-ietf-morg-inthread).</summary>
public enum ThreadAlgorithm
{
    OrderedSubject,
    References,
    Refs,
}

/// <summary>The arguments of THREAD and UID THREAD.</summary>
public sealed record ThreadArguments(ThreadAlgorithm Algorithm, SearchArguments Search);

/// <summary>SORT and THREAD with their UID forms (RFC 5256 §5, RFC 5267 §6, RFC 5957 §3).</summary>
public static class SortGrammar
{
    /// <summary>Criteria of one command: each key twice would be pointless already.</summary>
    const int MaxCriteria = 32;

    /// <summary>What follows SORT and its space, up to the end of the command.</summary>
    public static SortArguments ParseSort(ref ImapParser parser)
    {
        SearchOptions? options = null;
        if (parser.TryWord("RETURN"u8))
        {
            parser.Space();
            options = SearchGrammar.Options(ref parser);
            parser.Space();
        }
        var criteria = Criteria(ref parser);
        parser.Space();
        var found = Found(ref parser, options);
        if (!found.UsesFuzzy && criteria.Exists(c => c.Key == SortKey.Relevancy))
        {
            ImapParser.Fail("RELEVANCY needs FUZZY");
        }
        return new(criteria, found);
    }

    /// <summary>What follows THREAD and its space, up to the end of the command.</summary>
    public static ThreadArguments ParseThread(ref ImapParser parser)
    {
        var algorithm = Algorithm(ref parser);
        parser.Space();
        return new(algorithm, Found(ref parser, null) with { Threading = algorithm });
    }

    internal static ThreadAlgorithm Algorithm(ref ImapParser parser) => parser.Word("a THREAD algorithm") switch
    {
        "ORDEREDSUBJECT" => ThreadAlgorithm.OrderedSubject,
        "REFERENCES" => ThreadAlgorithm.References,
        "REFS" => ThreadAlgorithm.Refs,
        _ => throw new ImapSyntaxException("Unknown THREAD algorithm"),
    };

    /// <summary>The charset, which must be there, and the keys.</summary>
    static SearchArguments Found(ref ImapParser parser, SearchOptions? options)
    {
        var text = SearchText.For(parser.AString("a charset"));
        parser.Space();
        return SearchGrammar.Keys(ref parser, options, text);
    }

    static List<SortCriterion> Criteria(ref ImapParser parser)
    {
        var criteria = new List<SortCriterion>(4);
        parser.OpenList();
        do
        {
            if (criteria.Count == MaxCriteria)
            {
                ImapParser.Fail("SORT has too many criteria");
            }
            var word = parser.Word("a SORT criterion");
            var reverse = word == "REVERSE";
            if (reverse)
            {
                parser.Space();
                word = parser.Word("a SORT criterion");
            }
            if (word == "ANNOTATION")
            {
                var (entry, shared) = AnnotationGrammar.SortKey(ref parser);
                criteria.Add(new(SortKey.Annotation, reverse, entry, shared));
                continue;
            }
            criteria.Add(new(Key(word), reverse));
        }
        while (parser.NextInList());
        return criteria;
    }

    static SortKey Key(string word) => word switch
    {
        "ARRIVAL" => SortKey.Arrival,
        "CC" => SortKey.Cc,
        "DATE" => SortKey.Date,
        "DISPLAYFROM" => SortKey.DisplayFrom,
        "DISPLAYTO" => SortKey.DisplayTo,
        "FROM" => SortKey.From,
        "RELEVANCY" => SortKey.Relevancy,
        "SIZE" => SortKey.Size,
        "SUBJECT" => SortKey.Subject,
        "TO" => SortKey.To,
        _ => throw new ImapSyntaxException("Unknown SORT criterion"),
    };
}
