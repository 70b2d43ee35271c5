using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>A message that was moved to another account comes back while the collector takes away what it had left behind: its email has the same id, and must be there.</summary>
public sealed class ReturningEmailTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private const string Remove = "select mail.remove_emails(array_agg(account_id), array_agg(id)) from mail.email where account_id = $1";

    [Fact]
    public async Task The_copy_comes_first()
    {
        (AccountId alice, CommitOperation back) = await AwayAsync();
        await using NpgsqlConnection lane = await Database.Lanes.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (NpgsqlTransaction copying = await lane.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal(CommitStatus.Done, new CommitBatch([back], Held).Execute(lane)[0].Status);
            Assert.Equal(0, await ScalarAsync<int>(Remove, alice.Value));
            await copying.CommitAsync(TestContext.Current.CancellationToken);
        }
        await EmailsAreThereAsync(alice);
    }

    [Fact]
    public async Task The_collector_comes_first()
    {
        (AccountId alice, CommitOperation back) = await AwayAsync();
        await using NpgsqlConnection collector = await Database.Main.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Task<CommitOutcome> copied;
        await using (NpgsqlTransaction collecting = await collector.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using (var remove = new NpgsqlCommand(Remove, collector) { Parameters = { new NpgsqlParameter { Value = alice.Value } } })
                Assert.Equal(1, await remove.ExecuteScalarAsync(TestContext.Current.CancellationToken));
            copied = CommitAsync(back);
            while (!copied.IsCompleted && await ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%commit_v%'") == 0)
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Assert.False(copied.IsCompleted);
            await collecting.CommitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(CommitStatus.Done, (await copied).Status);
        await EmailsAreThereAsync(alice);
    }

    /// <summary>Alice has moved a message to Bob, her email is nobody's, and the operation copies the message back.</summary>
    private async Task<(AccountId Alice, CommitOperation Back)> AwayAsync()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned hers = await MailboxAsync(alice), his = await MailboxAsync(bob);
        await DoneAsync(await AppendOfAsync(hers, 1));
        await DoneAsync(CopyOf(hers, All, his, move: true));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.email where account_id = $1", alice.Value));
        return (alice, CopyOf(his, All, hers, move: false));
    }

    private async Task EmailsAreThereAsync(AccountId account)
    {
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.message m where m.account_id = $1", account.Value));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.message m join mail.email e on e.account_id = m.account_id and e.id = m.email_id where m.account_id = $1", account.Value));
    }
}
