namespace MailCluster.Imap.Commands;

/// <summary>
/// A name pattern of LIST and LSUB (RFC 9051 §6.3.9): '*' is anything, '%' anything without the delimiter; INBOX matches in any case.
/// Costs name length times pattern length at most.
/// </summary>
internal sealed class ListPattern
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

    public bool Matches(string name) =>
        Matches(name, _pattern) || (IsInbox(name) && _pattern.Length >= 5 && Matches(name, string.Concat(_pattern.AsSpan(0, 5).ToString().ToUpperInvariant(), _pattern.AsSpan(5))));

    private bool IsInbox(string name) => name.StartsWith("INBOX", StringComparison.Ordinal) && (name.Length == 5 || name[5] == _delimiter);

    /// <summary>All places in the pattern at which a match may stand are followed at once.</summary>
    private bool Matches(string name, string pattern)
    {
        var at = new bool[pattern.Length + 1];
        at[0] = true;
        SkipWildcards(at, pattern);
        foreach (char c in name)
        {
            var next = new bool[pattern.Length + 1];
            bool any = false;
            for (int i = 0; i < pattern.Length; i++)
            {
                if (!at[i])
                    continue;
                if (pattern[i] == '*' || (pattern[i] == '%' && c != _delimiter))
                    any = next[i] = true;
                else if (pattern[i] == c)
                    any = next[i + 1] = true;
            }
            if (!any)
                return false;
            at = next;
            SkipWildcards(at, pattern);
        }
        return at[pattern.Length];
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
