using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>Puts messages in the order of SORT's criteria (RFC 5256 §3); what is equal by all of them stays in the order of the mailbox.</summary>
/// <param name="inverted">Texts are ordered the other way round (RFC 4790 §3.3).</param>
/// <param name="annotations">Reads values of annotations by UID, as they are compared; null where no criterion asks for that.</param>
internal sealed class MailboxSort(
    MessageKeys keys, IReadOnlyList<SortCriterion> criteria, bool inverted = false, Func<SortCriterion, CancellationToken, Task<Dictionary<uint, byte[]>>>? annotations = null)
{
    private readonly SortCriterion[] _criteria = [.. criteria.Select(c => c with { Reverse = c.Reverse ^ (inverted && (c.Key == SortKey.Annotation || KeyOf(c.Key) is not (null or KeyKind.Date))) })];

    /// <summary>The order changes only with what the version of the mailbox has.</summary>
    public bool Lasts => !Array.Exists(_criteria, static c => c.Key == SortKey.Annotation);

    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<MessageRef[]> RunAsync(MailboxSnapshot messages, UidSet found, CancellationToken cancellationToken)
    {
        MessageRef[] rows = [.. messages.Messages(found)];
        KeyTable table = await LoadAsync(messages, rows, cancellationToken).ConfigureAwait(false);
        // Not on an event loop, which others wait for.
        return await Task.Run(() => Sort(rows, table), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts messages at their places among others that are in order, and tells those places: each, from 0, is right once those before it are in.</summary>
    /// <param name="ordered">UIDs, all of them in <paramref name="messages"/>.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<IReadOnlyList<(int Place, uint Uid)>> InsertAsync(MailboxSnapshot messages, List<uint> ordered, UidSet added, CancellationToken cancellationToken)
    {
        var places = new List<(int Place, uint Uid)>();
        // Each is looked for by some twenty comparisons: where many are new, it costs less to sort anew.
        if (added.Cardinality * 32 > ordered.Count)
        {
            MessageRef[] all = await RunAsync(messages, added.Union(UidSet.FromUids(ordered)), cancellationToken).ConfigureAwait(false);
            ordered.Clear();
            for (int place = 0; place < all.Length; place++)
            {
                ordered.Add(all[place].Uid);
                if (added.Contains(all[place].Uid))
                    places.Add((place, all[place].Uid));
            }
            return places;
        }
        int from = 0;
        foreach (MessageRef message in await RunAsync(messages, added, cancellationToken).ConfigureAwait(false))
        {
            int end = ordered.Count;
            while (from < end)
            {
                int middle = (from + end) / 2;
                if (messages.TryFind(ordered[middle], out MessageRef other) && await IsBeforeAsync(messages, message, other, cancellationToken).ConfigureAwait(false))
                    end = middle;
                else
                    from = middle + 1;
            }
            ordered.Insert(from, message.Uid);
            places.Add((from++, message.Uid));
        }
        return places;
    }

    private async ValueTask<bool> IsBeforeAsync(MailboxSnapshot messages, MessageRef left, MessageRef right, CancellationToken cancellationToken)
    {
        bool turned = left.Index > right.Index;
        MessageRef[] rows = turned ? [right, left] : [left, right];
        KeyTable table = await LoadAsync(messages, rows, cancellationToken).ConfigureAwait(false);
        return Comparing(rows, table)(turned ? 1 : 0, turned ? 0 : 1) < 0;
    }

    private async ValueTask<KeyTable> LoadAsync(MailboxSnapshot messages, MessageRef[] rows, CancellationToken cancellationToken)
    {
        KeyTable table = await keys.LoadAsync(messages, rows, [.. _criteria.Select(static c => KeyOf(c.Key)).OfType<KeyKind>().Distinct()], cancellationToken).ConfigureAwait(false);
        foreach (SortCriterion criterion in _criteria.Where(static c => c.Key == SortKey.Annotation))
        {
            Dictionary<uint, byte[]> values = await annotations!(criterion, cancellationToken).ConfigureAwait(false);
            table.Set(criterion, Array.ConvertAll(rows, row => values.TryGetValue(row.Uid, out byte[]? value) ? new KeyText(value, 0, value.Length) : new KeyText([], 0, 0)));
        }
        return table;
    }

    /// <summary>
    /// First by a number that orders as the first criterion does, as far as it goes: that is the runtime's sort of numbers. Then what has the same number, by all criteria.
    /// </summary>
    private MessageRef[] Sort(MessageRef[] rows, KeyTable table)
    {
        Func<int, ulong> leading = Leading(_criteria[0], rows, table);
        Comparison<int> compare = Comparing(rows, table);
        var numbers = new ulong[rows.Length];
        int[] places = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            (numbers[i], places[i]) = (leading(i), i);
        Array.Sort(numbers, places);
        for (int start = 0, end; start < rows.Length; start = end)
        {
            for (end = start + 1; end < rows.Length && numbers[end] == numbers[start];)
                end++;
            if (end > start + 1)
                places.AsSpan(start, end - start).Sort(compare);
        }
        return Array.ConvertAll(places, place => rows[place]);
    }

    /// <summary>By all criteria, and then as in the mailbox.</summary>
    private Comparison<int> Comparing(MessageRef[] rows, KeyTable table)
    {
        Comparison<int>[] order = [.. _criteria.Select(c => Comparison(c, rows, table))];
        return (left, right) =>
        {
            foreach (Comparison<int> compare in order)
            {
                if (compare(left, right) is not 0 and var compared)
                    return compared;
            }
            return left.CompareTo(right);
        };
    }

    private static Func<int, ulong> Leading(SortCriterion criterion, MessageRef[] rows, KeyTable table)
    {
        // What turns the order round.
        ulong reverse = criterion.Reverse ? ulong.MaxValue : 0;
        return criterion.Key == SortKey.Annotation ? row => table.Annotation(criterion, row).Leading ^ reverse
            : KeyOf(criterion.Key) is { } kind and not KeyKind.Date
            ? row => table.Text(kind, row).Leading ^ reverse
            : row => ((ulong)Number(criterion.Key, rows[row], row, table) ^ (1UL << 63)) ^ reverse;
    }

    private static Comparison<int> Comparison(SortCriterion criterion, MessageRef[] rows, KeyTable table)
    {
        int sign = criterion.Reverse ? -1 : 1;
        return criterion.Key == SortKey.Annotation
            ? (left, right) => table.Annotation(criterion, left).Span.SequenceCompareTo(table.Annotation(criterion, right).Span) * sign
            : KeyOf(criterion.Key) is { } kind and not KeyKind.Date
            ? (left, right) => table.Text(kind, left).Span.SequenceCompareTo(table.Text(kind, right).Span) * sign
            : (left, right) => Number(criterion.Key, rows[left], left, table).CompareTo(Number(criterion.Key, rows[right], right, table)) * sign;
    }

    private static long Number(SortKey key, MessageRef message, int row, KeyTable table) => key switch
    {
        SortKey.Arrival => message.InternalDate.ToUnixTimeSeconds(),
        SortKey.Size => message.Size,
        // What fits at all fits as well as the rest.
        SortKey.Relevancy => -FuzzyKeys.Score,
        _ => table.Date(row),
    };

    /// <summary>Null: the snapshot has it.</summary>
    private static KeyKind? KeyOf(SortKey key) => key switch
    {
        SortKey.Arrival or SortKey.Size or SortKey.Relevancy or SortKey.Annotation => null,
        SortKey.Date => KeyKind.Date,
        SortKey.Cc => KeyKind.Cc,
        SortKey.From => KeyKind.From,
        SortKey.To => KeyKind.To,
        SortKey.DisplayFrom => KeyKind.DisplayFrom,
        SortKey.DisplayTo => KeyKind.DisplayTo,
        _ => KeyKind.Subject,
    };
}
