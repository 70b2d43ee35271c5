using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Languages;

/// <summary>Language ranges (RFC 4647 §2) and which language they choose: by lookup (§3.4), since exactly one is wanted.</summary>
public static class LanguageRange
{
    /// <summary>What LANGUAGE takes (RFC 5255 §3.5): people know a handful.</summary>
    private const int Most = 50;

    /// <summary>The ranges of LANGUAGE, at least one: basic or extended ones, or "default".</summary>
    public static IReadOnlyList<string> Parse(ref ImapParser parser)
    {
        List<string> ranges = [];
        do
        {
            if (ranges.Count > 0)
                parser.Space();
            if (ranges.Count == Most)
                ImapParser.Fail("Too many language ranges");
            ReadOnlySpan<byte> range = parser.AString("a language range");
            if (!IsRange(range))
                ImapParser.Fail("That is no language range");
            ranges.Add(System.Text.Encoding.ASCII.GetString(range));
        }
        while (!parser.OnlySpacesLeft);
        parser.End();
        return ranges;
    }

    /// <summary>The language of the first range that has one; null where none has.</summary>
    /// <param name="preferred">The administrator's, for "default", and for "*" where no other range has one.</param>
    public static Language? Choose(IReadOnlyList<string> ranges, Language preferred)
    {
        bool any = false;
        foreach (string range in ranges)
        {
            // An extended range that begins with a wildcard is "*" (§3.4, §2.2).
            if (range[0] == '*')
                any = true;
            else if (range.Equals("default", StringComparison.OrdinalIgnoreCase))
                return preferred;
            else if (LookUp(range) is { } found)
                return found;
        }
        return any ? preferred : null;
    }

    /// <summary>The range is made shorter from its end until there is a language of it; a subtag of one character goes with what followed it.</summary>
    private static Language? LookUp(string range)
    {
        string[] subtags = [.. range.Split('-').Where(static s => s != "*")];
        for (int count = subtags.Length; count > 0; count--)
        {
            if (count < subtags.Length && subtags[count - 1].Length == 1)
                continue;
            if (Language.Find(string.Join('-', subtags[..count])) is { } found)
                return found;
        }
        return null;
    }

    private static bool IsRange(ReadOnlySpan<byte> range)
    {
        bool first = true;
        foreach (Range part in range.Split((byte)'-'))
        {
            ReadOnlySpan<byte> subtag = range[part];
            bool wild = subtag is [(byte)'*'];
            if (!wild && (subtag.Length is 0 or > 8 || Others(subtag, first)))
                return false;
            first = false;
        }
        return true;

        static bool Others(ReadOnlySpan<byte> subtag, bool first)
        {
            foreach (byte c in subtag)
            {
                if (!(first ? char.IsAsciiLetter((char)c) : char.IsAsciiLetterOrDigit((char)c)))
                    return true;
            }
            return false;
        }
    }
}
