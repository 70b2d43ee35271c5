using System.Globalization;
using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>Where a run of the parts of CATENATE ends.</summary>
public enum CatenateEnd
{
    /// <summary>At the announcement of a TEXT, which the command waits at.</summary>
    Text,

    /// <summary>At the announcement of a URL that is sent as a literal.</summary>
    UrlLiteral,

    /// <summary>Behind the list.</summary>
    Closed,
}

/// <summary>An IMAP URL of the user's own mail (RFC 5092 §7 without a server, with the ;PARTIAL of RFC 5550 §3.2).</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Mailbox">Decoded; null for the selected one.</param>
/// <param name="UidValidity">Null where it does not say.</param>
/// <param name="Section">The whole message where none is named.</param>
public sealed record MessageUrl(string Text, string? Mailbox, uint? UidValidity, uint Uid, BodySection Section, Partial? Partial)
{
    /// <summary>Null for what is no such URL.</summary>
    public static MessageUrl? Parse(string text)
    {
        string[] fields = text.Split(';');
        string mailbox = fields[0].TrimEnd('/');
        uint? uidValidity = null, uid = null;
        BodySection? section = BodySection.Whole;
        Partial? partial = null;
        foreach (var field in fields.AsSpan(1))
        {
            var equals = field.IndexOf('=');
            var value = equals < 0 ? null : Decode(field[(equals + 1)..].TrimEnd('/'));
            if (value is null)
            {
                return null;
            }
            switch (field[..equals].ToUpperInvariant())
            {
                case "UIDVALIDITY" when Number(value) is { } validity:
                    uidValidity = validity;
                    break;
                case "UID" when Number(value) is { } number:
                    uid = number;
                    break;
                case "SECTION":
                    section = SectionOf(value);
                    break;
                case "PARTIAL" when PartialOf(value) is { } range:
                    partial = range;
                    break;
                default:
                    return null;
            }
        }
        if (uid is null || section is null || (fields[0].Length > 0 && (mailbox.Length < 2 || mailbox[0] != '/' || mailbox[1] == '/')))
        {
            return null;
        }
        var name = mailbox.Length == 0 ? null : Decode(mailbox[1..]);
        return mailbox.Length > 0 && name is null ? null : new(text, name, uidValidity, uid.Value, section, partial);
    }

    static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    static Partial? PartialOf(string text)
    {
        var parts = text.Split('.');
        if (parts.Length > 2 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return null;
        }
        var length = long.MaxValue;
        return parts.Length == 2 && (!long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length == 0) ? null : new(offset, length);
    }

    static BodySection? SectionOf(string text)
    {
        try
        {
            var parser = new ImapParser(Encoding.UTF8.GetBytes($"[{text}]"));
            var section = FetchGrammar.Section(ref parser);
            parser.End();
            return section;
        }
        catch (ImapSyntaxException)
        {
            return null;
        }
    }

    /// <summary>Percent-encoding undone; null where it is broken or no UTF-8.</summary>
    static string? Decode(string text)
    {
        for (var at = text.IndexOf('%'); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
            {
                return null;
            }
        }
        var decoded = Uri.UnescapeDataString(text);
        return decoded.Contains('%') && !text.Contains("%25", StringComparison.Ordinal) ? null : decoded;
    }
}

/// <summary>The parts of CATENATE (RFC 4469 §5).</summary>
public static class CatenateGrammar
{
    /// <summary>Parts of one message.</summary>
    public const int MaxParts = 1000;

    /// <summary>The URLs up to the next literal or the end of the list; the parser stands behind "(" or behind a part.</summary>
    /// <param name="first">No part was read yet.</param>
    public static (IReadOnlyList<string> Urls, CatenateEnd End) Parts(ref ImapParser parser, bool first)
    {
        var urls = new List<string>();
        while (true)
        {
            if (!first && !parser.NextInList())
            {
                return (urls, CatenateEnd.Closed);
            }
            first = false;
            if (urls.Count == MaxParts)
            {
                ImapParser.Fail("CATENATE has too many parts");
            }
            if (parser.TryWord("TEXT"u8))
            {
                parser.Space();
                if (!parser.AtPendingLiteral)
                {
                    ImapParser.Fail("Expected a text as a literal that is not empty");
                }
                return (urls, CatenateEnd.Text);
            }
            if (!parser.TryWord("URL"u8))
            {
                ImapParser.Fail("Expected URL or TEXT");
            }
            parser.Space();
            if (parser.AtPendingLiteral)
            {
                return (urls, CatenateEnd.UrlLiteral);
            }
            urls.Add(Encoding.UTF8.GetString(parser.AString("a URL")));
        }
    }
}
