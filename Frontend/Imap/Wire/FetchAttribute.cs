namespace MailCluster.Imap.Wire;

/// <summary>What a FETCH item asks for.</summary>
public enum FetchItem
{
    Flags,
    InternalDate,
    Envelope,

    /// <summary>BODY without a section: the structure without extension data.</summary>
    Body,
    BodyStructure,
    Rfc822Size,
    Uid,
    ModSeq,
    EmailId,
    ThreadId,
    SaveDate,

    /// <summary>PREVIEW, and PREVIEW (LAZY): only where it costs little (RFC 8970).</summary>
    Preview,
    PreviewLazy,

    /// <summary>ANNOTATION (RFC 5257).</summary>
    Annotation,

    /// <summary>BODY[section]&lt;partial&gt; and BODY.PEEK[…].</summary>
    Section,

    /// <summary>BINARY[part]&lt;partial&gt; and BINARY.PEEK[…] (RFC 9051, RFC 3516).</summary>
    Binary,
    BinarySize,

    /// <summary>RFC822, RFC822.HEADER, RFC822.TEXT: as BODY[], BODY.PEEK[HEADER], BODY[TEXT], but answered under their own name.</summary>
    Rfc822,
    Rfc822Header,
    Rfc822Text,
}

public enum SectionText
{
    /// <summary>The whole part, or the whole message where no part is named.</summary>
    All,
    Header,
    HeaderFields,
    HeaderFieldsNot,
    Text,
    Mime,
}

/// <summary>section-spec of RFC 9051 §6.4.5.</summary>
/// <param name="Part">Part numbers from the outside in, each at least 1; empty for the message itself.</param>
/// <param name="Text">What of the part.</param>
/// <param name="Fields">Header field names as written, for HEADER.FIELDS and HEADER.FIELDS.NOT only.</param>
public sealed record BodySection(IReadOnlyList<uint> Part, SectionText Text, IReadOnlyList<string> Fields)
{
    public static BodySection Whole { get; } = new([], SectionText.All, []);
}

/// <summary>&lt;offset.length&gt; of a FETCH item, in octets; length is at least 1.</summary>
public readonly record struct Partial(long Offset, long Length);

/// <summary>One item of FETCH. <paramref name="Section"/> is set for Section, Binary and BinarySize.</summary>
/// <param name="Item">What is asked for.</param>
/// <param name="Section">Which part.</param>
/// <param name="Partial">Which octets of it; null for all.</param>
/// <param name="Peek">Does not set \Seen.</param>
public sealed record FetchAttribute(FetchItem Item, BodySection? Section = null, Partial? Partial = null, bool Peek = false)
{
    /// <summary>Not null: what the answer calls it, where that is not its own name (Dialects/).</summary>
    public string? Label { get; init; }

    /// <summary>Of ANNOTATION alone: which.</summary>
    public AnnotationQuery? Annotations { get; init; }

    /// <summary>Fetching it sets \Seen (RFC 9051 §6.4.5).</summary>
    public bool SetsSeen => !Peek && (Item is FetchItem.Section or FetchItem.Binary or FetchItem.Rfc822 or FetchItem.Rfc822Text);
}

/// <summary>The arguments of FETCH and UID FETCH.</summary>
/// <param name="Set">Message numbers, or UIDs for UID FETCH.</param>
/// <param name="Attributes">The items in the order asked for, macros expanded, each once.</param>
/// <param name="ChangedSince">CHANGEDSINCE (RFC 7162 §3.1.4.1).</param>
/// <param name="Vanished">VANISHED (RFC 7162 §3.2.6), only with UID FETCH and CHANGEDSINCE.</param>
public sealed record FetchArguments(SequenceSet Set, IReadOnlyList<FetchAttribute> Attributes, long? ChangedSince, bool Vanished)
{
    /// <summary>PARTIAL (RFC 9394 §3.3), only with UID FETCH: which of the messages that are asked for, and changed where CHANGEDSINCE is given.</summary>
    public PartialRange? Places { get; init; }

    public bool Asks(FetchItem item)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Item == item)
            {
                return true;
            }
        }
        return false;
    }
}
