using System.Buffers;
using System.Text;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Dialects;

/// <summary>Items of FETCH that IMAP4rev1 has dropped (RFC 1730 §6.4.5, RFC 2061): each is one that it has, under an old name.</summary>
internal static class OldFetchItems
{
    /// <summary>The item of an old name, which was read already; null where it is none.</summary>
    public static FetchAttribute? Named(string word, ref ImapParser parser)
    {
        switch (word)
        {
            case "RFC822.PEEK":
                return new(FetchItem.Rfc822, Peek: true);
            case "RFC822.TEXT.PEEK":
                return new(FetchItem.Rfc822Text, Peek: true);
            case "RFC822.HEADER.LINES" or "RFC822.HEADER.LINES.NOT":
                parser.Space();
                SectionText text = word.EndsWith(".NOT", StringComparison.Ordinal) ? SectionText.HeaderFieldsNot : SectionText.HeaderFields;
                return new(FetchItem.Section, new BodySection([], text, FetchGrammar.Fields(ref parser)), Peek: true) { Label = "RFC822.HEADER" };
            default:
                return null;
        }
    }

    /// <summary>BODY[0] and BODY[2.0]: the header of the message, or of the message that is a part (RFC 1730 §6.4.5). Null where the section is another.</summary>
    public static FetchAttribute? HeaderOfPart(ref ImapParser parser, bool peek)
    {
        ImapParser ahead = parser;
        ahead.Skip((byte)'[', "[");
        var part = new List<uint>();
        do
        {
            if ((uint)(ahead.Next - '0') > 9)
                return null;
            part.Add(ahead.Number());
        }
        while (ahead.TrySkip((byte)'.') && part.Count <= FetchGrammar.MaxPartDepth);
        if (part[^1] != 0 || part[..^1].Contains(0) || !ahead.TrySkip((byte)']'))
            return null;
        parser = ahead;
        return new(FetchItem.Section, new BodySection(part[..^1], SectionText.Header, []), Peek: peek) { Label = $"BODY[{string.Join('.', part)}]" };
    }

    /// <summary>How the answer names an item, without the octets that were asked for.</summary>
    public static string LabelOf(FetchAttribute attribute)
    {
        var label = new ArrayBufferWriter<byte>();
        new ReplyWriter(label).FetchLabel(attribute with { Partial = null });
        return Encoding.ASCII.GetString(label.WrittenSpan);
    }
}
