using CsCheck;
using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

public sealed class MailboxReplicaTests : IAsyncDisposable
{
    private static readonly MailboxKey Key = new(new AccountId(1), new MailboxId(2));

    private readonly FakeGrains _grains = new();
    private readonly FakeMailbox _owner = new() { Key = Key };
    private readonly LocalMailboxes _local = new();
    private readonly ManualTime _time = new();
    private readonly MailClusterClient _cluster;

    public MailboxReplicaTests()
    {
        _grains.Put<IMailboxGrain>(Key.ToString(), _owner);
        _cluster = new MailClusterClient(_grains, null!, _local, TestCluster.Impatient, time: _time);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_first_copy_is_fetched_by_pages_and_then_kept_up_by_deltas()
    {
        _owner.Add(3000);
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        Assert.Null(mailbox.Current);
        AssertSame(_owner.Snapshot, await SyncAsync(mailbox));
        _owner.Add(5);
        int pages = 0;
        _owner.OnGetChunks = () => pages++;
        AssertSame(_owner.Snapshot, await SyncAsync(mailbox));
        Assert.Equal(0, pages);
    }

    [Fact]
    public async Task A_version_that_goes_away_between_two_pages_is_fetched_anew()
    {
        _owner.Add(3000);
        int pages = 0;
        _owner.OnGetChunks = () =>
        {
            if (++pages == 2)
                _owner.Takeover(keepsHistory: false);
        };
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        Task<MailboxSnapshot> sync = SyncAsync(mailbox);
        await AdvanceUntilAsync(sync);
        AssertSame(_owner.Snapshot, await sync);
    }

    [Fact]
    public async Task A_sync_that_had_begun_answers_nobody_who_came_later_and_those_share_the_next()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        await SyncAsync(mailbox);
        var release = new TaskCompletionSource();
        _owner.OnSync = n => n == 2 ? release.Task : Task.CompletedTask;
        Task<MailboxSnapshot> first = SyncAsync(mailbox);
        long committed = _owner.Add(1);
        Task<MailboxSnapshot>[] later = [.. Enumerable.Range(0, 50).Select(_ => SyncAsync(mailbox))];
        release.SetResult();
        await first;
        foreach (Task<MailboxSnapshot> sync in later)
            Assert.Equal(committed, (await sync).ModSeq);
        Assert.Equal(3, _owner.Syncs);
    }

    [Fact]
    public async Task Many_sessions_wait_for_one_push()
    {
        OpenMailbox[] sessions = [.. Enumerable.Range(0, 1000).Select(_ => _cluster.Mailboxes.Open(Key))];
        MailboxSnapshot seen = await SyncAsync(sessions[0]);
        ValueTask<bool>[] waits = [.. sessions.Select(s => s.WaitForChangeAsync(seen, CancellationToken.None))];
        Assert.All(waits, static w => Assert.False(w.IsCompleted));
        long committed = _owner.Add(1);
        await _owner.DeliverAsync(0, keep: false);
        foreach (ValueTask<bool> wait in waits)
            Assert.True(await wait);
        Assert.Equal(committed, sessions[7].Current!.ModSeq);
        Assert.Equal(1, _owner.Syncs);
        foreach (OpenMailbox session in sessions)
            session.Dispose();
        Assert.Equal(0, _cluster.Mailboxes.Count);
    }

    [Fact]
    public async Task A_cancelled_wait_says_so()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        MailboxSnapshot seen = await SyncAsync(mailbox);
        using var done = new CancellationTokenSource();
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(seen, done.Token);
        await done.CancelAsync();
        Assert.False(await wait);
    }

    [Fact]
    public async Task A_lost_push_is_made_good_by_the_next_one()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        MailboxSnapshot seen = await SyncAsync(mailbox);
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(seen, CancellationToken.None);
        _owner.Add(1);
        long committed = _owner.Add(1);
        await _owner.DeliverAsync(1, keep: false);
        Assert.True(await wait);
        Assert.Equal(committed, mailbox.Current!.ModSeq);
    }

    [Fact]
    public async Task Waiting_sessions_renew_their_lease_and_so_hear_of_what_was_never_pushed()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        MailboxSnapshot seen = await SyncAsync(mailbox);
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(seen, CancellationToken.None);
        long committed = _owner.Add(1);
        Assert.False(wait.IsCompleted);
        _time.Advance(MailboxLimits.ObserverLease / 3 + TimeSpan.FromSeconds(1));
        Assert.True(await wait);
        Assert.Equal(committed, mailbox.Current!.ModSeq);
    }

    [Fact]
    public async Task Nobody_waits_and_nothing_is_renewed()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        await SyncAsync(mailbox);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, _owner.Syncs);
    }

    [Theory]
    [InlineData(MailboxEnd.Deleted)]
    [InlineData(MailboxEnd.UidValidityChanged)]
    public async Task An_end_wakes_sessions_and_is_final_for_them_alone(MailboxEnd reason)
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        MailboxSnapshot seen = await SyncAsync(mailbox);
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(seen, CancellationToken.None);
        await _owner.TellEndAsync(reason);
        Assert.True(await wait);
        Assert.Equal(reason, mailbox.End);
        Assert.Equal(MailErrorCode.MailboxGone, (await mailbox.SyncAsync(new CommandWait(CancellationToken.None))).Error!.Code);
        using OpenMailbox anew = _cluster.Mailboxes.Open(Key);
        Assert.Null(anew.End);
        Assert.True((await anew.SyncAsync(new CommandWait(CancellationToken.None))).IsOk);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_UIDVALIDITY_ends_the_sessions_that_were_told_the_old_one_also_where_its_news_was_lost(bool local)
    {
        using OpenMailbox before = _cluster.Mailboxes.Open(Key, 1, 7);
        await SyncAsync(before);
        _owner.Takeover(keepsHistory: true, uidValidity: 8);
        // Told the new one before this process has heard of it.
        using OpenMailbox after = _cluster.Mailboxes.Open(Key, 2, 8);
        Assert.Null(after.End);
        _owner.Add(1);
        if (local)
            _local.Publish(Key, _owner.Snapshot);
        Assert.Equal(MailErrorCode.MailboxGone, (await before.SyncAsync(new CommandWait(CancellationToken.None))).Error?.Code);
        Assert.Equal(MailboxEnd.UidValidityChanged, before.End);
        Assert.Equal(8u, (await SyncAsync(after)).UidValidity);
        Assert.Null(after.End);
    }

    [Fact]
    public async Task A_deleted_mailbox_is_found_out_by_asking_too()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        _owner.Answer = new MailError(MailErrorCode.MailboxGone, "gone");
        Assert.Equal(MailErrorCode.MailboxGone, (await mailbox.SyncAsync(new CommandWait(CancellationToken.None))).Error!.Code);
        Assert.Equal(MailboxEnd.Deleted, mailbox.End);
    }

    [Fact]
    public async Task An_owner_in_this_process_is_read_without_a_call_and_wakes_sessions()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        _owner.Add(10);
        _local.Publish(Key, _owner.Snapshot);
        Assert.Same(_owner.Snapshot, await SyncAsync(mailbox));
        Assert.Equal(0, _owner.Syncs);
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(mailbox.Current, CancellationToken.None);
        _owner.Add(1);
        _local.Publish(Key, _owner.Snapshot);
        Assert.True(await wait);
        Assert.Same(_owner.Snapshot, mailbox.Current);
    }

    [Fact]
    public async Task After_the_loss_of_a_node_those_who_wait_ask_the_new_owner_before_the_next_renewal()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        ValueTask<bool> wait = mailbox.WaitForChangeAsync(await SyncAsync(mailbox), CancellationToken.None);
        _owner.Takeover(keepsHistory: false);
        long committed = _owner.Add(1);
        _cluster.Mailboxes.OwnersWereLost();
        // The renewal is due after 4 s at the earliest.
        _time.Advance(MailboxReplicas.AskSpread);
        Assert.True(await wait);
        // Should it have asked between the two steps above, it asks once more.
        while (mailbox.Current!.ModSeq < committed)
            await mailbox.WaitForChangeAsync(mailbox.Current, CancellationToken.None);
        Assert.InRange(_owner.Syncs, 2, 3);
    }

    [Fact]
    public async Task A_local_owner_that_lost_its_claim_proves_nothing()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        _local.Publish(Key, _owner.Snapshot);
        _owner.Takeover(keepsHistory: false);
        _local.Withdraw(Key, 0);
        Assert.Equal(1, (await SyncAsync(mailbox)).Epoch);
        _local.Withdraw(Key, 1);
        Assert.Equal(2, (await SyncAsync(mailbox)).Epoch);
        _local.Publish(Key, MailboxSnapshot.OfRows(1, 1, 1, []));
        long committed = _owner.Add(1);
        Assert.Equal(committed, (await SyncAsync(mailbox)).ModSeq);
    }

    [Fact]
    public async Task Nothing_is_read_from_memory_without_the_right_to()
    {
        bool mayRead = true;
        var local = new LocalMailboxes(() => mayRead);
        local.Publish(Key, _owner.Snapshot);
        Assert.True(local.TryGet(Key, out _));
        mayRead = false;
        Assert.False(local.TryGet(Key, out _));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Concurrent_commits_and_syncs_never_show_an_old_version()
    {
        using OpenMailbox mailbox = _cluster.Mailboxes.Open(Key);
        _owner.OnSync = static async _ => await Task.Yield();
        long committed = 1;
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < 300; i++)
            {
                Volatile.Write(ref committed, _owner.Add(1));
                await Task.Yield();
            }
        });
        Task[] readers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!writer.IsCompleted)
            {
                long before = Volatile.Read(ref committed);
                Assert.True((await SyncAsync(mailbox)).ModSeq >= before);
            }
        }))];
        await Task.WhenAll([writer, .. readers]);
        AssertSame(_owner.Snapshot, await SyncAsync(mailbox));
    }

    private enum Step
    {
        Add,
        Flag,
        Expunge,
        Push,
        PushTwice,
        Lose,
        Takeover,
        TakeoverWithHistory,
        Forget,
        Sync,
    }

    [Fact]
    public void Whatever_is_lost_repeated_or_turned_round_the_copy_is_the_owners_version()
    {
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 999]).List[1, 60].Sample(steps => RunAsync(steps).GetAwaiter().GetResult(), iter: 300, threads: 1);
    }

    private static async Task RunAsync(List<(Step, int)> steps)
    {
        var owner = new FakeMailbox { Key = Key };
        var grains = new FakeGrains();
        grains.Put<IMailboxGrain>(Key.ToString(), owner);
        await using var cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient);
        using OpenMailbox mailbox = cluster.Mailboxes.Open(Key);
        var versions = new Dictionary<long, MailboxSnapshot> { [owner.Snapshot.ModSeq] = owner.Snapshot };
        foreach ((Step step, int n) in steps)
        {
            switch (step)
            {
                case Step.Add:
                    owner.Add((n % 700) + 1);
                    break;
                case Step.Flag when owner.Snapshot.Count > 0:
                    owner.Commit((modSeq, now) => new FlagsChanged(modSeq, Some(now, n), (StoreMode)(n % 3), new FlagList((SystemFlags)(n % 32), n % 2 == 0 ? ["a" + n] : [])));
                    break;
                case Step.Expunge when owner.Snapshot.Count > 0:
                    owner.Commit((modSeq, now) => new MessagesExpunged(modSeq, Some(now, n)));
                    break;
                case Step.Push when owner.Pushes.Count > 0:
                    await owner.DeliverAsync(n % owner.Pushes.Count, keep: false);
                    break;
                case Step.PushTwice when owner.Pushes.Count > 0:
                    await owner.DeliverAsync(n % owner.Pushes.Count, keep: true);
                    break;
                case Step.Lose when owner.Pushes.Count > 0:
                    owner.Pushes.RemoveAt(n % owner.Pushes.Count);
                    break;
                case Step.Takeover or Step.TakeoverWithHistory:
                    owner.Takeover(step == Step.TakeoverWithHistory);
                    break;
                case Step.Forget:
                    owner.ForgetHistory();
                    break;
                case Step.Sync:
                    AssertSame(owner.Snapshot, await SyncAsync(mailbox));
                    break;
            }
            versions[owner.Snapshot.ModSeq] = owner.Snapshot;
            if (mailbox.Current is { } current)
                AssertSameMessages(versions[current.ModSeq], current);
        }
        AssertSame(owner.Snapshot, await SyncAsync(mailbox));
    }

    private static UidSet Some(MailboxSnapshot now, int n)
    {
        uint first = now[n % now.Count].Uid;
        return UidSet.FromRanges([new UidRange(first, first + (uint)(n % 50))]);
    }

    private async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
    }

    private static async Task<MailboxSnapshot> SyncAsync(OpenMailbox mailbox)
    {
        MailResult<MailboxSnapshot> result = await mailbox.SyncAsync(new CommandWait(CancellationToken.None));
        return result.IsOk ? result.Value : throw new InvalidOperationException(result.Error.ToString());
    }

    private static void AssertSame(MailboxSnapshot expected, MailboxSnapshot actual)
    {
        Assert.Equal((expected.Epoch, expected.ModSeq, expected.UidNext), (actual.Epoch, actual.ModSeq, actual.UidNext));
        AssertSameMessages(expected, actual);
    }

    private static void AssertSameMessages(MailboxSnapshot expected, MailboxSnapshot actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.Equal(expected.Messages().Select(Text), actual.Messages().Select(Text));
    }

    private static string Text(MessageRef m) => $"{m.Uid} {m.ModSeq} {m.SystemFlags} {string.Join(' ', m.Flags.Keywords)}";
}
