using System.Text;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;

namespace MailCluster.Imap.Wire;

/// <summary>SEARCH and UID SEARCH (RFC 9051 §6.4.4 and §9, RFC 3501, RFC 5032, RFC 5182, RFC 5267, RFC 6203, RFC 7162, RFC 8474, RFC 8514, RFC 9394).</summary>
public static class SearchGrammar
{
    /// <summary>Levels of NOT, OR and parentheses: far beyond any client, far below any stack.</summary>
    public const int MaxDepth = 100;

    /// <summary>Keys in one command, composite ones included.</summary>
    public const int MaxKeys = 2000;

    /// <summary>INTHREAD keys in one command: each is a search of its own.</summary>
    const int MaxInThread = 10;

    static readonly SearchKey Seen = new SearchKey.HasFlag(SystemFlags.Seen);
    static readonly SearchKey Answered = new SearchKey.HasFlag(SystemFlags.Answered);
    static readonly SearchKey Flagged = new SearchKey.HasFlag(SystemFlags.Flagged);
    static readonly SearchKey Deleted = new SearchKey.HasFlag(SystemFlags.Deleted);
    static readonly SearchKey Draft = new SearchKey.HasFlag(SystemFlags.Draft);
    static readonly SearchKey Recent = new SearchKey.Recent();
    static readonly SearchKey New = new SearchKey.And([Recent, new SearchKey.Not(Seen)]);

    /// <summary>What follows SEARCH and its space, up to the end of the command.</summary>
    public static SearchArguments Parse(ref ImapParser parser)
    {
        SearchOptions? options = null;
        if (parser.TryWord("RETURN"u8))
        {
            parser.Space();
            options = Options(ref parser);
            parser.Space();
        }
        return Rest(ref parser, options);
    }

    /// <summary>CHARSET, where it is given, and the keys, up to the end of the command.</summary>
    internal static SearchArguments Rest(ref ImapParser parser, SearchOptions? options)
    {
        var text = SearchText.Default;
        var named = parser.TryWord("CHARSET"u8);
        if (named)
        {
            parser.Space();
            text = SearchText.For(parser.AString("a charset"));
            parser.Space();
        }
        return Keys(ref parser, options, text) with { NamesCharset = named };
    }

    /// <summary>The keys, up to the end of the command.</summary>
    internal static SearchArguments Keys(ref ImapParser parser, SearchOptions? options, SearchText text)
    {
        var context = new Context { Text = text };
        var key = Keys(ref parser, ref context, 0);
        parser.End();
        if (options is { } asked && asked.Return.HasFlag(SearchReturn.Relevancy) && !context.UsesFuzzy)
        {
            ImapParser.Fail("RELEVANCY needs FUZZY");
        }
        return new(options?.Return, key, context.Text.IsUnknown, context.UsesModSeq) { Partial = options?.Partial, UpdateFetch = options?.UpdateFetch, Threading = options?.Threading ?? ThreadAlgorithm.Refs, UsesFuzzy = context.UsesFuzzy, UsesNumbers = context.UsesNumbers, UsesUids = context.UsesUids, UsesFilters = context.UsesFilters };
    }

    /// <summary>The list behind RETURN.</summary>
    internal static SearchOptions Options(ref ImapParser parser)
    {
        var returns = SearchReturn.None;
        PartialRange? partial = null;
        IReadOnlyList<FetchAttribute>? fetch = null;
        var threading = ThreadAlgorithm.Refs;
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return new(SearchReturn.All, null);
        }
        do
        {
            var word = parser.Word("a SEARCH return option");
            if (word == "THREAD" && parser.TrySkip((byte)'='))
            {
                threading = SortGrammar.Algorithm(ref parser);
                continue;
            }
            var option = word switch
            {
                "MIN" => SearchReturn.Min,
                "MAX" => SearchReturn.Max,
                "COUNT" => SearchReturn.Count,
                "ALL" => SearchReturn.All,
                "SAVE" => SearchReturn.Save,
                "PARTIAL" => SearchReturn.Partial,
                "RELEVANCY" => SearchReturn.Relevancy,
                "UPDATE" => SearchReturn.Update,
                "CONTEXT" => SearchReturn.Context,
                _ => throw new ImapSyntaxException("Unknown SEARCH return option"),
            };
            if (option == SearchReturn.Partial)
            {
                // RFC 9394 §3.1: one PARTIAL, or ALL, or neither.
                if (partial is not null)
                {
                    ImapParser.Fail("PARTIAL may be given once");
                }
                parser.Space();
                partial = PartialGrammar.Range(ref parser);
            }
            // Before the list there is no space in the formal syntax of RFC 5465 §8, and one in its example.
            if (option == SearchReturn.Update && (parser.TrySkip(" ("u8) || parser.TrySkip((byte)'(')))
            {
                fetch = FetchGrammar.Rest(ref parser);
            }
            returns |= option;
        }
        while (parser.NextInList());
        if (partial is not null && returns.HasFlag(SearchReturn.All))
        {
            ImapParser.Fail("ALL and PARTIAL exclude each other");
        }
        // How threads are found asks for nothing.
        return new(returns == SearchReturn.None ? SearchReturn.All : returns, partial, fetch) { Threading = threading };
    }

    /// <summary>The tags of CANCELUPDATE (RFC 5267 §5).</summary>
    public static IReadOnlyList<string> ParseCancelUpdate(ref ImapParser parser)
    {
        var tags = new List<string> { Tag(ref parser) };
        while (!parser.OnlySpacesLeft)
        {
            parser.Space();
            tags.Add(Tag(ref parser));
        }
        parser.End();
        return tags;

        static string Tag(ref ImapParser parser) => Encoding.ASCII.GetString(parser.AString("a tag"));
    }

    /// <summary>Keys with spaces between, up to ')' or the end.</summary>
    static SearchKey Keys(ref ImapParser parser, ref Context context, int depth)
    {
        var first = Key(ref parser, ref context, depth);
        List<SearchKey>? keys = null;
        while (parser.Next == ' ' && !parser.OnlySpacesLeft)
        {
            parser.Space();
            if (parser.Next == ')')
            {
                break;
            }
            keys ??= [first];
            keys.Add(Key(ref parser, ref context, depth));
        }
        return keys is null ? first : new SearchKey.And(keys);
    }

    static SearchKey Key(ref ImapParser parser, ref Context context, int depth)
    {
        if (depth >= MaxDepth)
        {
            ImapParser.Fail("SEARCH keys are nested too deeply");
        }
        if (++context.Count > MaxKeys)
        {
            ImapParser.Fail("SEARCH has too many keys");
        }
        var next = parser.Next;
        if (next == '(')
        {
            parser.OpenList();
            var keys = Keys(ref parser, ref context, depth + 1);
            parser.Skip((byte)')', ")");
            return keys;
        }
        if (next is (byte)'*' or (byte)'$' || (uint)(next - '0') <= 9)
        {
            context.UsesNumbers |= next != '$';
            context.UsesUids |= next == '$';
            return new SearchKey.Numbers(parser.SequenceSet());
        }
        var word = parser.Word("a SEARCH key");
        return Flag(word) ?? WithArgument(word, ref parser, ref context, depth);
    }

    static SearchKey? Flag(string word) => word switch
    {
        "ALL" => SearchKey.All.Key,
        "ANSWERED" => Answered,
        "DELETED" => Deleted,
        "DRAFT" => Draft,
        "FLAGGED" => Flagged,
        "SEEN" => Seen,
        "RECENT" => Recent,
        "NEW" => New,
        "OLD" => new SearchKey.Not(Recent),
        "UNANSWERED" => new SearchKey.Not(Answered),
        "UNDELETED" => new SearchKey.Not(Deleted),
        "UNDRAFT" => new SearchKey.Not(Draft),
        "UNFLAGGED" => new SearchKey.Not(Flagged),
        "UNSEEN" => new SearchKey.Not(Seen),
        "THREADROOT" => new SearchKey.ThreadRoot(),
        "THREADLEAF" => new SearchKey.ThreadLeaf(),
        "SAVEDATESUPPORTED" => new SearchKey.SaveDateSupported(),
        _ => null,
    };

    static SearchKey WithArgument(string word, ref ImapParser parser, ref Context context, int depth)
    {
        if (parser.Next != ' ')
        {
            ImapParser.Fail("Unknown SEARCH key, or its argument is missing");
        }
        parser.Space();
        switch (word)
        {
            case "NOT":
                return new SearchKey.Not(Key(ref parser, ref context, depth + 1));
            case "FUZZY":
                context.UsesFuzzy = true;
                return new SearchKey.Fuzzy(Key(ref parser, ref context, depth + 1));
            case "INTHREAD":
                if (++context.InThread > MaxInThread)
                {
                    ImapParser.Fail("INTHREAD stands too often");
                }
                return new SearchKey.InThread(Key(ref parser, ref context, depth + 1));
            case "MESSAGEID":
                return new SearchKey.MessageId(MessageId(ref parser));
            case "OR":
                var left = Key(ref parser, ref context, depth + 1);
                parser.Space();
                return new SearchKey.Or(left, Key(ref parser, ref context, depth + 1));
            case "UID":
                context.UsesUids = true;
                return new SearchKey.Uid(parser.SequenceSet());
            // RFC 9738 §3.2.
            case "UIDAFTER":
                context.UsesUids = true;
                var after = parser.NonZero("a UID");
                return after == uint.MaxValue ? new SearchKey.Not(SearchKey.All.Key) : new SearchKey.Uid(Wire.SequenceSet.Of(new SequenceRange(after + 1, uint.MaxValue)));
            case "UIDBEFORE":
                context.UsesUids = true;
                var before = parser.NonZero("a UID");
                return before == 1 ? new SearchKey.Not(SearchKey.All.Key) : new SearchKey.Uid(Wire.SequenceSet.Of(new SequenceRange(1, before - 1)));
            case "KEYWORD":
                return Keyword(ref parser);
            case "UNKEYWORD":
                return new SearchKey.Not(Keyword(ref parser));
            case "BEFORE":
                return new SearchKey.InternalDate(DateComparison.Before, parser.Date());
            case "ON":
                return new SearchKey.InternalDate(DateComparison.On, parser.Date());
            case "SINCE":
                return new SearchKey.InternalDate(DateComparison.Since, parser.Date());
            case "SENTBEFORE":
                return new SearchKey.SentDate(DateComparison.Before, parser.Date());
            case "SENTON":
                return new SearchKey.SentDate(DateComparison.On, parser.Date());
            case "SENTSINCE":
                return new SearchKey.SentDate(DateComparison.Since, parser.Date());
            case "SAVEDBEFORE":
                return new SearchKey.SaveDate(DateComparison.Before, parser.Date());
            case "SAVEDON":
                return new SearchKey.SaveDate(DateComparison.On, parser.Date());
            case "SAVEDSINCE":
                return new SearchKey.SaveDate(DateComparison.Since, parser.Date());
            case "OLDER":
                return new SearchKey.Within(true, parser.NonZero("an interval"));
            case "YOUNGER":
                return new SearchKey.Within(false, parser.NonZero("an interval"));
            case "LARGER":
                return new SearchKey.Size(true, parser.Number64());
            case "SMALLER":
                return new SearchKey.Size(false, parser.Number64());
            case "BCC" or "CC" or "FROM" or "SUBJECT" or "TO":
                return new SearchKey.Header(word, context.Text.Decode(parser.AString()));
            case "HEADER":
                var name = context.Text.Decode(parser.AString("a header field name"));
                parser.Space();
                return new SearchKey.Header(name, context.Text.Decode(parser.AString()));
            case "BODY":
                return new SearchKey.Body(context.Text.Decode(parser.AString()));
            case "TEXT":
                return new SearchKey.Text(context.Text.Decode(parser.AString()));
            case "MODSEQ":
                context.UsesModSeq = true;
                return ModSeq(ref parser);
            case "EMAILID":
                return new SearchKey.EmailId(ObjectId(ref parser));
            case "ANNOTATION":
                return AnnotationGrammar.Key(ref parser, context.Text);
            case "FILTER":
                context.UsesFilters = true;
                return new SearchKey.Filter(FilterName(ref parser));
            case "THREADID":
                return new SearchKey.ThreadId(ObjectId(ref parser));
            default:
                throw new ImapSyntaxException("Unknown SEARCH key");
        }
    }

    /// <summary>flag-keyword is an atom; no message can have any other.</summary>
    static SearchKey.HasKeyword Keyword(ref ImapParser parser) => new(parser.Atom("a keyword"));

    /// <summary>One identifier in angle brackets.</summary>
    static string MessageId(ref ImapParser parser)
    {
        var text = parser.AString("a message identifier");
        if (text is not [(byte)'<', .., (byte)'>'] || MessageIds.Parse(text) is not [var id])
        {
            throw new ImapSyntaxException("Expected a message identifier in angle brackets");
        }
        return id.Replace("\"", "", StringComparison.Ordinal);
    }

    /// <summary>filter-name (RFC 5466 §4), in lower case, as the names of entries are.</summary>
    static string FilterName(ref ImapParser parser)
    {
        var name = parser.Atom("a filter's name");
        if (name.AsSpan().ContainsAny('/', ']'))
        {
            ImapParser.Fail("A filter's name has no '/' and no ']'");
        }
        return name.ToLowerInvariant();
    }

    /// <summary>What is stored under a filter's name: keys in UTF-8 and nothing else (RFC 5466 §3.2).</summary>
    internal static SearchArguments Stored(ReadOnlySpan<byte> value)
    {
        var parser = new ImapParser(value, WireCharset.Utf8);
        return Keys(ref parser, null, SearchText.Default);
    }

    static string ObjectId(ref ImapParser parser) => Encoding.ASCII.GetString(parser.AString("an object identifier"));

    static SearchKey.ModSeq ModSeq(ref ImapParser parser)
    {
        string? entry = null;
        if (parser.Next == '"')
        {
            entry = Encoding.ASCII.GetString(parser.String("an entry name"));
            parser.Space();
            if (parser.Word("priv, shared or all") is not ("PRIV" or "SHARED" or "ALL"))
            {
                ImapParser.Fail("Expected priv, shared or all");
            }
            parser.Space();
        }
        return new(parser.Number64("a mod-sequence"), entry);
    }

    struct Context
    {
        public int InThread;
        public SearchText Text;
        public int Count;
        public bool UsesModSeq;
        public bool UsesFuzzy;
        public bool UsesNumbers;
        public bool UsesUids;
        public bool UsesFilters;
    }
}
