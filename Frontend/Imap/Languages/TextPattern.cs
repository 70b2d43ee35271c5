using System.Globalization;
using System.Text.RegularExpressions;

namespace MailCluster.Imap.Languages;

/// <summary>A text with places for parts, {0}, {1}…, and the same in another language, where they may stand in another order.</summary>
internal sealed partial class TextPattern(string text, string translation)
{
    private readonly string[] _between = Place().Split(text);

    /// <summary>Characters that are the text's own.</summary>
    public int Length => _between.Sum(static b => b.Length);

    /// <summary>The translation of a text that fits, with its parts; null where it does not.</summary>
    /// <param name="part">What a part becomes.</param>
    public string? Apply(string sent, Func<string, string> part)
    {
        if (!sent.StartsWith(_between[0], StringComparison.Ordinal))
            return null;
        var parts = new string[_between.Length - 1];
        int at = _between[0].Length;
        for (int i = 0; i < parts.Length; i++)
        {
            string behind = _between[i + 1];
            bool last = i == parts.Length - 1;
            int end = last ? sent.Length - behind.Length : sent.IndexOf(behind, at, StringComparison.Ordinal);
            if (end <= at || (last && !sent.EndsWith(behind, StringComparison.Ordinal)))
                return null;
            parts[i] = part(sent[at..end]);
            at = end + behind.Length;
        }
        return Place().Replace(translation, place => parts[int.Parse(place.ValueSpan[1..^1], CultureInfo.InvariantCulture)]);
    }

    [GeneratedRegex(@"\{\d\}")]
    internal static partial Regex Place();
}
