using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Bodies that a process holds until a commit of its own takes them along.</summary>
public sealed class HeldBodiesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task A_commit_stores_the_bodies_of_what_it_takes_and_of_nothing_else()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), small = await MailboxAsync(await AccountAsync("bob@a.test"));
        await ExecuteAsync("update mail.account set max_bytes = 10 where account_id = $1", small.Key.Account.Value);
        CommitOperation held = await HeldAppendOfAsync(inbox, 2, size: 9000), over = await HeldAppendOfAsync(small, 1), fenced = Again(await HeldAppendOfAsync(inbox, 1), inbox.Epoch - 1);
        CommitOutcome[] outcomes = await Task.WhenAll(
            CommitAsync(held), CommitAsync(over), CommitAsync(fenced), CommitAsync(await AppendOfAsync(inbox, 1)), CommitAsync(await HeldAppendOfAsync(inbox, 1)));
        Assert.Equal([CommitStatus.Done, CommitStatus.OverQuota, CommitStatus.Fenced, CommitStatus.Done, CommitStatus.Done], outcomes.Select(static o => o.Status));
        Assert.Equal("7 1 9000 9000 2|7 1 9000 9000 2|7 1 100 100 2", await ScalarAsync<string>(
            """
            select string_agg(concat_ws(' ', b.crc32c, b.tenant_id, b.size, octet_length(k.data), octet_length(c.data)), '|' order by b.id)
            from mail.body b join mail.body_chunk k on k.body_id = b.id and k.no = 0 join mail.content c on c.body_id = b.id
            """));
        Assert.False(Held.TryGet(held.Messages[0].Body, out _));
        Assert.True(Held.TryGet(over.Messages[0].Body, out _));
        // The same once more is found, though nothing is held; what was refused can still be done.
        Assert.Equal(CommitStatus.DoneBefore, (await CommitAsync(Again(held))).Status);
        await DoneAsync(Again(fenced, inbox.Epoch));
        Assert.Equal(4L, await ScalarAsync<long>("select count(*) from mail.body"));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task What_is_not_held_here_is_gone_until_it_is_staged()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        CommitOperation append = await HeldAppendOfAsync(inbox, 1);
        var elsewhere = new CommitBatch([append]);
        await using (Npgsql.NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync())
            Assert.Equal(CommitStatus.BodyGone, elsewhere.Execute(connection)[0].Status);
        var bodies = new MessageBodies(Database.Main, Ids, held: Held);
        Assert.True(await bodies.KeepAsync(append.Messages[0].Body));
        Assert.False(await bodies.KeepAsync(append.Messages[0].Body));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.body_staged"));
        await DoneAsync(append);
        Assert.Equal((0L, 1L), (await ScalarAsync<long>("select count(*) from mail.body_staged"), await ScalarAsync<long>("select count(*) from mail.body")));
    }

    [Fact]
    public async Task What_a_commit_has_stored_without_anybody_knowing_can_be_staged_and_holds_up_nobody_else()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        CommitOperation append = await HeldAppendOfAsync(inbox, 1), other = await HeldAppendOfAsync(inbox, 1);
        BodyId body = append.Messages[0].Body;
        Assert.True(Held.TryGet(body, out HeldBody? held));
        await DoneAsync(append);
        // The answer was lost: it is held still, and the next owner is elsewhere.
        Assert.True(Held.TryAdd(held));
        var bodies = new MessageBodies(Database.Main, Ids, held: Held);
        Assert.All(await Task.WhenAll(bodies.KeepAsync(body).AsTask(), bodies.KeepAsync(other.Messages[0].Body).AsTask()), Assert.True);
        Assert.Equal((2L, 1L), (await ScalarAsync<long>("select count(*) from mail.body"), await ScalarAsync<long>("select count(*) from mail.body_staged")));
        Assert.Equal(CommitStatus.DoneBefore, (await CommitAsync(Again(append))).Status);
        await DoneAsync(other);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_retry_beside_its_first_try_stores_one_body()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        CommitOperation append = await HeldAppendOfAsync(inbox, 1), replace = await HeldAppendOfAsync(inbox, 1);
        Assert.Equal([CommitStatus.Done, CommitStatus.DoneBefore], (await BatchAsync(append, Again(append))).Select(static o => o.Status));
        var replacing = new CommitOperation
        {
            Kind = CommitKind.Replace, Mailbox = inbox.Key, Source = inbox.Key, Epoch = inbox.Epoch, Tenant = inbox.Tenant, Id = NextOperation(), Actor = Someone,
            Messages = replace.Messages, Emails = replace.Emails, Uids = Uids(1),
        };
        Assert.Equal([CommitStatus.Done, CommitStatus.DoneBefore], (await BatchAsync(replacing, Again(replacing))).Select(static o => o.Status));
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from mail.body"));
        Assert.Equal(2u, (await LoadAsync(inbox))[0].Uid);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task No_more_is_held_than_there_is_room_for()
    {
        Assert.False(Held.TryAdd(new HeldBody(new BodyId(1), new TenantId(1), new byte[HeldBodies.MostOctets + 1], 0, [])));
        int taken = 0;
        while (Held.TryAdd(new HeldBody(new BodyId(10 + taken), new TenantId(1), new byte[HeldBodies.MostOctets], 0, [])))
            taken++;
        Assert.Equal((16 << 20) / HeldBodies.MostOctets, taken);
        Assert.True(Held.TryRemove(new BodyId(10), out _));
        await HoldAsync(HeldBodies.MostOctets);
    }
}
