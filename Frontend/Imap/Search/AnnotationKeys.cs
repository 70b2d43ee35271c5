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
    public static bool Occur(SearchKey key) => key is SearchKey.Annotation || key.Parts.Any(Occur);

    /// <summary>Puts UIDs in the place of the keys that are about annotations.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<SearchKey> ResolveAsync(SearchKey key, CancellationToken cancellationToken)
    {
        if (key is not SearchKey.Annotation annotation)
            return await key.WithPartsAsync(part => ResolveAsync(part, cancellationToken)).ConfigureAwait(false);
        SearchKey found = ThreadKeys.Of(await FindAsync(annotation, cancellationToken).ConfigureAwait(false));
        return annotation.Value is null ? new SearchKey.Not(found) : found;
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
