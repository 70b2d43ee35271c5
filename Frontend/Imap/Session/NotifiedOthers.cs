using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// NOTIFY of mailboxes of other accounts: which there are, and what the user may do with them, is in the state of his own account; that something has happened there is heard of their owners' accounts. Those show all
/// that their owners have, so that nothing of them is told but what the owner then answers this user.
/// </summary>
internal sealed class NotifiedOthers(Notifications notify) : IDisposable
{
    /// <summary>Accounts whose mailboxes one session watches.</summary>
    private const int MaxAccounts = 100;

    private readonly Dictionary<AccountId, Neighbour> _neighbours = [];

    public IReadOnlyCollection<Neighbour> All => _neighbours.Values;

    public bool AreDue => _neighbours.Values.Any(static n => n.IsDue);

    /// <summary>Watches the accounts of mailboxes that are told of, and no others. Not null where that can't be done.</summary>
    public async ValueTask<MailError?> FollowAsync(AccountWatches accounts, MailboxNames names, CommandWait wait, Action wake)
    {
        HashSet<MailboxPath> subscribed = SubscribedOf(notify.Told.Shared, names);
        HashSet<AccountId> wanted = [.. notify.Told.Shared.Mailboxes.Where(m => names.Shows(m.Store) && names.OnWire(m) is var path && notify.EventsOf(path, subscribed.Contains(path)) != NotifyEvents.None).Select(static m => m.Owner)];
        foreach (AccountId gone in _neighbours.Keys.Where(a => !wanted.Contains(a)).ToArray())
        {
            _neighbours.Remove(gone, out Neighbour? neighbour);
            neighbour!.Watch.Dispose();
        }
        foreach (AccountId account in wanted.Where(a => !_neighbours.ContainsKey(a)))
        {
            if (_neighbours.Count >= MaxAccounts || accounts.Open(account) is not { } watch)
                return new MailError(MailErrorCode.Limit, "Too many accounts are watched now");
            MailResult<AccountState> synced = await watch.SyncAsync(wait);
            if (synced.Error is { } error)
            {
                watch.Dispose();
                return error;
            }
            var neighbour = new Neighbour(account, watch) { Told = synced.Value! };
            _neighbours.Add(account, neighbour);
            Await(neighbour, neighbour.Told, wake);
        }
        return null;
    }

    /// <summary>As <see cref="Notifications.OwnAdded"/>; false where the mailbox is none of these.</summary>
    public bool OwnAdded(MailboxId mailbox, UidSet uids, long modSeq)
    {
        if (_neighbours.Values.FirstOrDefault(n => n.Told.Find(mailbox) is not null) is not { } neighbour)
            return false;
        if (neighbour.Told.Find(mailbox)!.Status is { } known && known.HighestModSeq == modSeq - 1 && !uids.IsEmpty)
            neighbour.Told = neighbour.Told.With(Notifications.With(known, uids, modSeq));
        return true;
    }

    /// <summary>As <see cref="Notifications.Left"/>; false where the mailbox is none of these.</summary>
    public bool Left(SelectedMailbox mailbox)
    {
        if (_neighbours.Values.FirstOrDefault(n => n.Account == mailbox.Key.Account) is not { } neighbour)
            return false;
        if (neighbour.Told.Find(mailbox.Key.Mailbox)?.Status is { } known)
        {
            neighbour.Told = neighbour.Told.WithCounters(Notifications.Known(known, mailbox));
            neighbour.News = null;
        }
        return true;
    }

    public static HashSet<MailboxPath> SubscribedOf(SharedTree shared, MailboxNames names) =>
        [.. shared.Subscriptions.Where(s => names.Shows(s.Store)).Select(s => MailboxPath.Parse(names.NameOf(s.User, s.Store, s.Path), names.Delimiter))];

    public void Await(Neighbour neighbour, AccountState seen, Action wake) =>
        _ = Notifications.AwaitAsync(neighbour.Watch.WaitForChangeAsync(seen, notify.Stopped), neighbour.News = new Notifications.News(), wake);

    public void Dispose()
    {
        foreach (Neighbour neighbour in _neighbours.Values)
            neighbour.Watch.Dispose();
        _neighbours.Clear();
    }

    /// <summary>Another account.</summary>
    internal sealed class Neighbour(AccountId account, AccountWatch watch)
    {
        public AccountId Account => account;

        public AccountWatch Watch => watch;

        /// <summary>The account as this session has last looked at it.</summary>
        public required AccountState Told { get; set; }

        public Notifications.News? News { get; set; }

        public bool IsDue => News is not { HasCome: false };
    }
}
