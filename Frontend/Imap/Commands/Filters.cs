using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// FILTERS (RFC 5466): searches that are kept under a name, as annotations of the server, /private/filters/values/NAME before /shared/filters/values/NAME; FILTER NAME stands for what is there.
/// Filters may name filters, as far as three substitutions go (§3.1), and all of it may have as many keys as one command.
/// </summary>
internal static class Filters
{
    private const int Passes = 3;
    private const string Private = "/private/filters/values/";
    private const string Shared = "/shared/filters/values/";

    /// <summary>Puts what is stored in the place of the names; not null when that fails.</summary>
    public static async ValueTask<Completion?> InsertAsync(ImapSession session, ImapUser user, SearchArguments arguments, Action<SearchArguments> inserted)
    {
        // §3.1: what is stored is UTF-8; BAD, where a search without filters gets NO.
        if (arguments.BadCharset)
            return Completion.Bad("The charset is not known") with { Code = "BADCHARSET (US-ASCII UTF-8)" };
        var stored = new Dictionary<string, SearchArguments>(StringComparer.Ordinal);
        for (int pass = 0; arguments.UsesFilters; pass++)
        {
            string[] names = [.. Named(arguments.Key)];
            // A loop is not found out: it has no end after three substitutions.
            if (pass == Passes)
                return Undefined(names[0]);
            string[] unread = [.. names.Distinct().Where(n => !stored.ContainsKey(n))];
            MailResult<IReadOnlyList<MetadataEntry>> found = await session.Cluster.CallAsync(
                () => user.Account.GetMetadata(new MetadataRequest(null, user.Settings.Account, [.. unread.Select(static n => Private + n), .. unread.Select(static n => Shared + n)])), session.Wait);
            if (found.Error is { } error)
                return error;
            foreach (string name in unread)
            {
                byte[]? value = Value(found.Value!, Private + name) ?? Value(found.Value!, Shared + name);
                if (value is null || TryParse(value) is not { } search)
                    return Undefined(name);
                stored[name] = search;
            }
            if (Count(arguments.Key) + names.Sum(n => Count(stored[n].Key)) > SearchGrammar.MaxKeys)
                return Completion.No("LIMIT", "The filters have too many keys");
            SearchArguments[] used = [.. names.Distinct().Select(n => stored[n])];
            arguments = arguments with
            {
                Key = Insert(arguments.Key, stored), UsesFilters = used.Any(static s => s.UsesFilters), UsesModSeq = arguments.UsesModSeq || used.Any(static s => s.UsesModSeq),
                UsesFuzzy = arguments.UsesFuzzy || used.Any(static s => s.UsesFuzzy), UsesNumbers = arguments.UsesNumbers || used.Any(static s => s.UsesNumbers),
                UsesUids = arguments.UsesUids || used.Any(static s => s.UsesUids),
            };
        }
        inserted(arguments);
        return null;
    }

    /// <summary>An annotation of the server that is to be a filter, and is none (§3.2 asks to look).</summary>
    public static bool IsWrong(MetadataValue annotation)
    {
        string? prefix = annotation.Entry.StartsWith(Private, StringComparison.Ordinal) ? Private : annotation.Entry.StartsWith(Shared, StringComparison.Ordinal) ? Shared : null;
        if (prefix is null || annotation.Value is not { } value)
            return false;
        byte[] use = [.. "FILTER "u8, .. Encoding.Latin1.GetBytes(annotation.Entry[prefix.Length..])];
        return TryParse(use) is not { Key: SearchKey.Filter } || TryParse(value) is null;
    }

    private static Completion Undefined(string name) => Completion.No($"UNDEFINED-FILTER {name}", "There is no filter of that name, or it is no search");

    private static byte[]? Value(IReadOnlyList<MetadataEntry> entries, string name) => entries.FirstOrDefault(e => e.Entry == name)?.Value;

    private static SearchArguments? TryParse(byte[] value)
    {
        try
        {
            return SearchGrammar.Stored(value);
        }
        catch (ImapSyntaxException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Named(SearchKey key) => key is SearchKey.Filter filter ? [filter.Name] : Parts(key).SelectMany(Named);

    private static int Count(SearchKey key) => 1 + Parts(key).Sum(Count);

    private static SearchKey Insert(SearchKey key, Dictionary<string, SearchArguments> stored) => key switch
    {
        SearchKey.Filter filter => stored[filter.Name].Key,
        SearchKey.And and => new SearchKey.And([.. and.Keys.Select(k => Insert(k, stored))]),
        SearchKey.Or or => new SearchKey.Or(Insert(or.Left, stored), Insert(or.Right, stored)),
        SearchKey.Not not => new SearchKey.Not(Insert(not.Key, stored)),
        SearchKey.Fuzzy fuzzy => new SearchKey.Fuzzy(Insert(fuzzy.Key, stored)),
        SearchKey.InThread inThread => new SearchKey.InThread(Insert(inThread.Key, stored)),
        _ => key,
    };

    private static IEnumerable<SearchKey> Parts(SearchKey key) => key switch
    {
        SearchKey.And and => and.Keys,
        SearchKey.Or or => [or.Left, or.Right],
        SearchKey.Not not => [not.Key],
        SearchKey.Fuzzy fuzzy => [fuzzy.Key],
        SearchKey.InThread inThread => [inThread.Key],
        _ => [],
    };
}
