using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// A SEARCH or SORT whose result is followed (UPDATE, RFC 5267 §4.3): what it has found, as its client knows it, and how a message is tested. Of a later version only what has changed is looked at.
/// </summary>
/// <param name="tag">That of the command.</param>
/// <param name="uid">The client counts in UIDs, not in message numbers.</param>
/// <param name="test">Lasts, see <see cref="LastingKeys"/>.</param>
/// <param name="readsFlags">Flags and modseqs make a difference to it.</param>
/// <param name="fetch">What is fetched of new messages that come in; null for nothing.</param>
internal sealed class SearchContext(string tag, bool uid, SearchTest test, bool readsFlags, IReadOnlyList<FetchAttribute>? fetch)
{
    private MailboxSort? _sort;
    private List<uint>? _order;

    public string Tag => tag;

    public bool Uid => uid;

    public SearchTest Test => test;

    public bool ReadsFlags => readsFlags;

    public IReadOnlyList<FetchAttribute>? Fetch => fetch;

    /// <summary>The result.</summary>
    public required UidSet Found { get; set; }

    /// <summary>The result is in an order of its own.</summary>
    public bool IsSorted => _order is not null;

    /// <summary>How many numbers it keeps.</summary>
    public int Size => (2 * Found.Count) + (_order?.Count ?? 0);

    /// <summary>The result is in the order of SORT, as <paramref name="order"/> has it.</summary>
    public void Sorted(MailboxSort sort, IEnumerable<uint> order) => (_sort, _order) = (sort, [.. order]);

    /// <summary>Takes messages out, and says from where.</summary>
    public IReadOnlyList<ContextStep> Remove(UidSet gone)
    {
        gone = gone.Intersect(Found);
        if (gone.IsEmpty)
            return [];
        Found = Found.Except(gone);
        if (_order is null)
            return [new ContextStep(false, 0, gone, [])];
        var steps = new List<ContextStep>();
        int kept = 0;
        for (int place = 0; place < _order.Count; place++)
        {
            if (gone.Contains(_order[place]))
                Step(steps, added: false, kept, _order[place], follows: kept);
            else
                _order[kept++] = _order[place];
        }
        _order.RemoveRange(kept, _order.Count - kept);
        return steps;
    }

    /// <summary>Puts messages in, and says to where.</summary>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<IReadOnlyList<ContextStep>> AddAsync(MailboxSnapshot messages, UidSet added, CancellationToken cancellationToken)
    {
        if (added.IsEmpty)
            return [];
        var steps = new List<ContextStep>();
        if (_order is null)
            steps.Add(new ContextStep(true, 0, added, []));
        else
        {
            foreach ((int place, uint one) in await _sort!.InsertAsync(messages, _order, added, cancellationToken).ConfigureAwait(false))
                Step(steps, added: true, place, one, follows: place - (steps.Count == 0 ? 0 : steps[^1].Ordered.Count));
        }
        Found = Found.Union(added);
        return steps;
    }

    /// <param name="place">From 0.</param>
    /// <param name="follows">The place of a step that it goes on, from 0.</param>
    private static void Step(List<ContextStep> steps, bool added, int place, uint one, int follows)
    {
        if (steps.Count > 0 && steps[^1].Place == follows + 1)
            steps[^1].Ordered.Add(one);
        else
            steps.Add(new ContextStep(added, place + 1, UidSet.Empty, [one]));
    }
}

/// <summary>ADDTO or REMOVEFROM of one context position (RFC 5267 §4.3.3, §4.3.4).</summary>
/// <param name="Added">ADDTO.</param>
/// <param name="Place">0: in the order of the mailbox; otherwise the place, from 1, of the first.</param>
/// <param name="Uids">For place 0.</param>
/// <param name="Ordered">For another place.</param>
internal sealed record ContextStep(bool Added, int Place, UidSet Uids, List<uint> Ordered);

/// <summary>What is to be told of one context, in this order.</summary>
/// <param name="New">New messages that have come into the result.</param>
internal sealed record ContextChange(SearchContext Context, IReadOnlyList<ContextStep> Steps, UidSet New);
