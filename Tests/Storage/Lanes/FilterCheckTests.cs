using MailCluster.Contracts;
using MailCluster.Storage.Filters;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Deliveries that are meant for accounts without filters: the commit itself sees to it that there is none.</summary>
public sealed class FilterCheckTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly ScriptQuota _quota = new(10, 1000);

    private ScriptStore Scripts => new(Database.Main);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task The_straight_way_does_nothing_as_soon_as_there_is_a_filter_and_all_when_it_is_gone(int together)
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@b.test", tenant: 2);
        Owned inbox = await MailboxAsync(alice), others = await MailboxAsync(bob);
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        Assert.True(await IsDoneAsync());
        // A script that is not active is none, nor is one of a tenant that is only there to be included.
        await Scripts.PutAsync(bob, "main", "discard;"u8.ToArray(), _quota, default);
        await Scripts.PutAsync(new TenantId(2), "shared", "discard;"u8.ToArray(), default);
        Assert.True(await IsDoneAsync());
        await Scripts.SetActiveAsync(bob, "main", default);
        Assert.False(await IsDoneAsync());
        await Scripts.SetActiveAsync(bob, null, default);
        Assert.True(await IsDoneAsync());
        foreach (string name in new[] { ScriptNames.Before, ScriptNames.After })
        {
            await Scripts.PutAsync(new TenantId(2), name, "keep;"u8.ToArray(), default);
            Assert.False(await IsDoneAsync());
            await Scripts.DeleteAsync(new TenantId(2), name, default);
            Assert.True(await IsDoneAsync());
        }
        // Another tenant's, and another account's, are nothing to them.
        await Scripts.PutAsync(new TenantId(3), ScriptNames.Before, "keep;"u8.ToArray(), default);
        await Scripts.PutAsync(new AccountId(3), "main", "keep;"u8.ToArray(), _quota, default);
        await Scripts.SetActiveAsync(new AccountId(3), "main", default);
        Assert.True(await IsDoneAsync());
        await CountersAreRightAsync();

        // One of bob's, beside some of alice's.
        async Task<bool> IsDoneAsync()
        {
            var batch = new List<CommitOperation> { await DeliverAsync(others) };
            while (batch.Count < together)
                batch.Add(await DeliverAsync(inbox));
            long before = await CountAsync();
            bool done = StraightBatch.Of(batch, Held)!.Execute(connection, FilterCheck.Of(batch)) is not null;
            Assert.Equal(before + (done ? together : 0), await CountAsync());
            return done;
        }

        // As many of either.
        Task<long> CountAsync() => ScalarAsync<long>("select ((select count(*) from mail.message) + (select count(*) from mail.body)) / 2");
    }

    [Fact]
    public async Task Who_has_a_filter_is_told_so_and_holds_up_nobody_beside_him()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@b.test", tenant: 2);
        Owned inbox = await MailboxAsync(alice), others = await MailboxAsync(bob);
        CommitOperation before = await DeliverAsync(others);
        await DoneAsync(before);
        await Scripts.PutAsync(bob, "main", "discard;"u8.ToArray(), _quota, default);
        await Scripts.SetActiveAsync(bob, "main", default);
        CommitOperation refused = await DeliverAsync(others);
        CommitOperation[] batch = [refused, await DeliverAsync(inbox), StoreOf(others, Uids(1), StoreMode.Add, SystemFlags.Seen), await AppendOfAsync(others, 1), await DeliverAsync(others), Again(before)];
        CommitStatus[] mixed = [CommitStatus.Filtered, CommitStatus.Done, CommitStatus.Done, CommitStatus.Done, CommitStatus.Filtered, CommitStatus.DoneBefore];
        Assert.Equal(mixed, (await BatchAsync(batch)).Select(static o => o.Status));
        Assert.Equal(CommitStatus.Filtered, (await CommitAsync(await DeliverAsync(others))).Status);
        Assert.Equal([CommitStatus.Filtered, CommitStatus.Done], (await BatchAsync(await DeliverAsync(others), await DeliverAsync(inbox))).Select(static o => o.Status));
        // The filter has decided that it stays: its body is still held.
        await DoneAsync(With(refused, unfiltered: false));
        // What no filter may keep away asks for none.
        await DoneAsync(await AppendOfAsync(others, 1));
        await CountersAreRightAsync();
        Assert.Equal(6L, await ScalarAsync<long>("select count(*) from mail.message"));
    }

    private async Task<CommitOperation> DeliverAsync(Owned mailbox) => With(await HeldAppendOfAsync(mailbox, 1), unfiltered: true);

    private static CommitOperation With(CommitOperation o, bool unfiltered) => new()
    {
        Kind = o.Kind, Mailbox = o.Mailbox, Epoch = o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages, Emails = o.Emails, Unfiltered = unfiltered,
    };
}
