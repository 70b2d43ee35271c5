using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Many callers at once, limits, lost connections, and what the statements cost.</summary>
public sealed class ManyCallersTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task Sixty_four_callers_of_one_mailbox_get_dense_uids_and_rising_modseqs()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        BodyId body = await StageAsync(64 * 10);
        var outcomes = (await Task.WhenAll(Enumerable.Range(0, 64).Select(caller => Task.Run(async () =>
        {
            var mine = new List<CommitOutcome>();
            for (int i = 0; i < 10; i++)
                mine.Add(await DoneAsync(await AppendOfAsync(inbox, Message(body, (caller * 10) + i))));
            // What one caller does one after the other is in that order.
            Assert.Equal(mine.Select(static o => o.ModSeq).Order(), mine.Select(static o => o.ModSeq));
            return mine;
        })))).SelectMany(static o => o).OrderBy(static o => o.ModSeq).ToList();
        Assert.Equal(Enumerable.Range(1, 640).Select(static u => (uint)u), outcomes.Select(static o => o.Uids[0].First));
        Assert.Equal(640, outcomes.Select(static o => o.ModSeq).Distinct().Count());
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_quota_is_filled_to_the_last_octet_and_never_over(bool tenant)
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned[] mailboxes = [await MailboxAsync(alice), await MailboxAsync(alice, "Work"), await MailboxAsync(bob)];
        await ExecuteAsync(tenant
            ? "insert into mail.tenant (tenant_id, charged, max_bytes) values (1, true, 10000)"
            : "update mail.account set max_bytes = 10000");
        int room = tenant ? 100 : 200;
        int[] done = await Task.WhenAll(Enumerable.Range(0, 32).Select(caller => Task.Run(async () =>
        {
            int count = 0;
            for (int i = 0; i < 12; i++)
            {
                // Too big in any case; what is behind it still goes in.
                Task<CommitOutcome> big = CommitAsync(await AppendOfAsync(mailboxes[caller % 3], 1, size: 10_001));
                CommitOutcome outcome = await CommitAsync(await AppendOfAsync(mailboxes[caller % 3], 1, size: 100));
                Assert.Equal(CommitStatus.OverQuota, (await big).Status);
                count += outcome.Status == CommitStatus.Done ? 1 : 0;
            }
            return count;
        })));
        Assert.Equal(room, done.Sum());
        Assert.Equal(room * 100L, (long)await ScalarAsync<decimal>("select sum(bytes) from mail.account"));
        Assert.Equal(CommitStatus.OverQuota, (await CommitAsync(CopyOf(mailboxes[0], Uids(1), mailboxes[0], move: false))).Status);
        // A move inside an account needs no room, and one across accounts of a tenant none of the tenant's.
        await DoneAsync(CopyOf(mailboxes[0], Uids(1), mailboxes[1], move: true));
        Assert.Equal(tenant ? CommitStatus.Done : CommitStatus.OverQuota, (await CommitAsync(CopyOf(mailboxes[0], Uids(2), mailboxes[2], move: true))).Status);
        await DoneAsync(StoreOf(mailboxes[2], Uids(1), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(mailboxes[2]));
        await DoneAsync(await AppendOfAsync(mailboxes[2], 1, size: 100));
        Assert.Equal(CommitStatus.OverQuota, (await CommitAsync(await AppendOfAsync(mailboxes[2], 1, size: 1))).Status);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Connections_that_PostgreSQL_ends_under_load_lose_nothing_and_store_nothing_twice()
    {
        AccountId[] accounts = [await AccountAsync(), await AccountAsync("bob@a.test"), await AccountAsync("carol@a.test")];
        List<Owned> mailboxes = [];
        foreach (AccountId account in accounts)
            mailboxes.Add(await MailboxAsync(account));
        int left = 24, ended = 0;
        Task<List<(Owned Mailbox, long Email, CommitOutcome Outcome)>>[] callers = [.. Enumerable.Range(0, 24).Select(caller => Task.Run(async () =>
        {
            var mine = new List<(Owned, long, CommitOutcome)>();
            for (int i = 0; i < 20; i++)
            {
                Owned mailbox = mailboxes[caller % 3];
                CommitOperation operation = await AppendOfAsync(mailbox, 1);
                while (true)
                {
                    try
                    {
                        CommitOutcome outcome = await CommitAsync(operation);
                        Assert.True(outcome.Status is CommitStatus.Done or CommitStatus.DoneBefore, $"{outcome.Status}");
                        mine.Add((mailbox, operation.Emails[0], outcome));
                        break;
                    }
                    catch (Exception e) when (e is CommitNotDoneException or CommitUnknownException)
                    {
                        operation = Again(operation);
                    }
                }
            }
            Interlocked.Decrement(ref left);
            return mine;
        }))];
        // Some of them, in mid-commit: were it all, nothing would ever be done.
        while (Volatile.Read(ref left) > 0 && ended < 12)
        {
            ended += (int)await ScalarAsync<long>(
                """
                select count(pg_terminate_backend(a.pid)) from (
                    select pid from pg_stat_activity where datname = current_database() and application_name = 'test lane' and query like '%mail.commit_%' and state = 'active' limit 1) a
                """);
        }
        Assert.True(ended > 0);
        var all = (await Task.WhenAll(callers)).SelectMany(static m => m).ToList();
        foreach (Owned mailbox in mailboxes)
        {
            MailboxSnapshot loaded = await LoadAsync(mailbox);
            Assert.Equal(Enumerable.Range(1, 160).Select(static u => (uint)u), loaded.Messages().Select(static m => m.Uid));
            var acknowledged = all.Where(a => a.Mailbox == mailbox).ToDictionary(static a => a.Outcome.Uids[0].First, static a => a.Email);
            Assert.All(loaded.Messages(), m => Assert.Equal(acknowledged[m.Uid], m.Email.Value));
        }
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Large_operations_run_beside_the_lane()
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), other = await MailboxAsync(inbox.Key.Account, "Other");
        await DoneAsync(await AppendOfAsync(inbox, 1500));
        CommitOperation large = Large(StoreOf(inbox, All, StoreMode.Add, SystemFlags.Deleted));
        Task<CommitOutcome>[] all =
        [
            CommitAsync(large), CommitAsync(Large(CopyOf(inbox, All, other, move: false))), CommitAsync(StoreOf(inbox, Uids(7), StoreMode.Remove, SystemFlags.Deleted)),
            CommitAsync(await AppendOfAsync(other, 1)),
        ];
        Assert.All(await Task.WhenAll(all), static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal(1499, (await DoneAsync(Large(ExpungeOf(inbox)))).Uids.Cardinality);
        Assert.Equal([7u], (await LoadAsync(inbox)).Messages().Select(static m => m.Uid));
        Assert.Equal(1501, (await LoadAsync(other)).Count);
        await CountersAreRightAsync();

        static CommitOperation Large(CommitOperation o) => new()
        {
            Kind = o.Kind, Mailbox = o.Mailbox, Source = o.Source, Epoch = o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Uids = o.Uids, Mode = o.Mode, Flags = o.Flags, Rows = 1500,
        };
    }

    [Fact]
    public async Task A_change_of_one_message_reads_one_row_of_a_large_mailbox_and_its_update_stays_in_the_page()
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), other = await MailboxAsync(inbox.Key.Account, "Other");
        for (int i = 0; i < 4; i++)
            await DoneAsync(await AppendOfAsync(inbox, 5000));
        await ExecuteAsync("vacuum analyze");
        (long Fetched, long Updated, long Hot, long MailboxUpdated, long MailboxHot) before = await StatisticsAsync(static _ => true);
        for (uint i = 0; i < 40; i++)
        {
            await DoneAsync(StoreOf(inbox, Uids(1 + (i * 500)), StoreMode.Add, SystemFlags.Flagged));
            await DoneAsync(StoreOf(inbox, Uids(1 + (i * 500)), StoreMode.Add, SystemFlags.Deleted));
            await DoneAsync(CopyOf(inbox, Uids(2 + (i * 500)), other, move: true));
            await DoneAsync(ExpungeOf(inbox, Uids(1 + (i * 500))));
        }
        await Lanes.DisposeAsync();
        Database.Lanes.Clear();
        (long Fetched, long Updated, long Hot, long MailboxUpdated, long MailboxHot) after = await StatisticsAsync(s => s.Updated >= before.Updated + 80);
        Assert.Equal(80, after.Updated - before.Updated);
        Assert.InRange(after.Fetched - before.Fetched, 0, 40 * 4 * 20);
        Assert.Equal(80, after.Hot - before.Hot);
        Assert.InRange(after.MailboxHot - before.MailboxHot, (after.MailboxUpdated - before.MailboxUpdated) * 9 / 10, long.MaxValue);
    }

    /// <summary>Reads until the backends have told what they did: they do when they end.</summary>
    private async Task<(long Fetched, long Updated, long Hot, long MailboxUpdated, long MailboxHot)> StatisticsAsync(Func<(long Fetched, long Updated, long Hot, long MailboxUpdated, long MailboxHot), bool> enough)
    {
        for (int attempt = 1; ; attempt++)
        {
            long[] s = await ScalarAsync<long[]>(
                """
                select array[f.idx_tup_fetch + f.seq_tup_read + m.idx_tup_fetch + m.seq_tup_read, f.n_tup_upd, f.n_tup_hot_upd, b.n_tup_upd, b.n_tup_hot_upd]
                from pg_stat_user_tables f, pg_stat_user_tables m, pg_stat_user_tables b
                where f.relname = 'message_flags' and m.relname = 'message' and b.relname = 'mailbox' and (f.schemaname, m.schemaname, b.schemaname) = ('mail', 'mail', 'mail')
                """);
            var found = (s[0], s[1], s[2], s[3], s[4]);
            if (enough(found) || attempt == 5000)
                return found;
        }
    }
}
