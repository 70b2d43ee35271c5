using System.Collections.Concurrent;
using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>The leases of a process at a silo's owners, renewed together.</summary>
public sealed class LeaseDeskTests : IAsyncDisposable
{
    private readonly FakeGrains _grains = new();
    private readonly FakeDesk _desk = new();
    private readonly ManualTime _time = new();
    private readonly MailClusterClient _cluster;

    public LeaseDeskTests()
    {
        _grains.Put<ILeaseDesk>("silo-1", _desk);
        _cluster = new MailClusterClient(_grains, null!, new LocalMailboxes(), TestCluster.Impatient, time: _time);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task One_call_renews_all_and_only_owners_that_have_news_are_asked()
    {
        (FakeMailbox Owner, OpenMailbox Open, ValueTask<bool> News)[] waiting = [await WaitingAsync(1), await WaitingAsync(2), await WaitingAsync(3)];
        Advance(5);
        HeldVersion[] held = Assert.Single(_desk.Calls);
        Assert.Equal(waiting.Select(static w => new HeldVersion(w.Owner.Key, w.Owner.Snapshot.Epoch, w.Owner.Snapshot.ModSeq)).OrderBy(static h => h.Mailbox), held.OrderBy(static h => h.Mailbox));
        Assert.All(waiting, static w => Assert.Equal(1, w.Owner.Syncs));

        // A push that was lost.
        long committed = waiting[1].Owner.Add(1);
        _desk.Asks = [waiting[1].Owner.Key];
        Advance(5);
        Assert.True(await waiting[1].News);
        Assert.Equal(committed, waiting[1].Open.Current!.ModSeq);
        Assert.Equal([1, 2, 1], waiting.Select(static w => w.Owner.Syncs));
        Assert.Equal(2, _desk.Calls.Count);
    }

    [Fact]
    public async Task Where_the_desk_does_not_answer_the_owners_are_asked()
    {
        (FakeMailbox owner, OpenMailbox open, ValueTask<bool> news) = await WaitingAsync(1);
        long committed = owner.Add(1);
        _desk.Outage = new TimeoutException();
        Advance(5);
        Assert.True(await news);
        Assert.Equal(committed, open.Current!.ModSeq);
    }

    [Fact]
    public async Task An_owner_is_called_now_and_then_so_that_it_stays()
    {
        (FakeMailbox owner, OpenMailbox open, ValueTask<bool> news) = await WaitingAsync(1);
        Advance(110);
        Assert.Equal(1, owner.Syncs);
        Assert.InRange(_desk.Calls.Count, 18, 28);
        owner.Add(1);
        Advance(20);
        Assert.True(await news);
        Assert.Equal(2, owner.Syncs);
    }

    [Fact]
    public async Task Owners_of_nodes_without_a_desk_are_asked_one_by_one()
    {
        (FakeMailbox owner, OpenMailbox open, ValueTask<bool> news) = await WaitingAsync(1, silo: null);
        owner.Add(1);
        Advance(6);
        Assert.True(await news);
        Assert.Empty(_desk.Calls);
        Assert.Equal(2, owner.Syncs);
    }

    private async Task<(FakeMailbox Owner, OpenMailbox Open, ValueTask<bool> News)> WaitingAsync(long mailbox, string? silo = "silo-1")
    {
        var key = new MailboxKey(new AccountId(1), new MailboxId(mailbox));
        var owner = new FakeMailbox { Key = key, Silo = silo };
        _grains.Put<IMailboxGrain>(key.ToString(), owner);
        OpenMailbox open = _cluster.Mailboxes.Open(key);
        MailboxSnapshot seen = (await open.SyncAsync(new CommandWait(CancellationToken.None))).Value!;
        return (owner, open, open.WaitForChangeAsync(seen, CancellationToken.None));
    }

    private void Advance(int seconds)
    {
        for (int i = 0; i < seconds; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
    }

    private sealed class FakeDesk : ILeaseDesk
    {
        public ConcurrentQueue<HeldVersion[]> Calls { get; } = new();

        public HashSet<MailboxKey> Asks { get; set; } = [];

        public Exception? Outage { get; set; }

        public ValueTask Withdraw(MailboxKey mailbox, long epoch) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<int>> Renew(IMailboxObserver observer, IReadOnlyList<HeldVersion> held)
        {
            Calls.Enqueue([.. held]);
            if (Outage is { } outage)
                throw outage;
            return new([.. Enumerable.Range(0, held.Count).Where(i => Asks.Contains(held[i].Mailbox))]);
        }
    }
}
