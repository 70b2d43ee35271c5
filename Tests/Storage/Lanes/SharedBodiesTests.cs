using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>A body that a process holds for several messages: stored once, for those that come along and those that come later.</summary>
public sealed class SharedBodiesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private MessageBodies Bodies => new(Database.Main, Ids, held: Held);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task A_batch_stores_it_with_claims_for_those_that_are_not_there(int together)
    {
        CommitOperation[] appends = await AppendsAsync(4);
        Assert.All(await BatchAsync(appends[..together]), static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal((1L, 1L, 1L, 4L - together, (long)together), await CountAsync());
        Assert.Equal("7 1 100 100 2", await ScalarAsync<string>(
            """
            select concat_ws(' ', b.crc32c, b.tenant_id, b.size, octet_length(k.data), octet_length(c.data))
            from mail.body b join mail.body_chunk k on k.body_id = b.id and k.no = 0 join mail.content c on c.body_id = b.id
            """));
        // All but the last, which never comes.
        foreach (CommitOperation later in appends[together..].SkipLast(1))
            await DoneAsync(later);
        BodyId body = appends[0].Messages[0].Body;
        await Bodies.DiscardAsync(new StagedBody(body, 100, default, [], null, 4), default);
        Assert.Equal((1L, 1L, 1L, 0L, Math.Max(3L, together)), await CountAsync());
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task What_is_refused_leaves_it_to_the_others_and_can_be_done_later()
    {
        CommitOperation[] appends = await AppendsAsync(3);
        await ExecuteAsync("update mail.account set max_bytes = 10 where account_id = $1", appends[0].Mailbox.Account.Value);
        Assert.Equal([CommitStatus.OverQuota, CommitStatus.Done], (await BatchAsync(appends[..2])).Select(static o => o.Status));
        Assert.Equal((1L, 1L, 1L, 2L, 1L), await CountAsync());
        await ExecuteAsync("update mail.account set max_bytes = 1000 where account_id = $1", appends[0].Mailbox.Account.Value);
        await DoneAsync(Again(appends[0]));
        await DoneAsync(appends[2]);
        Assert.Equal((1L, 1L, 1L, 0L, 3L), await CountAsync());
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Beside_other_changes_it_is_staged_before()
    {
        CommitOperation[] appends = await AppendsAsync(3), others = await AppendsAsync(2);
        var inbox = new Owned(appends[0].Mailbox, appends[0].Epoch, appends[0].Tenant);
        CommitOutcome[] outcomes = await BatchAsync(appends[0], appends[1], StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen), others[1]);
        Assert.All(outcomes, static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal((2L, 2L, 2L, 2L, 3L), await CountAsync());
        // Those that were not there find their claims.
        await DoneAsync(appends[2]);
        await DoneAsync(others[0]);
        Assert.Equal((2L, 2L, 2L, 0L, 5L), await CountAsync());
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_repetition_finds_out_what_became_of_the_first(bool wasDone)
    {
        CommitOperation[] appends = await AppendsAsync(3);
        Assert.True(Held.TryGet(appends[0].Messages[0].Body, out HeldBody? held));
        if (wasDone)
        {
            await DoneAsync(appends[0]);
            // The answer was lost: it is held still.
            Assert.True(Held.TryAdd(held));
        }
        else
        {
            Assert.True(held.Take());
        }
        CommitStatus first = wasDone ? CommitStatus.DoneBefore : CommitStatus.Done;
        Assert.Equal([CommitStatus.Done, first], (await BatchAsync(appends[1], Again(appends[0]))).Select(static o => o.Status));
        await DoneAsync(appends[2]);
        Assert.Equal((1L, 1L, 1L, 0L, 3L), await CountAsync());
        Assert.False(Held.TryGet(held.Id, out _));
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_is_staged_while_a_commit_is_about_to_take_it_along_is_taken_by_its_claims(int together)
    {
        CommitOperation[] appends = await AppendsAsync(3);
        Assert.True(Held.TryGet(appends[0].Messages[0].Body, out HeldBody? held));
        // For an owner elsewhere, by a door that the commit has not heard of.
        var elsewhere = new HeldBodies();
        Assert.True(elsewhere.TryAdd(new HeldBody(held.Id, held.Tenant, held.Data, held.Crc32C, held.Content, 3)));
        Assert.True(await new MessageBodies(Database.Main, Ids, held: elsewhere).KeepAsync(held.Id));
        Assert.All(await BatchAsync(appends[..together]), static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal((1L, 1L, 1L, 3L - together, (long)together), await CountAsync());
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Who_needs_it_elsewhere_waits_until_it_is_staged_once()
    {
        CommitOperation[] appends = await AppendsAsync(3);
        BodyId body = appends[0].Messages[0].Body;
        MessageBodies bodies = Bodies;
        Assert.All(await Task.WhenAll(bodies.KeepAsync(body).AsTask(), bodies.KeepAsync(body).AsTask()), Assert.True);
        Assert.False(await bodies.KeepAsync(body));
        Assert.Equal((1L, 1L, 1L, 3L, 0L), await CountAsync());
        Assert.All(await Task.WhenAll(appends.Select(CommitAsync)), static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal((1L, 1L, 1L, 0L, 3L), await CountAsync());
    }

    /// <summary>Appends to so many accounts of messages with one body that is held.</summary>
    private async Task<CommitOperation[]> AppendsAsync(int count)
    {
        BodyId body = await HoldAsync(claims: count);
        var appends = new CommitOperation[count];
        for (int i = 0; i < count; i++)
            appends[i] = await AppendOfAsync(await MailboxAsync(await AccountAsync($"u{body}-{i}@a.test")), Message(body, i));
        return appends;
    }

    /// <summary>Bodies, their chunks and contents, claims, and emails.</summary>
    private async Task<(long, long, long, long, long)> CountAsync() =>
        (await ScalarAsync<long>("select count(*) from mail.body"), await ScalarAsync<long>("select count(*) from mail.body_chunk"), await ScalarAsync<long>("select count(*) from mail.content"),
            await ScalarAsync<long>("select count(*) from mail.body_staged"), await ScalarAsync<long>("select count(*) from mail.email"));
}
