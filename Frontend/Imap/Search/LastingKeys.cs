using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>
/// Makes of SEARCH keys what can be asked of later versions of the mailbox as well (UPDATE, RFC 5267 §4.3): message numbers, '$' and '*' stand for what they were when the command came.
/// </summary>
/// <param name="messages">Where numbers and '*' come from.</param>
/// <param name="saved">What '$' stands for.</param>
internal sealed class LastingKeys(MailboxSnapshot messages, UidSet saved)
{
    /// <summary>The answer depends on what others and the user do with a message: on flags, keywords, modseqs. Otherwise a message has been decided about once for all.</summary>
    public bool ReadFlags { get; private set; }

    /// <summary>Null where the answer changes by itself: with time (OLDER, YOUNGER), with what is \Recent, with what '*' alone stands for, with other messages (those about threads), or with what the version does not have (annotations).</summary>
    public SearchKey? Of(SearchKey key)
    {
        switch (key)
        {
            case SearchKey.And and:
                return All(and.Keys) is { } keys ? new SearchKey.And(keys) : null;
            case SearchKey.Or or:
                return All([or.Left, or.Right]) is [var left, var right] ? new SearchKey.Or(left, right) : null;
            case SearchKey.Not not:
                return Of(not.Key) is { } negated ? new SearchKey.Not(negated) : null;
            case SearchKey.Fuzzy fuzzy:
                return Of(fuzzy.Key) is { } widened ? new SearchKey.Fuzzy(widened) : null;
            case SearchKey.Numbers { Set.IsSavedResult: true } or SearchKey.Uid { Set.IsSavedResult: true }:
                return ThreadKeys.Of(saved);
            case SearchKey.Numbers numbers:
                UidSet named = numbers.Set.ToUidSet((uint)messages.Count);
                return ThreadKeys.Of(UidSet.FromUids(messages.Messages().Where(m => named.Contains((uint)m.Index + 1)).Select(static m => m.Uid)));
            case SearchKey.Uid { Set.HasStar: true } open:
                return Open(open.Set);
            case SearchKey.Within or SearchKey.Recent or SearchKey.InThread or SearchKey.ThreadRoot or SearchKey.ThreadLeaf or SearchKey.Annotation:
                return null;
            case SearchKey.HasFlag or SearchKey.HasKeyword or SearchKey.ModSeq:
                ReadFlags = true;
                return key;
            default:
                return key;
        }
    }

    private List<SearchKey>? All(IReadOnlyList<SearchKey> keys)
    {
        var all = new List<SearchKey>(keys.Count);
        foreach (SearchKey key in keys)
        {
            if (Of(key) is not { } lasting)
                return null;
            all.Add(lasting);
        }
        return all;
    }

    /// <summary>5:* is "from 5 on", as long as there is a message from 5 on.</summary>
    private SearchKey.Uid? Open(SequenceSet set)
    {
        uint last = messages.Count == 0 ? 1 : messages[messages.Count - 1].Uid;
        var ranges = new List<SequenceRange>();
        foreach (SequenceRange range in set.Ranges)
        {
            if (range.Start != SequenceRange.Star && range.End != SequenceRange.Star)
            {
                ranges.Add(range);
                continue;
            }
            uint from = range.Start == SequenceRange.Star ? range.End : range.Start;
            if (from == SequenceRange.Star || from > last)
                return null;
            ranges.Add(new SequenceRange(from, uint.MaxValue));
        }
        return new SearchKey.Uid(SequenceSet.Of([.. ranges]));
    }
}
