using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Maintenance;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

public sealed class RestoredClusterTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly RestoreAhead Ahead = new(1000, 50_000);

    [Fact]
    public async Task All_numbers_go_far_ahead_and_messages_keep_their_uids()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 5));
        await DoneAsync(StoreOf(inbox, Uids(1, 2), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(inbox, Uids(2)));
        await DoneAsync(CopyOf(inbox, Uids(3), work, move: true));
        MailboxStatus before = (await Mailboxes.StatusAsync(inbox.Key))!;
        long id = await Ids.NextAsync();

        RestoreProgress moved = await RunAsync(new RestoredCluster(Database.Main));

        Assert.Equal(new RestoreProgress(false, 1, 2, 4), moved);
        MailboxStatus after = (await Mailboxes.StatusAsync(inbox.Key))!;
        Assert.Equal((before.UidValidity, before.UidNext + 1000, before.HighestModSeq + 50_000), (after.UidValidity, after.UidNext, after.HighestModSeq));
        Owned again = await ClaimAsync(inbox.Key);
        Assert.True(again.Epoch > inbox.Epoch + 100_000);
        MailboxSnapshot now = await LoadAsync(again);
        Assert.Equal([1u, 4u, 5u], now.Messages().Select(static m => m.Uid));
        // Whoever comes with a modseq of before is told every message's flags, and of every UID that is not there.
        Assert.All(now.Messages(), m => Assert.Equal(after.HighestModSeq, m.ModSeq));
        Assert.Equal("2:3,6:1005", (await Mailboxes.VanishedAsync(inbox.Key, before.HighestModSeq + 5))!.ToString());
        Assert.Equal(Uids(1006), (await DoneAsync(await AppendOfAsync(again, 1))).Uids);
        Assert.True(await new MailCluster.Storage.Ids.IdBlocks(Database.Main).NextAsync() > id + 1_000_000L * 4096);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_name_gets_a_uidvalidity_above_all_that_it_can_have_had()
    {
        AccountId alice = await AccountAsync();
        Owned work = await MailboxAsync(alice, "Work"), other = await MailboxAsync(alice, "Other");
        Assert.Equal(DeleteOutcome.Done, (await Tree.DeleteAsync(alice, NextOperation(), MailboxPath.Of("Other"))).Item1);
        long highest = await ScalarAsync<long>("select max(uidvalidity) from mail.mailbox");
        await ExecuteAsync("insert into mail.name_history (user_name, path, uidvalidity) values ('gone@a.test', '{INBOX}', 5)");
        await RunAsync(new RestoredCluster(Database.Main));

        // Made anew, renamed onto, and under the name of an account that was deleted.
        Owned made = await MailboxAsync(alice, "Other");
        Assert.True((await Mailboxes.StatusAsync(made.Key))!.UidValidity > highest + 900_000);
        Assert.Equal(DeleteOutcome.Done, (await Tree.DeleteAsync(alice, NextOperation(), MailboxPath.Of("Other"))).Item1);
        await Tree.RenameAsync(alice, NextOperation(), MailboxPath.Of("Work"), MailboxPath.Of("Other"), await Ids.NextAsync(1));
        Assert.True((await Mailboxes.StatusAsync(work.Key))!.UidValidity > (uint)highest + 900_000);
        Assert.True(await ScalarAsync<long>("select uidvalidity from mail.name_history where user_name = 'gone@a.test'") > 1_700_000_000);
    }

    [Fact]
    public async Task A_mailbox_without_room_for_more_uids_gets_a_new_uidvalidity()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await ExecuteAsync("update mail.mailbox set uidnext = 4294967000");
        MailboxStatus before = (await Mailboxes.StatusAsync(inbox.Key))!;
        await RunAsync(new RestoredCluster(Database.Main));
        MailboxStatus after = (await Mailboxes.StatusAsync(inbox.Key))!;
        Assert.Equal(before.UidNext, after.UidNext);
        Assert.True(after.UidValidity > before.UidValidity);
    }

    [Fact]
    public async Task A_run_that_was_broken_off_goes_on_and_moves_nothing_twice()
    {
        for (int i = 0; i < 7; i++)
            await DoneAsync(await AppendOfAsync(await MailboxAsync(await AccountAsync($"user{i}@a.test")), i));
        var restored = new RestoredCluster(Database.Main) { BatchAccounts = 2 };
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAsync<OperationCanceledException>(() => restored.RunAsync(Ahead, false, p => { if (p.Accounts == 4) stop.Cancel(); }, stop.Token));
        Assert.True(await RestoredCluster.IsUnfinishedAsync(Database.Main));
        Assert.Equal(4L, await ScalarAsync<long>("select count(*) from mail.mailbox where uidnext > 1000"));

        Assert.Equal(new RestoreProgress(true, 7, 7, 21), await RunAsync(restored, new RestoreAhead(9, 9)));
        Assert.False(await RestoredCluster.IsUnfinishedAsync(Database.Main));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.mailbox where uidnext <> messages + 1 + 1000"));
        // Once more is another restore.
        Assert.Equal(new RestoreProgress(false, 7, 7, 21), await RunAsync(restored));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.mailbox where uidnext <> messages + 1 + 2000"));
    }

    [Fact]
    public async Task While_nodes_live_it_refuses_and_names_them()
    {
        await ExecuteAsync("""
            insert into orleans.membership_version (deployment_id) values ('c');
            insert into orleans.membership (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
            values ('c', '192.0.2.1', 1, 1, 'silo-1', 'h', 3, 0, now(), now()), ('c', '192.0.2.1', 2, 1, 'silo-2', 'h', 3, 0, now(), now() - interval '1 hour'),
                ('c', '192.0.2.1', 3, 1, 'silo-3', 'h', 6, 0, now(), now());
            """);
        await ExecuteAsync("insert into directory.front_end (node) values ('front-1')");
        NodesAliveException refused = await Assert.ThrowsAsync<NodesAliveException>(() => RunAsync(new RestoredCluster(Database.Main)));
        Assert.StartsWith("Nodes run: front-1, silo-1.", refused.Message);
        Assert.False(await RestoredCluster.IsUnfinishedAsync(Database.Main));
        await ExecuteAsync("update orleans.membership set i_am_alive_time = now() - interval '1 hour'; delete from directory.front_end");
        await RunAsync(new RestoredCluster(Database.Main));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from orleans.membership"));
    }

    private static Task<RestoreProgress> RunAsync(RestoredCluster restored, RestoreAhead? ahead = null) => restored.RunAsync(ahead ?? Ahead, false, null, default);
}
