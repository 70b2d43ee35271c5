using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The front-end processes that watch an account, each with a lease and its own count of what it was sent. Nobody is waited for. Used by one activation, one turn at a time.</summary>
internal sealed class AccountWatchers(AccountId account, TimeProvider time)
{
    private readonly Dictionary<IAccountObserver, Watcher> _watchers = [];

    /// <summary>Somebody watches; leases that have ended are dropped.</summary>
    public bool Any
    {
        get
        {
            foreach (IAccountObserver ended in _watchers.Where(w => time.GetElapsedTime(w.Value.Renewed) > AccountLimits.WatchLease).Select(static w => w.Key).ToList())
                _watchers.Remove(ended);
            return _watchers.Count > 0;
        }
    }

    /// <summary>Registers an observer or renews its lease.</summary>
    /// <param name="tellOwners">Makes sure that the owners of the mailboxes tell what changes; called for a new registration. When it throws, the next call tries again.</param>
    public async Task<AccountWatching> WatchAsync(IAccountObserver observer, Func<Task> tellOwners)
    {
        bool known = Any && _watchers.ContainsKey(observer);
        Watcher watcher = known ? _watchers[observer] : _watchers[observer] = new Watcher(Random.Shared.NextInt64(1, long.MaxValue));
        watcher.Renewed = time.GetTimestamp();
        if (!watcher.OwnersKnow)
        {
            await tellOwners();
            watcher.OwnersKnow = true;
        }
        return new AccountWatching(watcher.Registration, watcher.Sent);
    }

    public void Remove(IAccountObserver observer) => _watchers.Remove(observer);

    public void Push(MailboxStatus? counters, bool tree)
    {
        foreach ((IAccountObserver observer, Watcher watcher) in _watchers)
            observer.Changed(account, new AccountNews(watcher.Registration, ++watcher.Sent, counters, tree)).Ignore();
    }

    public void End()
    {
        foreach (IAccountObserver observer in _watchers.Keys)
            observer.Ended(account).Ignore();
        _watchers.Clear();
    }

    private sealed class Watcher(long registration)
    {
        public long Registration => registration;

        public long Sent { get; set; }

        public long Renewed { get; set; }

        public bool OwnersKnow { get; set; }
    }
}
