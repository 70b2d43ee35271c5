using MailCluster.Imap.Dialects;

namespace MailCluster.Imap.Wire;

/// <summary>FETCH and UID FETCH (RFC 9051 §6.4.5 and §9, RFC 3501, RFC 3516, RFC 5257, RFC 7162, RFC 8474, RFC 8514, RFC 8970, RFC 9394).</summary>
public static class FetchGrammar
{
    const int MaxAttributes = 500;
    internal const int MaxPartDepth = 200;
    const int MaxFields = 1000;

    static readonly FetchAttribute Flags = new(FetchItem.Flags);
    static readonly FetchAttribute InternalDate = new(FetchItem.InternalDate);
    static readonly FetchAttribute Size = new(FetchItem.Rfc822Size);
    static readonly FetchAttribute Envelope = new(FetchItem.Envelope);
    static readonly FetchAttribute Body = new(FetchItem.Body);
    static readonly FetchAttribute BodyStructure = new(FetchItem.BodyStructure);
    static readonly FetchAttribute Uid = new(FetchItem.Uid);
    static readonly FetchAttribute ModSeq = new(FetchItem.ModSeq);
    static readonly FetchAttribute EmailId = new(FetchItem.EmailId);
    static readonly FetchAttribute ThreadId = new(FetchItem.ThreadId);
    static readonly FetchAttribute SaveDate = new(FetchItem.SaveDate);
    static readonly FetchAttribute PreviewNow = new(FetchItem.Preview);
    static readonly FetchAttribute PreviewLazy = new(FetchItem.PreviewLazy);
    static readonly FetchAttribute Rfc822 = new(FetchItem.Rfc822);
    static readonly FetchAttribute Rfc822Header = new(FetchItem.Rfc822Header, Peek: true);
    static readonly FetchAttribute Rfc822Text = new(FetchItem.Rfc822Text);

    static readonly FetchAttribute[] Fast = [Flags, InternalDate, Size];
    static readonly FetchAttribute[] All = [Flags, InternalDate, Size, Envelope];
    static readonly FetchAttribute[] Full = [Flags, InternalDate, Size, Envelope, Body];

    /// <summary>What follows FETCH and its space, up to the end of the command.</summary>
    public static FetchArguments Parse(ref ImapParser parser, bool uid)
    {
        var set = parser.SequenceSet();
        parser.Space();
        var attributes = Attributes(ref parser);
        long? changedSince = null;
        var vanished = false;
        PartialRange? places = null;
        if (!parser.OnlySpacesLeft)
        {
            parser.Space();
            Modifiers(ref parser, ref changedSince, ref vanished, ref places);
        }
        if (places is not null && !uid)
        {
            ImapParser.Fail("PARTIAL needs UID FETCH");
        }
        if (vanished && (!uid || changedSince is null))
        {
            ImapParser.Fail("VANISHED needs UID FETCH and CHANGEDSINCE");
        }
        parser.End();
        return new(set, attributes, changedSince, vanished) { Places = places };
    }

    static IReadOnlyList<FetchAttribute> Attributes(ref ImapParser parser)
    {
        if (parser.TryWord("ALL"u8))
        {
            return All;
        }
        if (parser.TryWord("FAST"u8))
        {
            return Fast;
        }
        if (parser.TryWord("FULL"u8))
        {
            return Full;
        }
        return parser.Next == '(' ? List(ref parser) : [Attribute(ref parser)];
    }

    /// <summary>The parenthesised items, at least one; also those of NOTIFY's MessageNew (RFC 5465 §8).</summary>
    public static IReadOnlyList<FetchAttribute> List(ref ImapParser parser)
    {
        parser.OpenList();
        return Rest(ref parser);
    }

    /// <summary>As <see cref="List"/>, behind the parenthesis that opens it.</summary>
    internal static IReadOnlyList<FetchAttribute> Rest(ref ImapParser parser)
    {
        var attributes = new List<FetchAttribute>(4);
        do
        {
            var attribute = Attribute(ref parser);
            if (attributes.Count == MaxAttributes)
            {
                ImapParser.Fail("FETCH asks for too many items");
            }
            // The same plain item twice would only be answered twice; sections are compared by reference and stay.
            if (!attributes.Contains(attribute))
            {
                attributes.Add(attribute);
            }
        }
        while (parser.NextInList());
        return attributes;
    }

    internal static FetchAttribute Attribute(ref ImapParser parser)
    {
        var word = parser.Word("a FETCH item");
        return word switch
        {
            "FLAGS" => Flags,
            "INTERNALDATE" => InternalDate,
            "RFC822.SIZE" => Size,
            "ENVELOPE" => Envelope,
            "BODYSTRUCTURE" => BodyStructure,
            "UID" => Uid,
            "MODSEQ" => ModSeq,
            "EMAILID" => EmailId,
            "THREADID" => ThreadId,
            "SAVEDATE" => SaveDate,
            "PREVIEW" => Preview(ref parser),
            "RFC822" => Rfc822,
            "RFC822.HEADER" => Rfc822Header,
            "RFC822.TEXT" => Rfc822Text,
            "ANNOTATION" => new(FetchItem.Annotation) { Annotations = AnnotationGrammar.Query(ref parser) },
            "BODY" => parser.Next == '[' ? Old(ref parser, peek: false) ?? new(FetchItem.Section, Section(ref parser), Partial(ref parser)) : Body,
            "BODY.PEEK" => Old(ref parser, peek: true) ?? new(FetchItem.Section, Section(ref parser), Partial(ref parser), Peek: true),
            "BINARY" => new(FetchItem.Binary, BinarySection(ref parser), Partial(ref parser)),
            "BINARY.PEEK" => new(FetchItem.Binary, BinarySection(ref parser), Partial(ref parser), Peek: true),
            "BINARY.SIZE" => new(FetchItem.BinarySize, BinarySection(ref parser), Peek: true),
            _ => (parser.Dialects ? OldFetchItems.Named(word, ref parser) : null) ?? throw new ImapSyntaxException("Unknown FETCH item"),
        };
    }

    static FetchAttribute? Old(ref ImapParser parser, bool peek) => parser.Dialects ? OldFetchItems.HeaderOfPart(ref parser, peek) : null;

    /// <summary>What stands behind PREVIEW: its own list, or, where PREVIEW is all that FETCH asks for, that of FETCH.</summary>
    static FetchAttribute Preview(ref ImapParser parser)
    {
        var ahead = parser;
        if (!ahead.TrySkip((byte)' ') || !ahead.TrySkip((byte)'(') || !ahead.TryWord("LAZY"u8))
        {
            return PreviewNow;
        }
        ahead.Skip((byte)')', ")");
        parser = ahead;
        return PreviewLazy;
    }

    internal static BodySection Section(ref ImapParser parser)
    {
        parser.Skip((byte)'[', "[");
        if (parser.TrySkip((byte)']'))
        {
            return BodySection.Whole;
        }
        var part = Part(ref parser, out var textFollows);
        var text = SectionText.All;
        IReadOnlyList<string> fields = [];
        if (textFollows)
        {
            text = parser.Word("a section") switch
            {
                "HEADER" => SectionText.Header,
                "HEADER.FIELDS" => SectionText.HeaderFields,
                "HEADER.FIELDS.NOT" => SectionText.HeaderFieldsNot,
                "TEXT" => SectionText.Text,
                "MIME" when part.Count > 0 => SectionText.Mime,
                _ => throw new ImapSyntaxException("Unknown section"),
            };
            if (text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
            {
                parser.Space();
                fields = Fields(ref parser);
            }
        }
        parser.Skip((byte)']', "]");
        return new(part, text, fields);
    }

    static BodySection BinarySection(ref ImapParser parser)
    {
        parser.Skip((byte)'[', "[");
        if (parser.TrySkip((byte)']'))
        {
            return BodySection.Whole;
        }
        var part = Part(ref parser, out var textFollows);
        if (textFollows)
        {
            ImapParser.Fail("BINARY takes part numbers only");
        }
        parser.Skip((byte)']', "]");
        return new(part, SectionText.All, []);
    }

    /// <summary>Part numbers with dots between; afterwards the parser stands at ']' or at the word behind the last dot.</summary>
    static IReadOnlyList<uint> Part(ref ImapParser parser, out bool textFollows)
    {
        textFollows = (uint)(parser.Next - '0') > 9;
        if (textFollows)
        {
            return [];
        }
        var part = new List<uint>(4);
        do
        {
            if ((uint)(parser.Next - '0') > 9)
            {
                textFollows = true;
                return part;
            }
            if (part.Count == MaxPartDepth)
            {
                ImapParser.Fail("A section is too deep");
            }
            part.Add(parser.NonZero("a part number"));
        }
        while (parser.TrySkip((byte)'.'));
        return part;
    }

    internal static List<string> Fields(ref ImapParser parser)
    {
        var fields = new List<string>(8);
        parser.OpenList();
        do
        {
            if (fields.Count == MaxFields)
            {
                ImapParser.Fail("Too many header fields");
            }
            var field = parser.AString("a header field name");
            if (field.IsEmpty || field.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7e) >= 0)
            {
                ImapParser.Fail("Expected a header field name");
            }
            fields.Add(System.Text.Encoding.ASCII.GetString(field));
        }
        while (parser.NextInList());
        return fields;
    }

    static Partial? Partial(ref ImapParser parser)
    {
        if (!parser.TrySkip((byte)'<'))
        {
            return null;
        }
        var offset = parser.Number64("an offset");
        parser.Skip((byte)'.', "a length");
        var length = parser.Number64("a length");
        if (length == 0)
        {
            ImapParser.Fail("A partial length is at least 1");
        }
        parser.Skip((byte)'>', ">");
        return new(offset, length);
    }

    static void Modifiers(ref ImapParser parser, ref long? changedSince, ref bool vanished, ref PartialRange? places)
    {
        parser.OpenList();
        do
        {
            switch (parser.Word("a FETCH modifier"))
            {
                case "CHANGEDSINCE":
                    parser.Space();
                    changedSince = parser.Number64("a mod-sequence");
                    break;
                case "VANISHED":
                    vanished = true;
                    break;
                case "PARTIAL" when places is null:
                    parser.Space();
                    places = PartialGrammar.Range(ref parser);
                    break;
                default:
                    ImapParser.Fail("Unknown FETCH modifier");
                    break;
            }
        }
        while (parser.NextInList());
    }
}
