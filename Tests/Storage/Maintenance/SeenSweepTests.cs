using MailCluster.Contracts;
using MailCluster.Storage.Maintenance;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Maintenance;

/// <summary>What others have seen in a mailbox does not grow with what is gone from it.</summary>
public sealed class SeenSweepTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    // Of messages that are there: some between those that are gone, neighbours, and the first and the last UID.
    private static readonly int[] There = [1, 2, 4, 5, 6, 7, 10, 11, 500, 501, 502, 1998, 1999, 2000];

    private Collector Collector => new(Database.Main, new CollectorOptions(), NullLogger<Collector>.Instance);

    [Fact]
    public async Task What_is_there_stays_seen_or_not_and_the_rest_takes_no_room()
    {
        (AccountId alice, AccountId bob) = (await AccountAsync(), await AccountAsync("bob@a.test"));
        Owned inbox = await MailboxAsync(alice);
        await SeeAsync(inbox.Key, bob, "select range_agg(int8range(2 * i, 2 * i, '[]')) from generate_series(1, 1000) i");
        await ExecuteAsync(
            "insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone, save_date) select $1, $2, u, u, u, 1, now(), 0, now() from unnest($3) u",
            alice.Value, inbox.Key.Mailbox.Value, There.Select(static u => (long)u).ToArray());
        long[] seen = await SeenAsync();
        Assert.Equal([2, 4, 6, 10, 500, 502, 1998, 2000], seen);

        // Who changes the mailbox is not waited for.
        await using (NpgsqlConnection changing = await Database.Main.OpenConnectionAsync())
        await using (NpgsqlTransaction transaction = await changing.BeginTransactionAsync())
        {
            await using (var command = new NpgsqlCommand("select 1 from mail.mailbox where account_id = $1 for no key update", changing, transaction) { Parameters = { new NpgsqlParameter<long> { TypedValue = alice.Value } } })
                await command.ExecuteNonQueryAsync();
            await Collector.PurgeDeletedAsync(default);
            Assert.Equal(1000, await RangesAsync());
        }

        await Collector.PurgeDeletedAsync(default);
        Assert.Equal(seen, await SeenAsync());
        // 2 and 4 are neighbours now, and so are 502 and 1998.
        Assert.Equal(6, await RangesAsync());

        async Task<long[]> SeenAsync() => await ScalarAsync<long[]>(
            "select array_agg(m.uid order by m.uid) from mail.message m join mail.seen_by b on b.account_id = m.account_id and b.mailbox_id = m.mailbox_id where m.uid <@ b.uids");
    }

    [Fact]
    public async Task Short_sets_stay_and_those_of_accounts_that_are_gone_go()
    {
        (AccountId alice, AccountId bob) = (await AccountAsync(), await AccountAsync("bob@a.test"));
        Owned inbox = await MailboxAsync(alice);
        await SeeAsync(inbox.Key, bob, "select '{[1,2),[5,9)}'::int8multirange");
        await SeeAsync(inbox.Key, new AccountId(bob.Value + 1_000_000), "select '{[1,2)}'::int8multirange");
        await Collector.PurgeDeletedAsync(default);
        Assert.Equal("{[1,2),[5,9)}", await ScalarAsync<string>("select string_agg(uids::text, ' ') from mail.seen_by"));
    }

    private Task<int> SeeAsync(MailboxKey mailbox, AccountId viewer, string uids) =>
        ExecuteAsync($"insert into mail.seen_by (account_id, mailbox_id, viewer_id, uids, modseq) select $1, $2, $3, ({uids}), 1", mailbox.Account.Value, mailbox.Mailbox.Value, viewer.Value);

    private Task<int> RangesAsync() => ScalarAsync<int>("select count(*)::integer from mail.seen_by b cross join lateral unnest(b.uids)");
}
