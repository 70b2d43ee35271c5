using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>Puts messages in the order of SORT's criteria (RFC 5256 §3); what is equal by all of them stays in the order of the mailbox.</summary>
internal sealed class MailboxSort(MessageHeads heads, IReadOnlyList<SortCriterion> criteria)
{
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<MessageRef[]> RunAsync(MailboxSnapshot messages, UidSet found, CancellationToken cancellationToken)
    {
        MessageRef[] rows = [.. messages.Messages(found)];
        var columns = new Dictionary<SortKey, SortColumn>();
        foreach (SortCriterion criterion in criteria)
            columns.TryAdd(criterion.Key, SortColumn.Of(criterion.Key));
        if (columns.Keys.Any(SortColumn.NeedsEnvelope))
        {
            await heads.ReadAsync(rows, (row, content) =>
            {
                EnvelopeData envelope = content?.Envelope ?? EnvelopeData.None;
                foreach (SortColumn column in columns.Values)
                    column.Add(row, envelope);
            }, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            foreach (MessageRef row in rows)
            {
                foreach (SortColumn column in columns.Values)
                    column.Add(row, EnvelopeData.None);
            }
        }
        (SortColumn Column, int Sign)[] order = [.. criteria.Select(c => (columns[c.Key], c.Reverse ? -1 : 1))];
        int[] places = [.. Enumerable.Range(0, rows.Length)];
        // Not on an event loop, which others wait for.
        await Task.Run(() => Array.Sort(places, Compare), cancellationToken).ConfigureAwait(false);
        return Array.ConvertAll(places, place => rows[place]);

        int Compare(int left, int right)
        {
            foreach ((SortColumn column, int sign) in order)
            {
                if (column.Compare(left, right) is not 0 and var compared)
                    return compared * sign;
            }
            return left.CompareTo(right);
        }
    }
}
