using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>What a process knows of an account that it watches: pushes are hints, and what they miss is found out.</summary>
public sealed class AccountWatchTests : IAsyncDisposable
{
    private static readonly AccountId Account = new(1);

    private readonly ManualTime _time = new();
    private readonly FakeGrains _grains = new();
    private readonly Owner _owner = new();
    private readonly MailClusterClient _cluster;

    public AccountWatchTests()
    {
        _grains.Put<IAccountGrain>(1L, _owner.Account);
        _grains.Put<IAccountEvents>(1L, _owner);
        _cluster = new MailClusterClient(_grains, null!, new LocalMailboxes(), TestCluster.Impatient with { WatchedAccounts = 2, WatchFor = TimeSpan.FromMinutes(1) }, time: _time);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Pushed_counters_are_taken_when_they_are_newer()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        AccountState first = await SyncAsync(watch);
        Assert.Equal(5, first.Mailboxes[0].Status!.HighestModSeq);
        _owner.Push(Counters(modSeq: 7));
        Assert.True(await watch.WaitForChangeAsync(first, TestContext.Current.CancellationToken));
        Assert.Equal(7, watch.Current.Mailboxes[0].Status!.HighestModSeq);
        AccountState second = watch.Current;
        _owner.Push(Counters(modSeq: 6));
        Assert.Same(second, watch.Current);
        Assert.Same(first.Names, second.Names);
        // What is read is older than what was pushed: it stays.
        Assert.Equal(7, (await SyncAsync(watch)).Mailboxes[0].Status!.HighestModSeq);
    }

    [Fact]
    public async Task A_push_that_comes_while_the_tree_is_read_is_not_lost()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        await SyncAsync(watch);
        MailboxInfo made = new(new MailboxId(11), MailboxPath.Of("Made"), true, [], Counters(2, 11));
        _owner.WhileListing = () =>
        {
            _owner.WhileListing = null;
            _owner.Push(Counters(9, 11));
        };
        _owner.Account.Mailboxes.Add(made);
        AccountState now = await SyncAsync(watch);
        Assert.Equal(9, now.Find(made.Id)!.Status!.HighestModSeq);
    }

    [Fact]
    public async Task Another_tree_is_read_when_it_is_told_of()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        AccountState first = await SyncAsync(watch);
        _owner.Account.AddFolder(12, "Work");
        _owner.Push(null, tree: true);
        Assert.True(await watch.WaitForChangeAsync(first, TestContext.Current.CancellationToken));
        Assert.Equal("Work", watch.Current.Mailboxes[1].Path.ToString());
        Assert.NotSame(first.Names, watch.Current.Names);
    }

    /// <summary>The numbers of the pushes tell that one is missing, at the second renewal after it.</summary>
    [Fact]
    public async Task A_lost_push_is_found_out()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        AccountState first = await SyncAsync(watch);
        _owner.Lose();
        _owner.Account.Mailboxes[0] = _owner.Account.Mailboxes[0] with { Status = Counters(modSeq: 8) };
        await RenewedAsync();
        Assert.Same(first, watch.Current);
        await RenewedAsync();
        Assert.True(await watch.WaitForChangeAsync(first, TestContext.Current.CancellationToken));
        Assert.Equal(8, watch.Current.Mailboxes[0].Status!.HighestModSeq);
    }

    [Fact]
    public async Task Pushes_out_of_order_are_no_gap()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        await SyncAsync(watch);
        int read = _owner.Read;
        _owner.PushBackwards(Counters(modSeq: 6), Counters(modSeq: 7), Counters(modSeq: 8));
        for (int i = 0; i < 3; i++)
            await RenewedAsync();
        Assert.Equal(read, _owner.Read);
    }

    /// <summary>Another activation of the owner knows nothing of what the one before has sent.</summary>
    [Fact]
    public async Task Another_registration_means_that_everything_is_read_again()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        AccountState first = await SyncAsync(watch);
        _owner.Forget();
        _owner.Account.AddFolder(13, "Later");
        await RenewedAsync();
        Assert.True(await watch.WaitForChangeAsync(first, TestContext.Current.CancellationToken));
        Assert.Equal(2, watch.Current.Mailboxes.Count);
    }

    [Fact]
    public async Task A_lost_silo_means_that_everything_is_read_again()
    {
        using AccountWatch watch = _cluster.Accounts.Open(Account)!;
        AccountState first = await SyncAsync(watch);
        _owner.Account.AddFolder(14, "Later");
        _cluster.Accounts.OwnersWereLost();
        _time.Advance(MailboxReplicas.AskSpread);
        Assert.True(await watch.WaitForChangeAsync(first, TestContext.Current.CancellationToken));
        Assert.Equal(2, watch.Current.Mailboxes.Count);
    }

    [Fact]
    public async Task One_registration_for_all_sessions_and_a_limit()
    {
        AccountWatch one = _cluster.Accounts.Open(Account)!, two = _cluster.Accounts.Open(Account)!;
        await SyncAsync(one);
        _grains.Put<IAccountGrain>(2L, _owner.Account);
        _grains.Put<IAccountEvents>(2L, _owner);
        using AccountWatch other = _cluster.Accounts.Open(new AccountId(2))!;
        _grains.Put<IAccountGrain>(3L, _owner.Account);
        _grains.Put<IAccountEvents>(3L, _owner);
        Assert.Null(_cluster.Accounts.Open(new AccountId(3)));
        one.Dispose();
        one.Dispose();
        Assert.Equal(0, _owner.Unwatched);
        two.Dispose();
        Assert.Equal(1, _owner.Unwatched);
    }

    private static MailboxStatus Counters(long modSeq, long mailbox = 10) => new(new MailboxId(mailbox), 1, (uint)modSeq, modSeq, modSeq, 0, 0, 0, 0);

    private static async Task<AccountState> SyncAsync(AccountWatch watch)
    {
        MailResult<AccountState> synced = await watch.SyncAsync(new CommandWait(TestContext.Current.CancellationToken));
        Assert.Null(synced.Error);
        return synced.Value!;
    }

    private async Task RenewedAsync()
    {
        int watches = _owner.Watches;
        _time.Advance(AccountLimits.WatchLease / 3);
        await Eventually.Async("The registration was not renewed", () => Task.FromResult(_owner.Watches > watches));
    }

    /// <summary>The account's owner, with one mailbox.</summary>
    private sealed class Owner : IAccountEvents
    {
        private IAccountObserver? _observer;
        private long _registration = 1;
        private long _sent;

        public Owner()
        {
            Account = new FakeAccount(FakeAccount.SettingsOf(1, 1, "alice"));
            Account.Mailboxes[0] = Account.Mailboxes[0] with { Status = Counters(5) };
            Account.Listing = () =>
            {
                Read++;
                WhileListing?.Invoke();
            };
        }

        public FakeAccount Account { get; }

        public Action? WhileListing { get; set; }

        public int Read { get; private set; }

        public int Watches { get; private set; }

        public int Unwatched { get; private set; }

        public ValueTask<MailResult<AccountWatching>> Watch(IAccountObserver observer)
        {
            Watches++;
            _observer = observer;
            return new(new AccountWatching(_registration, _sent));
        }

        public ValueTask<MailResult<IReadOnlyList<AnnotationMark>>> Annotations() => throw new NotSupportedException();

        public ValueTask SharingChanged() => default;

        public ValueTask Unwatch(IAccountObserver observer)
        {
            Unwatched++;
            return default;
        }

        public ValueTask<bool> Heard(MailboxId mailbox, MailboxStatus? counters) => throw new NotSupportedException();

        public void Push(MailboxStatus? counters, bool tree = false) => _observer!.Changed(AccountWatchTests.Account, new AccountNews(_registration, ++_sent, counters, tree));

        public void PushBackwards(params MailboxStatus[] counters)
        {
            for (int i = counters.Length; i > 0; i--)
                _observer!.Changed(AccountWatchTests.Account, new AccountNews(_registration, _sent + i, counters[i - 1], false));
            _sent += counters.Length;
        }

        public void Lose() => _sent++;

        public void Forget() => (_registration, _sent) = (_registration + 1, 0);
    }
}
