namespace MailCluster.Imap.Commands;

/// <summary>
/// A name pattern of LIST and LSUB (RFC 9051 §6.3.9): '*' is anything, '%' anything without the delimiter; INBOX matches in any case.
/// Costs name length times pattern length at most.
/// </summary>
public sealed class ListPattern
{
    /// <summary>Longer patterns than any name are mistakes or attacks.</summary>
    public const int MaxLength = 4096;

    private readonly string _pattern;
    private readonly char _delimiter;

    public ListPattern(string pattern, char delimiter)
    {
        _pattern = pattern;
        _delimiter = delimiter;
    }

    /// <summary>All places in the pattern at which a match may stand are followed at once.</summary>
    public bool Matches(string name)
    {
        // INBOX, and it as the first level of a longer name.
        int ignoreCase = name.StartsWith("INBOX", StringComparison.Ordinal) && (name.Length == 5 || name[5] == _delimiter) ? 5 : 0;
        var at = new bool[_pattern.Length + 1];
        at[0] = true;
        SkipWildcards(at, _pattern);
        for (int n = 0; n < name.Length; n++)
        {
            var next = new bool[_pattern.Length + 1];
            bool any = false;
            for (int i = 0; i < _pattern.Length; i++)
            {
                if (!at[i])
                    continue;
                if (_pattern[i] == '*' || (_pattern[i] == '%' && name[n] != _delimiter))
                    any = next[i] = true;
                else if (_pattern[i] == name[n] || (n < ignoreCase && char.ToUpperInvariant(_pattern[i]) == name[n]))
                    any = next[i + 1] = true;
            }
            if (!any)
                return false;
            at = next;
            SkipWildcards(at, _pattern);
        }
        return at[_pattern.Length];
    }

    /// <summary>False: it matches no name that begins with <paramref name="prefix"/>, nor the levels of the prefix itself.</summary>
    public bool MayMatchBelow(string prefix)
    {
        int literal = _pattern.AsSpan().IndexOfAny('*', '%');
        ReadOnlySpan<char> start = literal < 0 ? _pattern : _pattern.AsSpan(0, literal);
        return start.StartsWith(prefix, StringComparison.Ordinal) || prefix.AsSpan().StartsWith(start, StringComparison.Ordinal);
    }

    private static void SkipWildcards(bool[] at, string pattern)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (at[i] && pattern[i] is '*' or '%')
                at[i + 1] |= at[i];
        }
    }
}
