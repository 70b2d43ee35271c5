using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>
/// A change of few messages reads few rows, however large the mailbox is, and whatever the planner knew when the connection planned: here the tables were empty then,
/// and nobody has analyzed them since.
/// </summary>
public sealed class CommitPlanTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task A_change_of_few_messages_reads_few_rows()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work"), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        // Plans are made here.
        await ReadAsync(await AppendOfAsync(inbox, 1));
        await ReadAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Deleted, ["Work"]));
        await ReadAsync(CopyOf(inbox, Uids(1), work, move: false));
        await ReadAsync(ExpungeOf(inbox, Uids(1)));

        for (int i = 0; i < 4; i++)
            await DoneAsync(await AppendOfAsync(inbox, 500, SystemFlags.Deleted, i == 0 ? ["Work"] : null));
        Assert.InRange(await ReadAsync(StoreOf(inbox, Uids(500), StoreMode.Add, SystemFlags.Seen)), 1, 50);
        Assert.InRange(await ReadAsync(StoreOf(inbox, Uids(501, 800, 1600), StoreMode.Replace, SystemFlags.Deleted, ["Work"])), 1, 50);
        Assert.InRange(await ReadAsync(ExpungeOf(inbox, Uids(800, 900))), 1, 50);
        Assert.InRange(await ReadAsync(RemoveOf(inbox, Uids(1000))), 1, 50);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(500, 501), work, move: false)), 1, 50);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(500, 501), work, move: true)), 1, 50);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(502), bob, move: true)), 1, 50);
        Assert.InRange(await ReadAsync(await ReplaceOfAsync(inbox, 503, inbox)), 1, 50);
        Assert.InRange(await ReadAsync(await AppendOfAsync(inbox, 2)), 1, 50);
        Assert.InRange(await ReadAsync(await AppendOfAsync(inbox, 1)), 1, 20);
        Assert.InRange(await ReadAsync(await AppendOfAsync(inbox, 1), await AppendOfAsync(bob, 1)), 1, 50);
        Assert.InRange(await ReadAsync(StoreOf(inbox, Uids(600), StoreMode.Add, SystemFlags.Seen), StoreOf(inbox, Uids(601), StoreMode.Add, SystemFlags.Seen)), 1, 50);
        await CountersAreRightAsync();

        Task<long> ReadAsync(params CommitOperation[] operations) => RowsReadAsync(connection, operations);
    }

    /// <summary>The tables were small when they were analyzed: to read all threads of an account seemed cheaper then than to look for each key.</summary>
    [Fact]
    public async Task Threads_are_found_by_their_keys()
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        long key = 0;
        await DoneAsync(await AppendOfAsync(inbox, await WithKeysAsync(5)));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        await using (var analyze = new NpgsqlCommand("analyze", connection))
            await analyze.ExecuteNonQueryAsync();
        await ReadAllAsync(0, long.MaxValue);
        await DoneAsync(await AppendOfAsync(inbox, await WithKeysAsync(500)));
        await ReadAllAsync(1, 60);

        async Task ReadAllAsync(long from, long to)
        {
            NewMessage[] joint = await WithKeysAsync(2);
            joint[1] = joint[1] with { ThreadKeys = joint[0].ThreadKeys };
            Assert.InRange(await RowsReadAsync(connection, await AppendOfAsync(inbox, await WithKeysAsync(1))), from, to);
            Assert.InRange(await RowsReadAsync(connection, await AppendOfAsync(inbox, await WithKeysAsync(1)), await AppendOfAsync(bob, await WithKeysAsync(1))), from, to);
            Assert.InRange(await RowsReadAsync(connection, await AppendOfAsync(inbox, await WithKeysAsync(2))), from, to);
            Assert.InRange(await RowsReadAsync(connection, await AppendOfAsync(inbox, joint)), from, to);
        }

        async Task<NewMessage[]> WithKeysAsync(int count) =>
            [.. (await AppendOfAsync(inbox, count)).Messages.Select(m => m with { ThreadKeys = [++key, -key] })];
    }

    /// <summary>The same where every message has annotations.</summary>
    [Fact]
    public async Task A_change_of_few_annotations_reads_few_rows()
    {
        int value = 0;
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work"), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        // Plans are made here.
        await DoneAsync(await AppendOfAsync(inbox, 3));
        await ReadAsync(Annotate(Uids(1, 2)));
        await ReadAsync(CopyOf(inbox, Uids(1), work, move: false));
        await ReadAsync(CopyOf(inbox, Uids(1), bob, move: true));
        await ReadAsync(RemoveOf(inbox, Uids(2)));
        await ReadAsync(await AnnotatedAsync());

        for (int i = 0; i < 4; i++)
            await DoneAsync(await AppendOfAsync(inbox, 500));
        await DoneAsync(Annotate(All));
        Assert.InRange(await ReadAsync(Annotate(Uids(500, 501))), 1, 60);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(600, 601), work, move: false)), 1, 60);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(600, 601), work, move: true)), 1, 80);
        Assert.InRange(await ReadAsync(CopyOf(inbox, Uids(700), bob, move: true)), 1, 60);
        Assert.InRange(await ReadAsync(RemoveOf(inbox, Uids(800, 900))), 1, 60);
        Assert.InRange(await ReadAsync(await ReplaceOfAsync(inbox, 503, inbox)), 1, 60);
        Assert.InRange(await ReadAsync(await AnnotatedAsync()), 1, 60);

        Task<long> ReadAsync(params CommitOperation[] operations) => RowsReadAsync(connection, operations);

        CommitOperation Annotate(UidSet uids) => new()
        {
            Kind = CommitKind.Annotate, Mailbox = inbox.Key, Epoch = inbox.Epoch, Tenant = inbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids,
            Annotations = [new AnnotationValue("/comment", true, [(byte)++value]), new AnnotationValue("/comment", false, [(byte)value])],
        };

        async Task<CommitOperation> AnnotatedAsync() =>
            await AppendOfAsync(inbox, Message(await StageAsync()) with { Annotations = [new AnnotationValue("/comment", true, [1])] });
    }

    /// <summary>The rows that a commit fetched from tables, by index or otherwise.</summary>
    private static async Task<long> RowsReadAsync(NpgsqlConnection connection, params CommitOperation[] operations)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        long before = await RowsAsync();
        CommitOutcome[] outcomes = StraightBatch.Commit(operations, null, connection);
        Assert.All(outcomes, static o => Assert.Equal(CommitStatus.Done, o.Status));
        long rows = await RowsAsync() - before;
        await transaction.CommitAsync();
        return rows;

        // Filtered rows count, too: those that an index has found.
        async Task<long> RowsAsync()
        {
            await using var command = new NpgsqlCommand(
                "select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint from pg_stat_xact_user_tables where schemaname = 'mail'", connection);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }
}
