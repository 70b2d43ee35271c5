using System.Text;

namespace MailCluster.Imap.Commands;

/// <summary>
/// A name pattern of LIST and LSUB (RFC 9051 §6.3.9): '*' is anything, '%' anything without the delimiter; INBOX matches in any case. All places in the pattern at which a match may
/// stand are followed at once, a bit each: it costs the name's length times a sixty-fourth of the pattern's, at most. Not for two threads at once.
/// </summary>
public sealed class ListPattern
{
    /// <summary>Longer patterns than any name are mistakes or attacks.</summary>
    public const int MaxLength = 4096;

    private readonly string _pattern;
    private readonly char _delimiter;
    // Where '*' stands, where either wildcard does, and where each letter does.
    private readonly ulong[] _stars;
    private readonly ulong[] _wildcards;
    private readonly Dictionary<char, ulong[]> _letters = [];
    private ulong[] _at;
    private ulong[] _next;

    public ListPattern(string pattern, char delimiter)
    {
        _pattern = Plain(pattern);
        _delimiter = delimiter;
        // One place more than letters: behind the last.
        int words = (_pattern.Length >> 6) + 1;
        (_stars, _wildcards, _at, _next) = (new ulong[words], new ulong[words], new ulong[words], new ulong[words]);
        for (int i = 0; i < _pattern.Length; i++)
        {
            ulong bit = 1UL << (i & 63);
            if (_pattern[i] is '*' or '%')
            {
                _wildcards[i >> 6] |= bit;
                if (_pattern[i] == '*')
                    _stars[i >> 6] |= bit;
                continue;
            }
            if (!_letters.TryGetValue(_pattern[i], out ulong[]? places))
                _letters.Add(_pattern[i], places = new ulong[words]);
            places[i >> 6] |= bit;
        }
    }

    public bool Matches(string name)
    {
        // INBOX, and it as the first level of a longer name.
        int ignoreCase = name.StartsWith("INBOX", StringComparison.Ordinal) && (name.Length == 5 || name[5] == _delimiter) ? 5 : 0;
        Array.Clear(_at);
        Array.Clear(_next);
        _at[0] = 1 | (_wildcards[0] & 1) << 1;
        for (int n = 0; n < name.Length; n++)
        {
            ulong[]? letters = _letters.GetValueOrDefault(name[n]);
            ulong[]? others = n < ignoreCase ? _letters.GetValueOrDefault(char.ToLowerInvariant(name[n])) : null;
            ulong[] staying = name[n] == _delimiter ? _stars : _wildcards;
            ulong any = 0, over = 0, overWildcard = 0;
            // Each letter leads two places further at most: over the one that it is, and over a wildcard behind it.
            int last = Math.Min(((2 * n) + 3) >> 6, _at.Length - 1);
            for (int w = 0; w <= last; w++)
            {
                ulong at = _at[w];
                ulong passed = at & ((letters is null ? 0 : letters[w]) | (others is null ? 0 : others[w]));
                ulong next = at & staying[w] | passed << 1 | over;
                over = passed >> 63;
                ulong wildcards = next & _wildcards[w];
                any |= _next[w] = next | wildcards << 1 | overWildcard;
                overWildcard = wildcards >> 63;
            }
            if ((any | over | overWildcard) == 0)
                return false;
            (_at, _next) = (_next, _at);
        }
        return (_at[_pattern.Length >> 6] >> (_pattern.Length & 63) & 1) != 0;
    }

    /// <summary>False: it matches no name that begins with <paramref name="prefix"/>, nor the levels of the prefix itself.</summary>
    public bool MayMatchBelow(string prefix)
    {
        int literal = _pattern.AsSpan().IndexOfAny('*', '%');
        ReadOnlySpan<char> start = literal < 0 ? _pattern : _pattern.AsSpan(0, literal);
        return start.StartsWith(prefix, StringComparison.Ordinal) || prefix.AsSpan().StartsWith(start, StringComparison.Ordinal);
    }

    /// <summary>With one wildcard where several stand together, which mean no more than the widest of them.</summary>
    private static string Plain(string pattern)
    {
        var plain = new StringBuilder(pattern.Length);
        foreach (char c in pattern)
        {
            if (c is '*' or '%' && plain.Length > 0 && plain[^1] is '*' or '%')
            {
                if (c == '*')
                    plain[^1] = c;
                continue;
            }
            plain.Append(c);
        }
        return plain.ToString();
    }
}
