using System.Text;
using System.Text.RegularExpressions;

namespace MailCluster.Sieve.Matching;

/// <summary>
/// :regex (draft-ietf-sieve-regex): POSIX extended expressions by .NET's engine that never goes back, whose time grows with the text and nothing else. The first alternative that
/// fits counts, not the longest.
/// </summary>
internal static class SieveRegex
{
    /// <summary>The expression, or null and why not.</summary>
    public static Regex? Compile(string pattern, Comparator comparator, int maxLength, out string error)
    {
        error = "";
        if (pattern.Length > maxLength)
        {
            error = $"the expression is longer than {maxLength} characters";
            return null;
        }
        RegexOptions options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline;
        if (comparator == Comparator.AsciiCasemap)
            options |= RegexOptions.IgnoreCase;
        try
        {
            return new Regex(Translate(pattern), options, TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = e is NotSupportedException ? "the expression has what can't be matched in bounded time" : $"the expression is not valid: {e.Message}";
            return null;
        }
    }

    /// <summary>What the whole and each group stand for; null where the text does not match.</summary>
    public static List<string>? Match(Regex regex, string text)
    {
        Match match = regex.Match(text);
        return match.Success ? [.. match.Groups.Cast<Group>().Select(static g => g.Value)] : null;
    }

    /// <summary>Classes of characters by name inside of brackets are written otherwise in .NET; so is a backslash or a bracket there.</summary>
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 16);
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                text.Append(c).Append(pattern[++i]);
                continue;
            }
            text.Append(c);
            if (c == '[')
                i = Bracket(pattern, i + 1, text) - 1;
            else if (c == '(' && i + 1 < pattern.Length && pattern[i + 1] == '?')
                throw new NotSupportedException();
        }
        return text.ToString();
    }

    /// <summary>Copies a bracket expression; where it ends.</summary>
    private static int Bracket(string pattern, int i, StringBuilder text)
    {
        if (i < pattern.Length && pattern[i] == '^')
            text.Append(pattern[i++]);
        for (bool first = true; i < pattern.Length; first = false)
        {
            char c = pattern[i];
            if (c == ']' && !first)
            {
                text.Append(c);
                return i + 1;
            }
            if (c == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':')
            {
                int end = pattern.IndexOf(":]", i + 2, StringComparison.Ordinal);
                if (end > 0 && Class(pattern[(i + 2)..end]) is { } known)
                {
                    text.Append(known);
                    i = end + 2;
                    continue;
                }
            }
            if (c is '\\' or '[' or ']')
                text.Append('\\');
            text.Append(c);
            i++;
        }
        return i;
    }

    private static string? Class(string name) => name switch
    {
        "alpha" => @"\p{L}",
        "digit" => "0-9",
        "alnum" => @"\p{L}\p{Nd}",
        "upper" => @"\p{Lu}",
        "lower" => @"\p{Ll}",
        "space" => @"\s",
        "blank" => @" \t",
        "punct" => @"!-/:-@\[-`{-~",
        "print" => @"\x20-\x7e\u00a0-\uffff",
        "graph" => @"\x21-\x7e\u00a1-\uffff",
        "cntrl" => @"\x00-\x1f\x7f",
        "xdigit" => "0-9A-Fa-f",
        _ => null,
    };
}
