using System.Text;

namespace MailCluster.Sieve.Matching;

/// <summary>
/// :matches (RFC 5228 §2.7.1): '*' is any text, '?' one character, '\' takes the next one as it is. Each '*' takes as little as it can (RFC 5229 §3.2).
/// Between two '*' the first place that fits is always right, so that nothing is tried twice: the time is at most the product of both lengths.
/// </summary>
internal static class Wildcards
{
    private const int Any = -1;

    /// <summary>What the whole text and each wildcard stand for, from left to right; null where the text does not match.</summary>
    public static List<string>? Match(string text, string pattern, Comparator comparator)
    {
        List<List<int>> pieces = Pieces(pattern, comparator);
        (int[] folded, int[] places) = Fold(text, comparator);
        var found = new List<string> { text };
        List<int> first = pieces[0], last = pieces[^1];
        if (!Fits(folded, 0, first))
            return null;
        Take(first, 0);
        int at = first.Count;
        if (pieces.Count == 1)
            return at == folded.Length ? found : null;
        for (int i = 1; i < pieces.Count; i++)
        {
            List<int> piece = pieces[i];
            int start = at;
            if (i == pieces.Count - 1)
            {
                at = folded.Length - last.Count;
                if (at < start || !Fits(folded, at, last))
                    return null;
            }
            else
            {
                while (!Fits(folded, at, piece))
                {
                    if (++at + piece.Count > folded.Length)
                        return null;
                }
            }
            found.Add(text[places[start]..places[at]]);
            Take(piece, at);
            at += piece.Count;
        }
        return found;

        void Take(List<int> piece, int start)
        {
            for (int i = 0; i < piece.Count; i++)
            {
                if (piece[i] == Any)
                    found.Add(text[places[start + i]..places[start + i + 1]]);
            }
        }
    }

    private static bool Fits(int[] text, int at, List<int> piece)
    {
        if (at + piece.Count > text.Length)
            return false;
        for (int i = 0; i < piece.Count; i++)
        {
            if (piece[i] != Any && piece[i] != text[at + i])
                return false;
        }
        return true;
    }

    /// <summary>What stands between the '*'.</summary>
    private static List<List<int>> Pieces(string pattern, Comparator comparator)
    {
        var pieces = new List<List<int>> { new() };
        bool escaped = false;
        foreach (Rune rune in pattern.EnumerateRunes())
        {
            if (!escaped && rune.Value == '\\')
            {
                escaped = true;
                continue;
            }
            if (!escaped && rune.Value == '*')
                pieces.Add([]);
            else
                pieces[^1].Add(!escaped && rune.Value == '?' ? Any : comparator.Fold(rune.Value));
            escaped = false;
        }
        return pieces;
    }

    /// <summary>Characters as they are compared, and where each begins; one more place for the end.</summary>
    private static (int[] Folded, int[] Places) Fold(string text, Comparator comparator)
    {
        var folded = new List<int>(text.Length);
        var places = new List<int>(text.Length + 1);
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            folded.Add(comparator.Fold(rune.Value));
            places.Add(at);
            at += rune.Utf16SequenceLength;
        }
        places.Add(at);
        return ([.. folded], [.. places]);
    }
}
