using MailCluster.Contracts;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// What waits in a lane: first in, first out for each mailbox, and in turn by tenant, then by mailbox, so that nobody's burst delays the others.
/// A mailbox can be set aside while a large operation of it runs elsewhere, and with it what would wait in PostgreSQL for the usage row of its account, and hold up
/// the whole batch. Not thread-safe: the lane locks.
/// </summary>
internal sealed class FairQueue
{
    private readonly Dictionary<MailboxKey, Queue<CommitOperation>> _mailboxes = [];
    private readonly Dictionary<TenantId, LinkedList<MailboxKey>> _tenants = [];
    private readonly LinkedList<TenantId> _turn = [];
    private readonly HashSet<MailboxKey> _aside = [];
    private readonly Dictionary<AccountId, int> _charging = [];

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public int Waiting(MailboxKey mailbox) => _mailboxes.TryGetValue(mailbox, out Queue<CommitOperation>? queue) ? queue.Count : 0;

    public void Add(CommitOperation operation)
    {
        Count++;
        Bytes += operation.Bytes;
        if (_mailboxes.TryGetValue(operation.Mailbox, out Queue<CommitOperation>? queue))
        {
            queue.Enqueue(operation);
            return;
        }
        _mailboxes.Add(operation.Mailbox, new Queue<CommitOperation>([operation]));
        if (!_tenants.TryGetValue(operation.Tenant, out LinkedList<MailboxKey>? mailboxes))
        {
            _tenants.Add(operation.Tenant, mailboxes = []);
            _turn.AddLast(operation.Tenant);
        }
        mailboxes.AddLast(operation.Mailbox);
    }

    /// <summary>The next operation whose turn it is and that need not wait for a large one; null when there is none.</summary>
    /// <param name="mostRows">What is larger than this (<see cref="CommitOperation.IsLarge"/>) stays, and what is behind it in its mailbox.</param>
    public CommitOperation? Take(long mostRows = long.MaxValue)
    {
        for (int tenants = _turn.Count; tenants > 0; tenants--)
        {
            TenantId tenant = _turn.First!.Value;
            _turn.RemoveFirst();
            LinkedList<MailboxKey> mailboxes = _tenants[tenant];
            CommitOperation? operation = TakeOf(mailboxes, mostRows);
            if (mailboxes.Count == 0)
                _tenants.Remove(tenant);
            else
                _turn.AddLast(tenant);
            if (operation is not null)
                return operation;
        }
        return null;
    }

    public void SetAside(CommitOperation operation)
    {
        _aside.Add(operation.Mailbox);
        if (operation.Source is { } source)
            _aside.Add(source);
        foreach (AccountId account in operation.Charged)
            _charging[account] = _charging.GetValueOrDefault(account) + 1;
    }

    public void PutBack(CommitOperation operation)
    {
        _aside.Remove(operation.Mailbox);
        if (operation.Source is { } source)
            _aside.Remove(source);
        foreach (AccountId account in operation.Charged)
        {
            if (--_charging[account] == 0)
                _charging.Remove(account);
        }
    }

    private bool MustWait(CommitOperation operation) =>
        _aside.Contains(operation.Mailbox) || (operation.Source is { } source && _aside.Contains(source))
        || (_charging.Count > 0 && operation.Charged.Any(_charging.ContainsKey));

    private CommitOperation? TakeOf(LinkedList<MailboxKey> mailboxes, long mostRows)
    {
        for (int n = mailboxes.Count; n > 0; n--)
        {
            MailboxKey mailbox = mailboxes.First!.Value;
            mailboxes.RemoveFirst();
            Queue<CommitOperation> queue = _mailboxes[mailbox];
            CommitOperation next = queue.Peek();
            if (next.IsLarge(mostRows) || MustWait(next))
            {
                mailboxes.AddLast(mailbox);
                continue;
            }
            queue.Dequeue();
            Count--;
            Bytes -= next.Bytes;
            if (queue.Count == 0)
                _mailboxes.Remove(mailbox);
            else
                mailboxes.AddLast(mailbox);
            return next;
        }
        return null;
    }
}
