using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>SEARCH (RFC 3501 §7.2.5) or ESEARCH (RFC 9051 §7.3.4).</summary>
/// <param name="IsUid">Null: SEARCH does not say.</param>
internal sealed record SearchResult(UidSet Found, bool? IsUid)
{
    /// <exception cref="FormatException">It is neither.</exception>
    public static SearchResult Read(Response response) => response.Name == "SEARCH" ? OfSearch(response.Arguments) : OfESearch(response.Arguments);

    private static SearchResult OfSearch(IReadOnlyList<Token> arguments)
    {
        var found = new List<uint>();
        foreach (Token argument in arguments)
        {
            // Last comes "(MODSEQ n)" (RFC 7162 §3.1.5).
            if (argument is not ListToken)
                found.Add(argument.Uid ?? throw new FormatException("SEARCH with something that is no number"));
        }
        return new SearchResult(UidSet.FromUids(found), null);
    }

    private static SearchResult OfESearch(IReadOnlyList<Token> arguments)
    {
        int at = arguments is [ListToken, ..] ? 1 : 0;
        bool isUid = at < arguments.Count && arguments[at].Is("UID");
        var found = UidSet.Empty;
        for (at += isUid ? 1 : 0; at + 1 < arguments.Count; at += 2)
        {
            if (arguments[at].Is("ALL"))
                found = Sets.Parse(arguments[at + 1].Text) ?? throw new FormatException("ESEARCH with ALL that is no set");
        }
        return new SearchResult(found, isUid);
    }
}
