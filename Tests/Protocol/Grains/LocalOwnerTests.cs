using System.IO.Pipelines;
using MailCluster.Contracts;
using Npgsql;
using Xunit;
using static MailCluster.Tests.Protocol.Grains.MailSilo;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>Changes that a door makes by the owner in its process, beside calls of the same owner.</summary>
public sealed class LocalOwnerTests(MailSilo silo) : IClassFixture<MailSilo>
{
    private readonly Place _place = new();

    [Fact]
    public async Task Changes_of_doors_and_calls_are_one_history()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Assert.Null(silo.Local.OwnerOf(inbox));
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(20)));
        Ok(await silo.Owner(inbox).Sync(0, 0, null));
        ILocalOwner door = silo.Local.OwnerOf(inbox)!;
        async Task<long> StoreAsync(uint uid) => uid % 3 == 0
            ? Ok(await silo.Owner(inbox).Store(silo.StoreOf(UidSet.Single(uid), StoreMode.Add, SystemFlags.Flagged, "Work"))).ModSeq
            : Ok(await door.TryStore(silo.StoreOf(UidSet.Single(uid), StoreMode.Add, SystemFlags.Flagged, "Work"), _place)!).ModSeq;
        async Task<long> AppendAsync(int number, AppendRequest request) => number % 3 == 0
            ? Ok(await silo.Owner(inbox).Append(request)).ModSeq
            : Ok(await door.TryAppend(request, _place)!).ModSeq;
        async Task SeenAsync(Task<long> change)
        {
            long made = await change;
            // What was answered is published.
            Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? version));
            Assert.InRange(made, 2, version.ModSeq);
        }
        AppendRequest[] requests = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => silo.AppendOfAsync()));
        await Task.WhenAll(requests.Select((r, i) => SeenAsync(AppendAsync(i, r))).Concat(Enumerable.Range(1, 20).Select(uid => SeenAsync(StoreAsync((uint)uid)))));
        Ok(await door.TryStore(silo.StoreOf(UidSet.FromRanges([new UidRange(1, 30)]), StoreMode.Add, SystemFlags.Deleted), _place)!);
        Assert.Equal("1:30", Ok(await door.TryExpunge(silo.ExpungeOf(), _place)!).Uids.ToString());
        Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? last));
        Assert.Equal(10, last.Count);
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task Whoever_waits_goes_on_where_it_said()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        AppendRequest request = await silo.AppendOfAsync();
        Task<bool> there;
        // The commit waits until somebody waits for it.
        await using (NpgsqlConnection other = await silo.Database.Main.OpenConnectionAsync())
        await using (NpgsqlTransaction transaction = await other.BeginTransactionAsync())
        {
            await using var hold = new NpgsqlCommand("select from mail.mailbox where account_id = $1 and id = $2 for update", other) { Parameters = { new() { Value = inbox.Account.Value }, new() { Value = inbox.Mailbox.Value } } };
            await hold.ExecuteNonQueryAsync();
            there = silo.Local.OwnerOf(inbox)!.TryAppend(request, _place)!
                .ContinueWith(_ => Place.IsHere, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        Assert.True(await there);
        Assert.Equal(1, _place.Visits);
    }

    [Fact]
    public async Task What_only_the_owner_can_say_is_asked_of_it()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        ILocalOwner door = silo.Local.OwnerOf(inbox)!;
        // Claimed, not loaded.
        Assert.Null(door.TryStore(silo.StoreOf(UidSet.Single(1), StoreMode.Add, SystemFlags.Seen), _place));
        Assert.Null(door.TryExpunge(silo.ExpungeOf(), _place));
        AppendRequest request = await silo.AppendOfAsync();
        Assert.Null(door.TryAppend(request with { Actor = request.Actor with { Account = new AccountId(inbox.Account.Value + 1) } }, _place));
        Assert.Equal("2", Ok(await door.TryAppend(request with { Actor = request.Actor with { Account = inbox.Account } }, _place)!).Uids.ToString());
    }

    [Fact]
    public async Task An_operation_is_done_once_whichever_way_it_comes()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        ILocalOwner door = silo.Local.OwnerOf(inbox)!;
        AppendRequest request = await silo.AppendOfAsync();
        Task<MailResult<AppendResult>> first = door.TryAppend(request, _place)!, second = door.TryAppend(request, _place)!;
        ValueTask<MailResult<AppendResult>> called = silo.Owner(inbox).Append(request);
        Assert.Equal("2", Ok(await called).Uids.ToString());
        Assert.Equal("2", Ok(await first).Uids.ToString());
        Assert.Equal("2", Ok(await second).Uids.ToString());
        Assert.Equal("2", Ok(await door.TryAppend(request, _place)!).Uids.ToString());
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task Where_the_claim_is_lost_the_owner_starts_anew_and_the_retry_is_done_there()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        ILocalOwner door = silo.Local.OwnerOf(inbox)!;
        await silo.ExecuteAsync("update mail.mailbox set epoch = epoch + 1 where account_id = $1 and id = $2", inbox.Account.Value, inbox.Mailbox.Value);
        AppendRequest request = await silo.AppendOfAsync();
        Assert.Equal(MailErrorCode.StaleEpoch, (await door.TryAppend(request, _place)!).Error?.Code);
        Assert.Null(silo.Local.OwnerOf(inbox));
        Assert.Null(door.TryAppend(request, _place));
        Assert.Equal("2", (await UntilDoneAsync(() => silo.Owner(inbox).Append(request))).Uids.ToString());
        Assert.NotSame(door, silo.Local.OwnerOf(inbox));
        await silo.MemoryIsRightAsync(inbox);
    }

    /// <summary>Threads of the pool that know that they were sent from here.</summary>
    private sealed class Place : PipeScheduler
    {
        [ThreadStatic]
        private static bool _here;

        private int _visits;

        public static bool IsHere => _here;

        public int Visits => Volatile.Read(ref _visits);

        public override void Schedule(Action<object?> action, object? state)
        {
            Interlocked.Increment(ref _visits);
            ThreadPool.Schedule(state =>
            {
                _here = true;
                try
                {
                    action(state);
                }
                finally
                {
                    _here = false;
                }
            }, state);
        }
    }
}
