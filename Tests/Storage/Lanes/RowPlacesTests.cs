using System.Text.Json;
using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using NpgsqlTypes;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>A lane remembers where rows are, and commits wherever they have gone to.</summary>
public sealed class RowPlacesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private readonly RowPlaces _places = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_commit_tells_is_where_the_rows_are(bool many)
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        Func<Task>[] steps =
        [
            AppendAsync, AppendAsync, () => StoreAsync(SystemFlags.Flagged), () => StoreAsync(SystemFlags.Seen),
            // The rows are moved by others.
            () => ExecuteAsync("update mail.mailbox set first_recent = first_recent where account_id = $1", inbox.Key.Account.Value), AppendAsync,
            () => ExecuteAsync("update mail.mailbox set first_recent = first_recent where account_id = $1", bob.Key.Account.Value), () => StoreAsync(SystemFlags.Draft),
            () => ExecuteAsync("update mail.account set bytes = bytes where account_id = $1", inbox.Key.Account.Value), AppendAsync,
            // In the general way, which tells nothing.
            async () => CommitAll(ExpungeOf(inbox)), AppendAsync,
            // What another mailbox's row has taken the place of.
            async () => { _places.Set(inbox.Key, await ScalarAsync<NpgsqlTid>("select ctid from mail.mailbox where id = $1", bob.Key.Mailbox.Value)); await AppendAsync(); },
        ];
        foreach (Func<Task> step in steps)
            await step();
        // Nothing changes: they stay where they are.
        await StoreAsync(SystemFlags.Draft);
        await StoreAsync(SystemFlags.Draft);
        await CountersAreRightAsync();

        async Task AppendAsync()
        {
            CommitAll(many ? [await AppendOfAsync(inbox, 1), await HeldAppendOfAsync(bob, 1), await HeldAppendOfAsync(inbox, 1)] : [await AppendOfAsync(inbox, 1)]);
            await AreThereAsync(accounts: true);
        }

        async Task StoreAsync(SystemFlags flag)
        {
            CommitAll(many ? [StoreOf(inbox, Uids(1), StoreMode.Add, flag), StoreOf(bob, Uids(1), StoreMode.Add, flag)] : [StoreOf(inbox, Uids(1), StoreMode.Add, flag)]);
            await AreThereAsync(accounts: false);
        }

        void CommitAll(params CommitOperation[] operations) =>
            Assert.All(StraightBatch.Commit(operations, Held, connection, _places), static o => Assert.Equal(CommitStatus.Done, o.Status));

        async Task AreThereAsync(bool accounts)
        {
            foreach (MailboxKey key in many ? new[] { inbox.Key, bob.Key } : [inbox.Key])
            {
                Assert.Equal(await ScalarAsync<NpgsqlTid>("select ctid from mail.mailbox where id = $1", key.Mailbox.Value), _places.Of(key));
                // A change of flags has nothing to do with them, and what did not find a row forgets all.
                if (accounts || _places.Of(key.Account) is not null)
                    Assert.Equal(await ScalarAsync<NpgsqlTid>("select ctid from mail.account where account_id = $1", key.Account.Value), _places.Of(key.Account));
            }
        }
    }

    /// <summary>Where a lane waits for a row that somebody else is changing, what it does is done to the row as that one left it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_moves_while_a_commit_waits_for_it(bool many)
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        Commit(await BatchAsync());
        foreach (string table in new[] { "mailbox", "account" })
        {
            CommitOperation[] batch = await BatchAsync();
            await using NpgsqlConnection other = await Database.Main.OpenConnectionAsync();
            await using NpgsqlTransaction transaction = await other.BeginTransactionAsync();
            await using (var update = new NpgsqlCommand($"update mail.{table} set {(table == "mailbox" ? "first_recent = 1" : "max_messages = 1000")}", other))
                await update.ExecuteNonQueryAsync();
            var commit = Task.Run(() => Commit(batch));
            while (!await ScalarAsync<bool>("select exists (select from pg_locks where not granted and pid = $1)", connection.ProcessID))
                Assert.False(commit.IsCompleted);
            await transaction.CommitAsync();
            await commit;
        }
        await CountersAreRightAsync();
        Assert.Equal(many ? 2 * 3 : 3, await ScalarAsync<long>("select sum(messages)::bigint from mail.mailbox"));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from mail.account where max_messages = 1000"));

        async Task<CommitOperation[]> BatchAsync() => many ? [await HeldAppendOfAsync(inbox, 1), await HeldAppendOfAsync(bob, 1)] : [await HeldAppendOfAsync(inbox, 1)];

        void Commit(CommitOperation[] batch) => Assert.All(StraightBatch.Commit(batch, Held, connection, _places), static o => Assert.Equal(CommitStatus.Done, o.Status));
    }

    /// <summary>While an old snapshot keeps thousands of versions of a mailbox's row and of its account's, a commit that knows the places looks at no more of PostgreSQL's pages than before.</summary>
    [Fact]
    public async Task No_old_version_is_looked_at()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 1));
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync(), old = await Database.Main.OpenConnectionAsync();
        // Plans are made here.
        await AllAsync(false);
        long[] before = await AllAsync(false);

        await using NpgsqlTransaction snapshot = await old.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from mail.mailbox", old))
            await look.ExecuteScalarAsync();
        foreach (string table in new[] { "mailbox", "account" })
        {
            // By place, too: each look-up by key would step over all before it.
            await ExecuteAsync(
                $$"""
                do $do$ declare place tid := (select ctid from mail.{{table}} limit 1); begin
                    for i in 1..5000 loop update mail.{{table}} set bytes = bytes where ctid = place returning ctid into place; end loop; end $do$
                """);
        }
        long[] unknown = await AllAsync(false), known = await AllAsync(true);
        // Where much goes on in other databases of the server, a session forgets its catalogs now and then, and looks at their pages again.
        for (int more = 0; more < 50 && known.Zip(before).Any(static p => p.First > p.Second + 20); more++)
            known = [.. known.Zip(await AllAsync(true), Math.Min)];
        for (int i = 0; i < before.Length; i++)
        {
            Assert.InRange(unknown[i], before[i] + 50, long.MaxValue);
            Assert.InRange(known[i], 1, before[i] + 20);
        }

        async Task<long[]> AllAsync(bool known)
        {
            long[] least = [long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue];
            // Of some: where a version begins a page of its own, the index gets an entry more, and looks at the others.
            for (int i = 0; i < 3 * least.Length; i++)
            {
                int call = i % least.Length;
                least[call] = Math.Min(least[call], await PagesAsync(connection, Call(call, known ? await PlaceAsync("mailbox") : null, known ? await PlaceAsync("account") : null)));
            }
            return least;
        }

        Task<string> PlaceAsync(string table) => ScalarAsync<string>($"select ctid::text from mail.{table}");

        // A change of a flag and an append, alone and as one of several.
        string Call(int call, string? mailbox, string? account)
        {
            long n = NextOperation().Counter;
            string key = $"{inbox.Key.Account.Value}, {inbox.Key.Mailbox.Value}", operation = $"7, {n}", flags = $"{n % 32}", body = $"{10_000 + n}", email = $"{20_000 + n}";
            string mailboxes = $"array[{Literal(mailbox)}]::tid[]", accounts = $"array[{Literal(account)}]::tid[]";
            return call switch
            {
                0 => $"mail.commit_store_v2({key}, null, {inbox.Epoch}, {operation}, 'u', 's', null, 0::smallint, {flags}::smallint, null, 1, {Literal(mailbox)})",
                1 => $"mail.commit_stores_v2(array[{key}, {inbox.Epoch}, 0], array[1, {operation}, 0, {flags}, null, 1], array['u', 's', null], {(mailbox is null ? "'{}'" : mailboxes)})",
                2 => $"""
                    mail.commit_append_v2({key}, null, {inbox.Epoch}, {operation}, 'u', 's', null, null, null, true, 7, 'abc', 'def', {body}, 0, {email}, '', 3, 0, 0::smallint, 0::smallint, null, 0,
                        {Literal(mailbox)}, {Literal(account)})
                    """,
                _ => $"""
                    mail.commit_appends_v2(array[{key}, {inbox.Epoch}, 0, 1, 3, 1, 0, 0, 0], '{"{}"}', array[{inbox.Key.Account.Value}, 1, 3],
                        array[1, 0, {operation}, {body}, -1, 7, {email}, 3, 0, 0, 0, 1, 0, 1], array['u', 's', null], array['abc', 'def', '']::bytea[], '{"{}"}', '{"{}"}', 0,
                        {(mailbox is null ? "'{}'" : mailboxes)}, {(account is null ? "'{}'" : accounts)})
                    """,
            };
        }

        static string Literal(string? place) => place is null ? "null" : $"'{place}'";
    }

    /// <summary>PostgreSQL's pages that a call looked at, as often as it did.</summary>
    private static async Task<long> PagesAsync(NpgsqlConnection connection, string call)
    {
        await using var command = new NpgsqlCommand($"explain (analyze, buffers, format json) select * from {call}", connection);
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
        JsonElement scan = plan.RootElement[0].GetProperty("Plan");
        // It did what it was asked to.
        Assert.NotEqual(0, scan.GetProperty("Actual Rows").GetDouble());
        return scan.GetProperty("Shared Hit Blocks").GetInt64() + scan.GetProperty("Shared Read Blocks").GetInt64();
    }
}
