using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>
/// What this process knows of an account that sessions watch: read from its owner, moved forward by what the owner pushes, and read again whenever a push may have been missed: another
/// registration, a gap in the pushes' numbers, a lost silo, and every <see cref="ReadEvery"/> whatever else is heard.
/// </summary>
internal sealed partial class WatchedAccount
{
    private static readonly TimeSpan RenewEvery = AccountLimits.WatchLease / 3;
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(2);

    /// <summary>Pushes that came out of order and are remembered; more than that is a gap.</summary>
    private const int MaxEarly = 1000;

    private readonly AccountWatches _all;
    private readonly IAccountGrain _owner;
    private readonly IAccountEvents _events;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _reading = new(1);

    // Under _gate for writing.
    private AccountState _current = AccountState.Empty;
    private TaskCompletionSource _changed = NewSignal();
    private List<MailboxStatus>? _whileReading;
    private AccountWatching _registered;
    private long _promised;
    private readonly HashSet<(long Registration, long Number)> _early = [];
    private int _treeChanges;
    private bool _due;
    private bool _running;
    private bool _ended;
    private bool _lost;
    private bool _withAnnotations;
    private bool _withShared;
    private long _renewed;
    private long _read;

    public WatchedAccount(AccountWatches all, AccountId account)
    {
        _all = all;
        Account = account;
        _owner = all.Cluster.Account(account);
        _events = all.Cluster.Grains.GetGrain<IAccountEvents>(account.Value);
        _log = all.Log;
    }

    public AccountId Account { get; }

    /// <summary>Sessions that watch it; guarded by <see cref="AccountWatches"/>.</summary>
    public int Holders { get; set; }

    /// <summary>Somebody has asked for annotations.</summary>
    public bool WithAnnotations
    {
        get => Volatile.Read(ref _withAnnotations);
        set => Volatile.Write(ref _withAnnotations, value);
    }

    /// <summary>Somebody has asked for the mailboxes of others that the account sees.</summary>
    public bool WithShared
    {
        get => Volatile.Read(ref _withShared);
        set => Volatile.Write(ref _withShared, value);
    }

    public AccountState Current => Volatile.Read(ref _current);

    public bool IsLost => Volatile.Read(ref _lost);

    public void Release() => _all.Release(this);

    /// <summary>Registers, or renews, and then reads the tree: what happens after the registration is pushed, what happened before is read.</summary>
    public async ValueTask<MailResult<AccountState>> SyncAsync(CommandWait wait)
    {
        // One after the other: of two trees that were read at once nobody knows which is the newer one.
        await _reading.WaitAsync(wait.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (wait.Ended.IsCancellationRequested)
            return MailClusterClient.Closed;
        try
        {
            MailResult<AccountWatching> registered = await _all.Cluster.CallAsync(() => _events.Watch(_all.Reference), wait).ConfigureAwait(false);
            if (registered.Error is { } error)
                return error;
            int treeChanges;
            lock (_gate)
            {
                Registered(registered.Value);
                _whileReading = [];
                treeChanges = _treeChanges;
                _read = _all.Cluster.Time.GetTimestamp();
            }
            MailResult<MailboxTree> tree = await _all.Cluster.CallAsync(() => _owner.List(true), wait).ConfigureAwait(false);
            MailResult<IReadOnlyList<AnnotationMark>> annotations = default;
            if (WithAnnotations && tree.IsOk)
                annotations = await _all.Cluster.CallAsync(_events.Annotations, wait).ConfigureAwait(false);
            MailResult<SharedTree> shared = default;
            if (WithShared && tree.IsOk)
                shared = await _all.Cluster.CallAsync(() => _owner.ListShared(new ListRequest(false)), wait).ConfigureAwait(false);
            TaskCompletionSource? signal = null;
            bool again;
            lock (_gate)
            {
                List<MailboxStatus> meanwhile = _whileReading;
                _whileReading = null;
                if ((tree.Error ?? annotations.Error ?? shared.Error) is { } notRead)
                    return notRead;
                signal = Replace(meanwhile.Aggregate(_current.Then(tree.Value!, annotations.Value, shared.Value), static (state, counters) => state.With(counters)));
                Volatile.Write(ref _lost, false);
                again = treeChanges != _treeChanges;
            }
            signal?.TrySetResult();
            if (again)
                ReadAgain();
            return Current;
        }
        finally
        {
            _reading.Release();
        }
    }

    public async ValueTask<bool> WaitForChangeAsync(AccountState seen, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_gate)
        {
            if (!ReferenceEquals(_current, seen) || _lost)
                return true;
            changed = _changed.Task;
        }
        await changed.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return changed.IsCompleted;
    }

    public void Push(AccountNews news)
    {
        TaskCompletionSource? signal = null;
        lock (_gate)
        {
            if (_early.Count < MaxEarly)
                _early.Add((news.Registration, news.Number));
            Count();
            if (news.Tree)
                _treeChanges++;
            if (news.Counters is { } counters)
            {
                _whileReading?.Add(counters);
                signal = Replace(_current.With(counters));
            }
        }
        signal?.TrySetResult();
        if (news.Tree)
            ReadAgain();
    }

    /// <summary>Reads the tree as soon as that is possible. Any number of calls while it is read are one more time.</summary>
    public void ReadAgain()
    {
        lock (_gate)
        {
            _due = true;
            if (_running || _ended)
                return;
            _running = true;
        }
        _ = Task.Run(ReadAsync);
    }

    public void RenewIfDue()
    {
        lock (_gate)
        {
            if (_renewed == 0 || _running || _all.Cluster.Time.GetElapsedTime(_renewed) < RenewEvery)
                return;
            // The answer sets it anew; until then nobody else renews.
            _renewed = _all.Cluster.Time.GetTimestamp();
        }
        _ = RenewAsync();
    }

    public void End()
    {
        lock (_gate)
            _ended = true;
        UnwatchAsync().Ignore();

        async Task UnwatchAsync() => await _events.Unwatch(_all.Reference).ConfigureAwait(false);
    }

    private async Task RenewAsync()
    {
        MailResult<AccountWatching> renewed = await _all.Cluster.CallAsync(() => _events.Watch(_all.Reference), new CommandWait(_all.Stopped)).ConfigureAwait(false);
        bool missed;
        lock (_gate)
        {
            missed = !renewed.IsOk || renewed.Value.Registration != _registered.Registration || _registered.Sent < _promised
                || _all.Cluster.Time.GetElapsedTime(_read) > ReadEvery;
            // Of what was sent since the last answer some may be on its way: it is asked for next time.
            if (renewed.IsOk)
                _promised = renewed.Value.Sent;
        }
        if (missed)
            ReadAgain();
    }

    private async Task ReadAsync()
    {
        long since = _all.Cluster.Time.GetTimestamp();
        while (true)
        {
            lock (_gate)
            {
                if (!_due || _ended || _all.Stopped.IsCancellationRequested)
                {
                    _running = false;
                    return;
                }
                _due = false;
            }
            MailResult<AccountState> read;
            try
            {
                read = await SyncAsync(new CommandWait(_all.Stopped)).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                LogFailed(e, Account.Value);
                read = MailClusterClient.Away;
            }
            if (read.IsOk)
            {
                since = _all.Cluster.Time.GetTimestamp();
                continue;
            }
            TaskCompletionSource? signal = null;
            lock (_gate)
            {
                _due = true;
                if (!_lost && _all.Cluster.Time.GetElapsedTime(since) > _all.Cluster.Options.WatchFor)
                {
                    Volatile.Write(ref _lost, true);
                    signal = _changed;
                    _changed = NewSignal();
                }
            }
            signal?.TrySetResult();
            await Task.Delay(_all.Cluster.Options.MaxRetryDelay, _all.Cluster.Time, _all.Stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Under <see cref="_gate"/>; the caller completes the returned signal outside of it.</summary>
    private TaskCompletionSource? Replace(AccountState state)
    {
        if (ReferenceEquals(state, _current))
            return null;
        Volatile.Write(ref _current, state);
        TaskCompletionSource signal = _changed;
        _changed = NewSignal();
        return signal;
    }

    /// <summary>Under <see cref="_gate"/>: what was sent before this answer is read now.</summary>
    private void Registered(AccountWatching watching)
    {
        _renewed = _all.Cluster.Time.GetTimestamp();
        _early.RemoveWhere(e => e.Registration != watching.Registration || e.Number <= watching.Sent);
        _registered = watching;
        _promised = watching.Sent;
        Count();
    }

    /// <summary>Under <see cref="_gate"/>: takes note of pushes that came in order.</summary>
    private void Count()
    {
        while (_early.Remove((_registered.Registration, _registered.Sent + 1)))
            _registered = _registered with { Sent = _registered.Sent + 1 };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account} could not be read for those who watch it")]
    private partial void LogFailed(Exception exception, long account);
}
