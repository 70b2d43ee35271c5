using System.Text;
using MailCluster.Imap.Languages;

namespace MailCluster.Imap.Wire;

public sealed partial class ReplyWriter
{
    /// <summary>"* ": the start of an untagged response.</summary>
    public ReplyWriter Untagged() => Raw("* "u8);

    /// <summary>"* n ": the start of an untagged response about a message number or a count.</summary>
    public ReplyWriter Untagged(uint number) => Raw("* "u8).Number(number).Space();

    /// <summary>A whole line "* n NAME": EXISTS, EXPUNGE, RECENT.</summary>
    public ReplyWriter Untagged(uint number, ReadOnlySpan<byte> name) => Untagged(number).Raw(name).NewLine();

    /// <summary>A whole status line: "* OK [code] text". Null tag: untagged.</summary>
    /// <param name="tag">Of the command, or null.</param>
    /// <param name="status">OK, NO, BAD, BYE or PREAUTH.</param>
    /// <param name="code">A response code without brackets, e.g. TRYCREATE; ASCII, never from a client.</param>
    /// <param name="text">For people, in English: it is sent in the session's language; control characters, and 8-bit in rev1, become '?'. Never empty on the wire.</param>
    /// <param name="about">What the text is about, in front of it: no language's word.</param>
    public ReplyWriter Status(string? tag, ReadOnlySpan<byte> status, string? code, string text, string? about = null)
    {
        BeginStatus(tag, status);
        if (code is not null)
        {
            Byte((byte)'[').Raw(code).Raw("] "u8);
        }
        if (about is not null)
        {
            Clean(about).Raw(": "u8);
        }
        return Text(text).NewLine();
    }

    /// <summary>"tag OK ": the start of a status line whose response code is written token by token, from '[' on.</summary>
    public ReplyWriter BeginStatus(string? tag, ReadOnlySpan<byte> status)
        => (tag is null ? Byte((byte)'*') : Raw(tag)).Space().Raw(status).Space();

    /// <summary>A whole continuation request: "+ text".</summary>
    public ReplyWriter Continuation(string text) => Raw("+ "u8).Text(text).NewLine();

    /// <summary>resp-text without its code, in the session's language.</summary>
    public ReplyWriter Text(string text) => Clean(ReferenceEquals(Language, Language.Default) ? text : Language.Of(text));

    ReplyWriter Clean(string text)
    {
        if (text.Length == 0)
        {
            return Byte((byte)'-');
        }
        var clean = text.AsSpan().IndexOfAnyExceptInRange((char)0x20, (char)0x7e) < 0
            ? text
            : string.Create(text.Length, (text, Ascii: Charset == WireCharset.Rev1 && ReferenceEquals(Language, Language.Default)), static (span, state) =>
            {
                for (var i = 0; i < span.Length; i++)
                {
                    var c = state.text[i];
                    span[i] = c < 0x20 || c == 0x7f || (c > 0x7f && state.Ascii) ? '?' : c;
                }
            });
        var written = Encoding.UTF8.GetBytes(clean, output.GetSpan(Encoding.UTF8.GetMaxByteCount(clean.Length)));
        output.Advance(written);
        return this;
    }

    /// <summary>The name of a FETCH item as the response repeats it: BODY[1.HEADER.FIELDS (From)]&lt;0&gt;, never with .PEEK or the length.</summary>
    public ReplyWriter FetchLabel(FetchAttribute attribute)
    {
        if (attribute.Label is { } label)
        {
            return Raw(label);
        }
        Raw(Label(attribute.Item));
        if (attribute.Section is { } section)
        {
            Section(section);
        }
        return attribute.Partial is { } partial ? Byte((byte)'<').Number(partial.Offset).Byte((byte)'>') : this;
    }

    void Section(BodySection section)
    {
        Byte((byte)'[');
        for (var i = 0; i < section.Part.Count; i++)
        {
            if (i > 0)
            {
                Byte((byte)'.');
            }
            Number(section.Part[i]);
        }
        if (section.Text != SectionText.All)
        {
            if (section.Part.Count > 0)
            {
                Byte((byte)'.');
            }
            Raw(section.Text switch
            {
                SectionText.Header => "HEADER"u8,
                SectionText.HeaderFields => "HEADER.FIELDS"u8,
                SectionText.HeaderFieldsNot => "HEADER.FIELDS.NOT"u8,
                SectionText.Mime => "MIME"u8,
                _ => "TEXT"u8,
            });
        }
        if (section.Text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
        {
            Raw(" ("u8);
            for (var i = 0; i < section.Fields.Count; i++)
            {
                if (i > 0)
                {
                    Space();
                }
                AString(section.Fields[i]);
            }
            Close();
        }
        Byte((byte)']');
    }

    static ReadOnlySpan<byte> Label(FetchItem item) => item switch
    {
        FetchItem.Flags => "FLAGS"u8,
        FetchItem.InternalDate => "INTERNALDATE"u8,
        FetchItem.Envelope => "ENVELOPE"u8,
        FetchItem.Body or FetchItem.Section => "BODY"u8,
        FetchItem.BodyStructure => "BODYSTRUCTURE"u8,
        FetchItem.Rfc822Size => "RFC822.SIZE"u8,
        FetchItem.Uid => "UID"u8,
        FetchItem.ModSeq => "MODSEQ"u8,
        FetchItem.EmailId => "EMAILID"u8,
        FetchItem.ThreadId => "THREADID"u8,
        FetchItem.SaveDate => "SAVEDATE"u8,
        FetchItem.Preview or FetchItem.PreviewLazy => "PREVIEW"u8,
        FetchItem.Annotation => "ANNOTATION"u8,
        FetchItem.Binary => "BINARY"u8,
        FetchItem.BinarySize => "BINARY.SIZE"u8,
        FetchItem.Rfc822 => "RFC822"u8,
        FetchItem.Rfc822Header => "RFC822.HEADER"u8,
        _ => "RFC822.TEXT"u8,
    };
}
