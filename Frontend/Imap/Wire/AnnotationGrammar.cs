using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>One attribute of an annotation (RFC 5257 §3.2.2).</summary>
/// <param name="Size">size; otherwise value.</param>
/// <param name="Shared">.shared; otherwise .priv.</param>
public readonly record struct AnnotationAttribute(bool Size, bool Shared);

/// <summary>What FETCH asks of annotations (RFC 5257 §4.3).</summary>
/// <param name="Entries">Names, and patterns with '*' or '%'.</param>
/// <param name="Attributes">Each once; value and size without a suffix ask for both.</param>
public sealed record AnnotationQuery(IReadOnlyList<string> Entries, IReadOnlyList<AnnotationAttribute> Attributes)
{
    /// <summary>Names of entries, in the order asked for.</summary>
    public IEnumerable<string> Names => Entries.Where(static e => !AnnotationNames.IsPattern(e));
}

/// <summary>Annotations in FETCH, STORE, APPEND, SEARCH and SORT (RFC 5257 §5).</summary>
public static class AnnotationGrammar
{
    const int MaxEntries = 200;

    /// <summary>ANNOTATION of FETCH, from the space behind the word on.</summary>
    public static AnnotationQuery Query(ref ImapParser parser)
    {
        parser.Space();
        parser.OpenList();
        List<string> entries = [];
        if (parser.TrySkip((byte)'('))
        {
            do
            {
                Add(ref parser, entries);
            }
            while (parser.NextInList());
        }
        else
        {
            Add(ref parser, entries);
        }
        parser.Space();
        List<AnnotationAttribute> attributes = [];
        if (parser.TrySkip((byte)'('))
        {
            do
            {
                Attribute(ref parser, attributes);
            }
            while (parser.NextInList());
        }
        else
        {
            Attribute(ref parser, attributes);
        }
        parser.Skip((byte)')', ")");
        return new(entries, attributes);
    }

    /// <summary>What STORE and APPEND set, from the space behind the word on; null where the literal that is pending is one of the values: accept it into memory and parse again.</summary>
    public static IReadOnlyList<AnnotationValue>? Values(ref ImapParser parser)
    {
        parser.Space();
        parser.OpenList();
        List<AnnotationValue> values = [];
        bool more;
        do
        {
            if (parser.AtPendingLiteral)
            {
                return null;
            }
            var entry = AnnotationNames.Settable(parser.AString("an entry"));
            parser.Space();
            parser.OpenList();
            do
            {
                if (parser.AtPendingLiteral)
                {
                    return null;
                }
                var shared = Encoding.ASCII.GetString(parser.AString("an attribute")) switch
                {
                    "value.priv" => false,
                    "value.shared" => true,
                    _ => throw new ImapSyntaxException("There is no such attribute here"),
                };
                parser.Space();
                if (parser.AtPendingLiteral)
                {
                    return null;
                }
                var value = Value(ref parser);
                if (value is not null && AnnotationNames.IsFlag(entry) && value is not [(byte)'0' or (byte)'1'])
                {
                    ImapParser.Fail("A flag of a part is \"1\", \"0\" or NIL");
                }
                if (values.Count == MaxEntries)
                {
                    ImapParser.Fail("Too many annotations");
                }
                // The last word counts.
                values.RemoveAll(v => v.Entry == entry && v.Shared == shared);
                values.Add(new(entry, shared, value));
            }
            while (parser.NextInList());
            more = parser.NextInList();
        }
        while (more);
        return values;
    }

    /// <summary>ANNOTATION of SEARCH, behind the word and its space.</summary>
    internal static SearchKey.Annotation Key(ref ImapParser parser, SearchText text)
    {
        var entry = AnnotationNames.Pattern(EntryMatch(ref parser));
        parser.Space();
        bool? shared = Encoding.ASCII.GetString(parser.AString("an attribute")) switch
        {
            "value" => null,
            "value.priv" => false,
            "value.shared" => true,
            _ => throw new ImapSyntaxException("There is no such attribute here"),
        };
        parser.Space();
        return new(entry, shared, Value(ref parser) is { } value ? text.Decode(value) : null);
    }

    /// <summary>ANNOTATION of SORT, from the space behind the word on.</summary>
    public static (string Entry, bool Shared) SortKey(ref ImapParser parser)
    {
        parser.Space();
        var entry = AnnotationNames.Entry(parser.AString("an entry"));
        parser.Space();
        return (entry, Encoding.ASCII.GetString(parser.AString("an attribute")) switch
        {
            "value.priv" => false,
            "value.shared" => true,
            _ => throw new ImapSyntaxException("There is no such attribute here"),
        });
    }

    static void Add(ref ImapParser parser, List<string> entries)
    {
        var entry = AnnotationNames.Pattern(EntryMatch(ref parser));
        if (entries.Count == MaxEntries)
        {
            ImapParser.Fail("Too many entries");
        }
        if (!entries.Contains(entry))
        {
            entries.Add(entry);
        }
    }

    static ReadOnlySpan<byte> EntryMatch(ref ImapParser parser) => parser.ListString("an entry or pattern");

    static void Attribute(ref ImapParser parser, List<AnnotationAttribute> attributes)
    {
        var name = Encoding.ASCII.GetString(parser.AString("an attribute"));
        var size = name.StartsWith("size", StringComparison.Ordinal);
        var suffix = size ? name[4..] : name.StartsWith("value", StringComparison.Ordinal) ? name[5..] : throw new ImapSyntaxException("There is no such attribute here");
        foreach (var shared in suffix switch { "" => (bool[])[false, true], ".priv" => [false], ".shared" => [true], _ => throw new ImapSyntaxException("There is no such attribute here") })
        {
            if (!attributes.Contains(new(size, shared)))
            {
                attributes.Add(new(size, shared));
            }
        }
    }

    /// <summary>value: nstring, or literal8 for what is no text.</summary>
    static byte[]? Value(ref ImapParser parser) =>
        parser.TryWord("NIL"u8) ? null : parser.String("a value or NIL", allow8Bit: true, allowBinary: true).ToArray();
}
