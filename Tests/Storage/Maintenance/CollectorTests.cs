using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Maintenance;
using MailCluster.Tests.Storage.Bodies;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Storage.Maintenance;

public sealed class CollectorTests(PostgresFixture postgres) : BodyTest(postgres)
{
    private static readonly CollectorOptions AtOnce = new() { StagedFor = TimeSpan.Zero, MarkedFor = TimeSpan.Zero, Slice = 3 };

    private Collector Collector => new(Database, AtOnce, NullLogger<Collector>.Instance);

    [Fact]
    public async Task Partitions_reach_a_week_ahead_and_old_ones_go()
    {
        await ExecuteAsync("""
            create table mail.operation_20200101 partition of mail.operation for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00');
            create table mail.change_20200101 partition of mail.change for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00');
            """);
        var collector = new Collector(Database, new() { PartitionsAhead = 10 }, NullLogger<Collector>.Instance);
        Assert.Equal(4 * 3, await collector.EnsurePartitionsAsync());
        Assert.Equal(0, await collector.EnsurePartitionsAsync());
        Assert.Equal(1, await collector.DropOldAsync());
        await collector.ExpireAsync(default);
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from pg_class where relname like '%_20200101'"));
        Assert.NotNull(await collector.RunAsync(default));
    }

    [Fact]
    public async Task Rows_that_found_no_partition_are_moved_into_one()
    {
        await ExecuteAsync("insert into mail.delivery (account_id, hash, at) values (1, gen_random_uuid(), now() + interval '30 days'), (2, gen_random_uuid(), now())");
        await ExecuteAsync("insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter, at) values (1, 1, 1, 1, '{}', '', '', 1, 1, '2020-05-05')");
        Assert.Equal(2, await Collector.EnsurePartitionsAsync());
        Assert.Equal(0, await ScalarAsync<long>("select (select count(*) from mail.delivery_default) + (select count(*) from mail.change_default)"));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from mail.delivery"));
        Assert.Equal("mail.change_20200505", await ScalarAsync<string>("select tableoid::regclass::text from mail.change"));
    }

    [Fact]
    public async Task Claims_and_uploads_that_nobody_came_for_go_with_their_bodies()
    {
        var unclaimed = await StageAsync(Message(300_000), claims: 2);
        var claimed = await StageAsync(Message(100), claims: 2);
        await ClaimAsync(claimed, 0);
        await ExecuteAsync("select mail.stage_chunk_v1(5, 0, 'abc'), mail.stage_chunk_v1(5, 1, 'def')");
        var late = new Collector(Database, new(), NullLogger<Collector>.Instance);
        Assert.Equal((0, 0), (await late.ExpireStagedAsync(default), await late.CollectBodiesAsync(default)));

        Assert.Equal(4, await Collector.ExpireStagedAsync(default));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from mail.body where state = 1"));
        Assert.Equal(0, await late.CollectBodiesAsync(default));
        Assert.Equal(2, await Collector.CollectBodiesAsync(default));
        await Assert.ThrowsAsync<BodyGoneException>(() => ReadAsync(unclaimed.Body, 0, 1));
        Assert.Equal(Message(100), await ReadAsync(claimed.Body, 0, 100));
        Assert.Equal(3, await RowsAsync());
    }

    [Fact]
    public async Task A_marked_body_that_an_email_refers_to_again_is_kept()
    {
        var body = await StageAsync(Message(100));
        await ClaimAsync(body, 0);
        await ExecuteAsync($"insert into mail.body_marked (body_id) values ({body.Body}); update mail.body set state = 1");
        Assert.Equal(0, await Collector.CollectBodiesAsync(default));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from mail.body where state = 0"));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.body_marked"));
    }

    [Fact]
    public async Task An_expunged_message_goes_after_its_time_and_its_body_when_nobody_else_has_it()
    {
        var (shared, own) = (await StageAsync(Message(100), claims: 2), await StageAsync(Message(200)));
        EmailId kept = await ClaimAsync(shared, 0), gone = await ClaimAsync(shared, 1), alone = await ClaimAsync(own, 0);
        await ExecuteAsync($"""
            create table mail.expunged_20200101 partition of mail.expunged for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00');
            insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone) values ({Account}, 1, 1, {kept}, 1, 1, now(), 0);
            insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, modseq, at) select {Account}, 1, e, e, 0, 1, '2020-01-01 12:00+00'
            from unnest(array[{kept}, {gone}, {alone}, 77, 78, 79]::bigint[]) e;
            """);
        Assert.Equal(6, await Collector.ExpireAsync(default));
        Assert.Equal(kept.Value, await ScalarAsync<long>("select id from mail.email"));
        Assert.Equal(1, await Collector.CollectBodiesAsync(default));
        Assert.Equal(Message(100), await ReadAsync(shared.Body, 0, 100));
        await Assert.ThrowsAsync<BodyGoneException>(() => ReadAsync(own.Body, 0, 1));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from pg_class where relname = 'expunged_20200101'"));
    }

    [Fact]
    public async Task The_floor_rises_to_the_last_expunge_that_the_log_forgets()
    {
        await ExecuteAsync("""
            insert into mail.mailbox (account_id, id, path, uidvalidity, uidnext, highest_modseq, vanished_floor)
            select 1, i, array['m' || i], 1, 100, 50, case when i = 5 then 40 else 0 end from generate_series(1, 5) i;
            create table mail.change_20200101 partition of mail.change for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00');
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter, at)
            select 1, i, 10 + n, case when i = 4 then 2 else 3 + 3 * (n % 2) end, '{[1,2)}', '', '', 1, 1, '2020-01-01 12:00+00' from generate_series(1, 5) i, generate_series(1, 3) n;
            """);
        await Collector.ExpireAsync(default);
        Assert.Equal("13 13 13 0 40", await ScalarAsync<string>("select string_agg(vanished_floor::text, ' ' order by id) from mail.mailbox"));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.change"));
        // Asked for what is below the floor, a mailbox answers with all that is not there.
        Assert.Equal("{[1,100)}", await ScalarAsync<string>("select mail.vanished_v1(1, 1, 12)::text"));
        Assert.Equal("{}", await ScalarAsync<string>("select mail.vanished_v1(1, 1, 13)::text"));
    }

    [Fact]
    public async Task Expunges_can_be_kept_for_seconds_only()
    {
        EmailId old = await ClaimAsync(await StageAsync(Message(100)), 0), young = await ClaimAsync(await StageAsync(Message(200)), 0);
        await ExecuteAsync($"""
            insert into mail.mailbox (account_id, id, path, uidvalidity, uidnext, highest_modseq) select 1, i, array['m' || i], 1, 100, 50 from generate_series(1, 3) i;
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter, at)
            select 1, i, 10 + n, case when n < 8 and i < 3 then 3 else 2 end, int8multirange(int8range(n, n + 1)), '', '', 1, 1, now() - interval '100 s' * (10 - n)
            from generate_series(1, 3) i, generate_series(1, 9) n;
            insert into mail.expunged (account_id, mailbox_id, uid, email_id, flags, modseq, at) values
                ({Account}, 1, 1, {old}, 0, 1, now() - interval '500 s'), ({Account}, 1, 2, {young}, 0, 1, now() - interval '300 s');
            """);
        var collector = new Collector(Database, new() { ExpungedFor = TimeSpan.FromSeconds(450), MarkedFor = TimeSpan.Zero, Slice = 2 }, NullLogger<Collector>.Instance);
        Assert.Equal(1, await collector.ExpireAsync(default));
        // Changes 1 to 5 are older (by most of a minute, which a busy machine may take), each under its number + 10.
        Assert.Equal("15 15 0", await ScalarAsync<string>("select string_agg(vanished_floor::text, ' ' order by id) from mail.mailbox"));
        Assert.Equal("16", await ScalarAsync<string>("select min(modseq)::text from mail.change"));
        Assert.Equal("{[6,8)}", await ScalarAsync<string>("select mail.vanished_v1(1, 1, 15)::text"));
        Assert.Equal(young.Value, await ScalarAsync<long>("select id from mail.email"));
        Assert.Equal(1, await collector.CollectBodiesAsync(default));
    }

    [Fact]
    public async Task A_deleted_account_goes_whole()
    {
        var ids = new IdBlocks(Database);
        TenantStore tenants = new(Database, ids);
        AccountStore accounts = new(Database, ids);
        await tenants.AddAsync("acme");
        await tenants.AddDomainAsync("a.test", "acme");
        var account = (await accounts.AddAsync("alice@a.test", null)).Value;
        var body = await StageAsync(Message(100));
        var email = await ClaimAsync(body, 0);
        await ExecuteAsync($"""
            update mail.email set account_id = {account};
            insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone)
            select {account}, id, u, {email}, 1, 1, now(), 0 from mail.mailbox, generate_series(1, 4) u;
            insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) select {account}, id, u, 0, 1 from mail.mailbox, generate_series(1, 4) u;
            insert into mail.thread (account_id, key, thread_id) select {account}, k, 1 from generate_series(1, 10) k;
            """);
        Assert.True((await accounts.DeleteAsync("alice@a.test")).IsOk);
        await Collector.PurgeDeletedAsync(default);
        Assert.Equal(0, await ScalarAsync<long>("""
            select (select count(*) from mail.mailbox) + (select count(*) from mail.message) + (select count(*) from mail.message_flags)
                + (select count(*) from mail.thread) + (select count(*) from mail.account_gone) + (select count(*) from mail.account)
            """));
        Assert.Equal(24, await ScalarAsync<long>("select count(*) from mail.expunged"));
    }

    [Fact]
    public async Task What_nothing_refers_to_is_found_wherever_it_came_from()
    {
        for (var i = 0; i < 10; i++)
        {
            var email = await ClaimAsync(await StageAsync(Message(10)), 0);
            if (i % 3 == 0)
                await ExecuteAsync($"insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone) values ({Account}, 1, {i + 1}, {email}, 1, 1, now(), 0)");
        }
        Assert.Equal(6, await Collector.SweepEmailsAsync(default));
        Assert.Equal(6, await Collector.CollectBodiesAsync(default));
        Assert.Equal(4, await ScalarAsync<long>("select count(*) from mail.body"));
    }

    [Fact]
    public async Task One_node_at_a_time()
    {
        // Whoever runs holds the advisory lock; two runs at once on one database: one of them may find it taken, and both are well.
        var runs = await Task.WhenAll(Collector.RunAsync(default), Collector.RunAsync(default), Collector.RunAsync(default));
        Assert.Contains(runs, r => r is not null);
    }
}
