using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>What FUZZY (RFC 6203 §3) makes of a key: strings are found when all of their words are there, in any order and at any distance. Everything else is exact.</summary>
internal static class FuzzyKeys
{
    /// <summary>The relevancy of whatever is found, 1 to 100: all words are in it, so that no result is better than another.</summary>
    public const int Score = 100;

    /// <summary>Words of one string that are looked for each on its own.</summary>
    private const int MaxWords = 16;

    public static SearchKey Widen(SearchKey key) => key switch
    {
        SearchKey.And and => new SearchKey.And([.. and.Keys.Select(Widen)]),
        SearchKey.Or or => new SearchKey.Or(Widen(or.Left), Widen(or.Right)),
        SearchKey.Header header => Each(header.Value, word => header with { Value = word }),
        SearchKey.Body body => Each(body.Value, static word => new SearchKey.Body(word)),
        SearchKey.Text text => Each(text.Value, static word => new SearchKey.Text(word)),
        _ => key,
    };

    private static SearchKey Each(string value, Func<string, SearchKey> keyOf)
    {
        string[] words = value.Split((char[]?)null, MaxWords, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words.Length < 2 ? keyOf(words.Length == 0 ? value : words[0]) : new SearchKey.And([.. words.Select(keyOf)]);
    }
}
