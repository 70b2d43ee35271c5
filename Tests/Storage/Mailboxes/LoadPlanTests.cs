using System.Data;
using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

public sealed class LoadPlanTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    /// <summary>As a mailbox is that a MOVE of a whole large one has just filled: the statistics know the others, and take it for one of a few messages.</summary>
    [Fact]
    public async Task A_mailbox_that_statistics_do_not_know_is_loaded_by_reading_each_row_once()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 1500));
        await ExecuteAsync("analyze mail.message");
        await ExecuteAsync("analyze mail.message_flags");
        await DoneAsync(CopyOf(inbox, UidSet.FromRanges([new UidRange(1, 1500)]), work, move: true));
        await using NpgsqlConnection connection = await Database.Main.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        MailboxStatus status = (await Mailboxes.StatusAsync(work.Key))!;
        MailboxSnapshot snapshot = await MailboxStore.ReadRowsAsync(connection, work.Key, work.Epoch, status, []);
        Assert.Equal(1500, snapshot.Count);
        await using var command = new NpgsqlCommand(
            "select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint from pg_stat_xact_user_tables where relname in ('message', 'message_flags')", connection);
        Assert.InRange((long)(await command.ExecuteScalarAsync())!, 3000, 20_000);
    }
}
