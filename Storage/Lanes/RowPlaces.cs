using System.Collections.Concurrent;
using MailCluster.Contracts;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// Where the rows of mailboxes and accounts were (ctid) after the last commit of a lane. A look-up by key steps over every version of the row that some old snapshot may still see, some thousands in a busy mailbox
/// while a long transaction or pg_dump runs; one by place over none. Hints and no more: who uses one names the key as well, and finds nothing where the row has moved. Safe for many threads.
/// </summary>
internal sealed class RowPlaces
{
    /// <summary>Rows that are remembered of each kind; then it begins anew.</summary>
    private const int Most = 20_000;

    private readonly ConcurrentDictionary<MailboxKey, NpgsqlTid> _mailboxes = new();
    private readonly ConcurrentDictionary<AccountId, NpgsqlTid> _accounts = new();

    public NpgsqlTid? Of(MailboxKey mailbox) => _mailboxes.TryGetValue(mailbox, out NpgsqlTid place) ? place : null;

    public NpgsqlTid? Of(AccountId account) => _accounts.TryGetValue(account, out NpgsqlTid place) ? place : null;

    public void Set(MailboxKey mailbox, NpgsqlTid place) => Set(_mailboxes, mailbox, place);

    public void Set(AccountId account, NpgsqlTid place) => Set(_accounts, account, place);

    /// <summary>These commit in a way that does not tell where it left the rows.</summary>
    public void Forget(IEnumerable<CommitOperation> operations)
    {
        foreach (CommitOperation o in operations)
        {
            Forget(o.Mailbox);
            if (o.Source is { } source)
                Forget(source);
        }
    }

    private void Forget(MailboxKey mailbox)
    {
        _mailboxes.TryRemove(mailbox, out _);
        _accounts.TryRemove(mailbox.Account, out _);
    }

    private static void Set<TKey>(ConcurrentDictionary<TKey, NpgsqlTid> places, TKey key, NpgsqlTid place) where TKey : notnull
    {
        if (places.Count >= Most && !places.ContainsKey(key))
            places.Clear();
        places[key] = place;
    }
}
