using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>
/// What SEARCH and SORT ask of annotations (RFC 5257 §4.8, §4.9): all of a mailbox's are looked through, one by one, once for each key. Values are text, as the session's collation compares it.
/// </summary>
/// <param name="viewer">Whose private ones.</param>
internal sealed class AnnotationKeys(IMessageAnnotations annotations, MailboxKey mailbox, AccountId viewer, Collation collation)
{
    public static bool Occur(SearchKey key) => key switch
    {
        SearchKey.Annotation => true,
        SearchKey.And and => and.Keys.Any(Occur),
        SearchKey.Or or => Occur(or.Left) || Occur(or.Right),
        SearchKey.Not not => Occur(not.Key),
        SearchKey.Fuzzy fuzzy => Occur(fuzzy.Key),
        SearchKey.InThread inThread => Occur(inThread.Key),
        _ => false,
    };

    /// <summary>Puts UIDs in the place of the keys that are about annotations.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<SearchKey> ResolveAsync(SearchKey key, CancellationToken cancellationToken)
    {
        switch (key)
        {
            case SearchKey.Annotation annotation:
                SearchKey found = ThreadKeys.Of(await FindAsync(annotation, cancellationToken).ConfigureAwait(false));
                return annotation.Value is null ? new SearchKey.Not(found) : found;
            case SearchKey.And and:
                var keys = new List<SearchKey>(and.Keys.Count);
                foreach (SearchKey one in and.Keys)
                    keys.Add(await ResolveAsync(one, cancellationToken).ConfigureAwait(false));
                return new SearchKey.And(keys);
            case SearchKey.Or or:
                return new SearchKey.Or(await ResolveAsync(or.Left, cancellationToken).ConfigureAwait(false), await ResolveAsync(or.Right, cancellationToken).ConfigureAwait(false));
            case SearchKey.Not not:
                return new SearchKey.Not(await ResolveAsync(not.Key, cancellationToken).ConfigureAwait(false));
            case SearchKey.Fuzzy fuzzy:
                return new SearchKey.Fuzzy(await ResolveAsync(fuzzy.Key, cancellationToken).ConfigureAwait(false));
            case SearchKey.InThread inThread:
                return new SearchKey.InThread(await ResolveAsync(inThread.Key, cancellationToken).ConfigureAwait(false));
            default:
                return key;
        }
    }

    /// <summary>The values that a criterion of SORT orders by, by UID, in the octets that are compared.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async Task<Dictionary<uint, byte[]>> ValuesAsync(SortCriterion criterion, CancellationToken cancellationToken)
    {
        var values = new Dictionary<uint, byte[]>();
        await foreach (MessageAnnotation one in annotations.ScanAsync(mailbox, viewer, criterion.Entry, criterion.Shared, cancellationToken).ConfigureAwait(false))
            values[one.Uid] = collation.Key(Encoding.UTF8.GetString(one.Value!));
        return values;
    }

    private async Task<UidSet> FindAsync(SearchKey.Annotation key, CancellationToken cancellationToken)
    {
        var found = new HashSet<uint>();
        bool isPattern = AnnotationNames.IsPattern(key.Entry);
        await foreach (MessageAnnotation one in annotations.ScanAsync(mailbox, viewer, isPattern ? null : key.Entry, key.Shared, cancellationToken).ConfigureAwait(false))
        {
            if (!found.Contains(one.Uid) && (!isPattern || AnnotationNames.Matches(key.Entry, one.Entry))
                && (string.IsNullOrEmpty(key.Value) || collation.Contains(Encoding.UTF8.GetString(one.Value!), key.Value)))
                found.Add(one.Uid);
        }
        return UidSet.FromUids(found);
    }
}
