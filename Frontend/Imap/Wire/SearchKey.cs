using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

public enum DateComparison
{
    Before,
    On,
    Since,
}

/// <summary>One search-key of RFC 9051 §6.4.4 and its extensions. Composite keys hold others to a bounded depth.</summary>
public abstract record SearchKey
{
    SearchKey()
    {
    }

    /// <summary>The keys that this one is made of, in their order; none where it stands alone.</summary>
    public IReadOnlyList<SearchKey> Parts => this switch
    {
        And and => and.Keys,
        Or or => [or.Left, or.Right],
        Not not => [not.Key],
        Fuzzy fuzzy => [fuzzy.Key],
        InThread inThread => [inThread.Key],
        _ => [],
    };

    /// <summary>The same made of other parts, which are asked for one after the other.</summary>
    public async ValueTask<SearchKey> WithPartsAsync(Func<SearchKey, ValueTask<SearchKey>> other)
    {
        IReadOnlyList<SearchKey> parts = Parts;
        var others = new SearchKey[parts.Count];
        for (int i = 0; i < others.Length; i++)
            others[i] = await other(parts[i]);
        return this switch
        {
            And => new And(others),
            Or => new Or(others[0], others[1]),
            Not => new Not(others[0]),
            Fuzzy => new Fuzzy(others[0]),
            InThread => new InThread(others[0]),
            _ => this,
        };
    }

    public sealed record All : SearchKey
    {
        public static All Key { get; } = new();
    }

    /// <summary>Message numbers, or '$'.</summary>
    public sealed record Numbers(SequenceSet Set) : SearchKey;

    public sealed record Uid(SequenceSet Set) : SearchKey;

    /// <summary>All of the keys, at least one.</summary>
    public sealed record And(IReadOnlyList<SearchKey> Keys) : SearchKey;

    public sealed record Or(SearchKey Left, SearchKey Right) : SearchKey;

    public sealed record Not(SearchKey Key) : SearchKey;

    /// <summary>FUZZY (RFC 6203 §3): the key may be taken less than literally.</summary>
    public sealed record Fuzzy(SearchKey Key) : SearchKey;

    /// <summary>The message has this one system flag.</summary>
    public sealed record HasFlag(SystemFlags Flag) : SearchKey;

    /// <summary>The message is \Recent in this session (RFC 3501).</summary>
    public sealed record Recent : SearchKey;

    public sealed record HasKeyword(string Keyword) : SearchKey;

    /// <summary>BEFORE, ON, SINCE: the internal date in its own zone.</summary>
    public sealed record InternalDate(DateComparison Comparison, DateOnly Date) : SearchKey;

    /// <summary>SENTBEFORE, SENTON, SENTSINCE: the Date header in its own zone.</summary>
    public sealed record SentDate(DateComparison Comparison, DateOnly Date) : SearchKey;

    /// <summary>SAVEDBEFORE, SAVEDON, SAVEDSINCE (RFC 8514).</summary>
    public sealed record SaveDate(DateComparison Comparison, DateOnly Date) : SearchKey;

    /// <summary>SAVEDATESUPPORTED (RFC 8514): the mailbox keeps save dates.</summary>
    public sealed record SaveDateSupported : SearchKey;

    /// <summary>OLDER: received <paramref name="Seconds"/> ago or more; otherwise YOUNGER: less than or exactly that long ago (RFC 5032).</summary>
    public sealed record Within(bool Older, uint Seconds) : SearchKey;

    /// <summary>LARGER (more octets than) or SMALLER (fewer than).</summary>
    public sealed record Size(bool Larger, long Octets) : SearchKey;

    /// <summary>HEADER, and FROM, TO, CC, BCC, SUBJECT under those names. An empty value asks only whether the field is there.</summary>
    public sealed record Header(string Name, string Value) : SearchKey;

    public sealed record Body(string Value) : SearchKey;

    public sealed record Text(string Value) : SearchKey;

    /// <summary>
    /// MODSEQ (RFC 7162 §3.1.5): modseq at least <paramref name="Value"/>. The entry (a flag's name such as /flags/\Seen) may be ignored by
    /// a server that keeps one modseq a message.
    /// </summary>
    public sealed record ModSeq(long Value, string? Entry) : SearchKey;

    public sealed record EmailId(string Id) : SearchKey;

    public sealed record ThreadId(string Id) : SearchKey;

    /// <summary>INTHREAD (draft-ietf-morg-inthread §3.1): in a thread with a message that the key finds. Like the other two, replaced by UIDs before anything is searched.</summary>
    public sealed record InThread(SearchKey Key) : SearchKey;

    /// <summary>THREADROOT (there §3.2): the message it answers is not in the mailbox.</summary>
    public sealed record ThreadRoot : SearchKey;

    /// <summary>THREADLEAF (there §3.3): no message in the mailbox answers it.</summary>
    public sealed record ThreadLeaf : SearchKey;

    /// <summary>MESSAGEID (there §3.4), without angle brackets, blanks and quotes.</summary>
    public sealed record MessageId(string Id) : SearchKey;

    /// <summary>
    /// ANNOTATION (RFC 5257 §4.8): the value of an entry holds the string; null: there is none such with a value. Replaced by UIDs before anything is searched.
    /// </summary>
    /// <param name="Entry">A name or a pattern.</param>
    /// <param name="Shared">Only shared ones, or only the user's own; null for both.</param>
    public sealed record Annotation(string Entry, bool? Shared, string? Value) : SearchKey;

    /// <summary>FILTER (RFC 5466 §3.1): the keys that are stored under the name, in lower case; replaced by them before anything is searched.</summary>
    public sealed record Filter(string Name) : SearchKey;
}

/// <summary>Result options of SEARCH RETURN (RFC 9051 §6.4.4, RFC 4731, RFC 5182, RFC 9394). RETURN () asks for All.</summary>
[Flags]
public enum SearchReturn
{
    None = 0,
    Min = 1,
    Max = 2,
    Count = 4,
    All = 8,
    Save = 16,

    /// <summary>Results of a range, which is beside it.</summary>
    Partial = 32,

    /// <summary>How well each result fits (RFC 6203 §4), only with FUZZY.</summary>
    Relevancy = 64,

    /// <summary>Changes of the result are told from then on (RFC 5267 §4.3).</summary>
    Update = 128,

    /// <summary>The same will be searched for again (RFC 5267 §4.2).</summary>
    Context = 256,

    /// <summary>What ESEARCH has data of, or SAVE keeps.</summary>
    Results = Min | Max | Count | All | Save | Partial | Relevancy,
}

/// <summary>What stands behind RETURN.</summary>
/// <param name="Partial">The range of PARTIAL.</param>
/// <param name="UpdateFetch">What is fetched of new messages that UPDATE adds (RFC 5465 §7).</param>
public readonly record struct SearchOptions(SearchReturn Return, PartialRange? Partial, IReadOnlyList<FetchAttribute>? UpdateFetch = null)
{
    /// <summary>THREAD=: by what keys about threads go (draft-ietf-morg-inthread §3.5).</summary>
    public ThreadAlgorithm Threading { get; init; } = ThreadAlgorithm.Refs;
}

/// <summary>The arguments of SEARCH and UID SEARCH.</summary>
/// <param name="Return">Null where RETURN was not given: a rev1 session gets the plain SEARCH response then.</param>
/// <param name="Key">What to find.</param>
/// <param name="BadCharset">The charset is unknown: NO [BADCHARSET …], and <paramref name="Key"/> means nothing.</param>
/// <param name="UsesModSeq">A MODSEQ key occurs: the command enables CONDSTORE, and the answer carries a MODSEQ.</param>
public sealed record SearchArguments(SearchReturn? Return, SearchKey Key, bool BadCharset, bool UsesModSeq)
{
    /// <summary>Which of the results PARTIAL asks for; null without it.</summary>
    public PartialRange? Partial { get; init; }

    /// <summary>What is fetched of new messages that UPDATE adds; null for nothing.</summary>
    public IReadOnlyList<FetchAttribute>? UpdateFetch { get; init; }

    /// <summary>By what keys about threads go.</summary>
    public ThreadAlgorithm Threading { get; init; } = ThreadAlgorithm.Refs;

    /// <summary>UPDATE was given.</summary>
    public bool Updates => Return?.HasFlag(SearchReturn.Update) == true;

    /// <summary>A FUZZY key occurs.</summary>
    public bool UsesFuzzy { get; init; }

    /// <summary>Message numbers occur.</summary>
    public bool UsesNumbers { get; init; }

    /// <summary>UIDs, or '$', occur.</summary>
    public bool UsesUids { get; init; }

    /// <summary>FILTER occurs.</summary>
    public bool UsesFilters { get; init; }

    /// <summary>CHARSET was given.</summary>
    public bool NamesCharset { get; init; }
}
