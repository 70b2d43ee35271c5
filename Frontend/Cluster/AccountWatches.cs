using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>
/// The accounts of which sessions of this process want to hear (IMAP NOTIFY): one registration at an account's owner, whatever the number of its sessions, and one observer object for all accounts.
/// </summary>
public sealed class AccountWatches : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly Dictionary<AccountId, WatchedAccount> _watched = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _renewal;

    // Owners and Orleans hold observers weakly: without this field pushes would stop at the next collection.
    private readonly Observer _observer;
    private IAccountObserver? _reference;

    internal AccountWatches(MailClusterClient cluster, ILogger log)
    {
        Cluster = cluster;
        Log = log;
        _observer = new Observer(this);
        _renewal = cluster.Time.CreateTimer(static self => ((AccountWatches)self!).RenewDue(), this, Tick, Tick);
    }

    internal MailClusterClient Cluster { get; }

    internal ILogger Log { get; }

    internal CancellationToken Stopped => _stop.Token;

    /// <summary>The number of accounts that are watched.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _watched.Count;
        }
    }

    /// <summary>Watches an account for one session, which disposes of it. Null when this process watches as many as it may. Nothing is read before the first sync.</summary>
    /// <param name="annotations">Annotations are read, too.</param>
    /// <param name="shared">So are the mailboxes of others that it sees.</param>
    public AccountWatch? Open(AccountId account, bool annotations = false, bool shared = false)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(account, out WatchedAccount? watched))
            {
                if (_watched.Count >= Cluster.Options.WatchedAccounts)
                    return null;
                _watched.Add(account, watched = new WatchedAccount(this, account));
            }
            watched.Holders++;
            watched.WithAnnotations |= annotations;
            watched.WithShared |= shared;
            return new AccountWatch(watched);
        }
    }

    /// <summary>Owners were lost with their node, and with them what they were about to tell: all that is watched is read again, each at a moment of its own.</summary>
    public void OwnersWereLost()
    {
        foreach (WatchedAccount watched in All())
            _ = ReadSoonAsync(watched);
    }

    private async Task ReadSoonAsync(WatchedAccount watched)
    {
        await Task.Delay(MailboxReplicas.AskSpread * Random.Shared.NextDouble(), Cluster.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stop.IsCancellationRequested)
            watched.ReadAgain();
    }

    internal void Release(WatchedAccount watched)
    {
        lock (_gate)
        {
            if (--watched.Holders > 0)
                return;
            _watched.Remove(watched.Account);
        }
        watched.End();
    }

    /// <summary>Made at first use: while the process starts there is no cluster to make it in.</summary>
    internal IAccountObserver Reference
    {
        get
        {
            lock (_gate)
                return _reference ??= Cluster.Grains.CreateObjectReference<IAccountObserver>(_observer);
        }
    }

    private WatchedAccount[] All()
    {
        lock (_gate)
            return [.. _watched.Values];
    }

    private WatchedAccount? Find(AccountId account)
    {
        lock (_gate)
            return _watched.GetValueOrDefault(account);
    }

    private void RenewDue()
    {
        foreach (WatchedAccount watched in All())
            watched.RenewIfDue();
    }

    public void Dispose()
    {
        _renewal.Dispose();
        _stop.Cancel();
    }

    private sealed class Observer(AccountWatches watches) : IAccountObserver
    {
        public Task Changed(AccountId account, AccountNews news)
        {
            watches.Find(account)?.Push(news);
            return Task.CompletedTask;
        }

        public Task Ended(AccountId account)
        {
            watches.Find(account)?.ReadAgain();
            return Task.CompletedTask;
        }
    }
}

/// <summary>One session's hold on what this process knows of an account.</summary>
public sealed class AccountWatch : IDisposable
{
    private readonly WatchedAccount _account;
    private int _disposed;

    internal AccountWatch(WatchedAccount account) => _account = account;

    /// <summary>What this process knows: pushes bring it up to date, soon, and what they miss is found out. <see cref="AccountState.Empty"/> before the first sync.</summary>
    public AccountState Current => _account.Current;

    /// <summary>The owner of the account could not be reached for <see cref="MailClusterOptions.WatchFor"/>: what happened since is not known here, nor that it will be.</summary>
    public bool IsLost => _account.IsLost;

    /// <summary>The account as it is now. Failure: <see cref="MailErrorCode.Unavailable"/>.</summary>
    public ValueTask<MailResult<AccountState>> SyncAsync(CommandWait wait) => _account.SyncAsync(wait);

    /// <summary>Waits until <see cref="Current"/> is another state than <paramref name="seen"/>, or <see cref="IsLost"/>. False when the token ended the wait; never throws for that.</summary>
    public ValueTask<bool> WaitForChangeAsync(AccountState seen, CancellationToken cancellationToken) => _account.WaitForChangeAsync(seen, cancellationToken);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _account.Release();
    }
}
