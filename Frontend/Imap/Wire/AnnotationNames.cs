using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>Names of annotations' entries (RFC 5257 §3.2.1); their case counts.</summary>
public static class AnnotationNames
{
    /// <summary>Octets of a name.</summary>
    public const int MaxLength = 255;

    static readonly string[] PartFlags = ["seen", "answered", "flagged", "forwarded"];

    /// <summary>'*' and '%' stand for one character or more (§4.3); '%' for none that is '/'.</summary>
    public static bool IsPattern(string entry) => entry.AsSpan().IndexOfAny('*', '%') >= 0;

    /// <summary>A name.</summary>
    /// <exception cref="ImapSyntaxException">It can be none.</exception>
    public static string Entry(ReadOnlySpan<byte> octets)
    {
        var entry = Pattern(octets);
        if (IsPattern(entry))
        {
            ImapParser.Fail("An entry's name holds a character that none can hold");
        }
        return entry;
    }

    /// <summary>A name, or a pattern of names.</summary>
    /// <exception cref="ImapSyntaxException">It can be none.</exception>
    public static string Pattern(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > MaxLength)
        {
            ImapParser.Fail("An entry's name is too long");
        }
        if (octets.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7e) >= 0)
        {
            ImapParser.Fail("An entry's name holds a character that none can hold");
        }
        var entry = Encoding.ASCII.GetString(octets);
        if (entry.Contains("//", StringComparison.Ordinal) || (entry.EndsWith('/') && entry.Length > 0) || entry.Length == 0)
        {
            ImapParser.Fail("An entry's name has an empty part");
        }
        if (entry[0] != '/' && !IsPattern(entry))
        {
            ImapParser.Fail("An entry's name begins with '/'");
        }
        if (entry.Length > 1 && char.IsAsciiDigit(entry[1]) && FirstOf(entry) is var first && !IsPattern(first) && PartOf(first) is null)
        {
            ImapParser.Fail("A part is numbers with dots between");
        }
        return entry;
    }

    /// <summary>A name that a value can be stored under: a registered one (§6.2), or a vendor's.</summary>
    /// <exception cref="ImapSyntaxException">It is none.</exception>
    public static string Settable(ReadOnlySpan<byte> octets)
    {
        var entry = Entry(octets);
        var levels = entry[1..].Split('/');
        var isPart = char.IsAsciiDigit(levels[0][0]);
        var known = (isPart ? levels[1..] : levels) switch
        {
            ["comment"] => true,
            ["altsubject"] => !isPart,
            ["flags", var flag] => isPart && PartFlags.Contains(flag),
            ["vendor", _, ..] => true,
            _ => false,
        };
        if (!known)
        {
            ImapParser.Fail("There is no such entry; one of your own begins with /vendor/ and a name");
        }
        return entry;
    }

    /// <summary>Of a settable entry: whether its values are flags.</summary>
    public static bool IsFlag(string entry) => entry.Split('/') is [_, _, "flags", _];

    /// <summary>The part of the message that an entry is about (RFC 9051 §6.4.5); null: the whole message.</summary>
    public static IReadOnlyList<uint>? PartOfEntry(string entry) => entry.Length > 1 && char.IsAsciiDigit(entry[1]) ? PartOf(FirstOf(entry)) : null;

    /// <summary>Whether a name is one of a pattern's. Costs one length times the other at most.</summary>
    public static bool Matches(string pattern, string entry)
    {
        // At each place in the pattern: whether what was seen of the name may end there; a wildcard that has had its one character stays for more.
        var at = new bool[pattern.Length + 1];
        var within = new bool[pattern.Length];
        at[0] = true;
        foreach (var c in entry)
        {
            var next = new bool[pattern.Length + 1];
            var nextWithin = new bool[pattern.Length];
            for (var i = 0; i < pattern.Length; i++)
            {
                if (!at[i] && !within[i])
                {
                    continue;
                }
                if (pattern[i] == '*' || (pattern[i] == '%' && c != '/'))
                {
                    next[i + 1] = nextWithin[i] = true;
                }
                else if (at[i] && pattern[i] == c)
                {
                    next[i + 1] = true;
                }
            }
            (at, within) = (next, nextWithin);
        }
        return at[pattern.Length];
    }

    static string FirstOf(string entry) => entry.IndexOf('/', 1) is > 0 and var end ? entry[1..end] : entry[1..];

    static List<uint>? PartOf(string text)
    {
        var part = new List<uint>();
        foreach (var number in text.Split('.'))
        {
            if (number.Length is 0 or > 10 || number[0] == '0' || number.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0 || !uint.TryParse(number, out var n)
                || part.Count == FetchGrammar.MaxPartDepth)
            {
                return null;
            }
            part.Add(n);
        }
        return part;
    }
}
