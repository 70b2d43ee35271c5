using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Filters;
using MailCluster.Storage.Maintenance;
using MailCluster.Tests.Storage.Bodies;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Storage.Filters;

/// <summary>Scripts, what filters remember, and the outbox, as rows.</summary>
public sealed class FiltersTests(PostgresFixture postgres) : BodyTest(postgres)
{
    private static readonly ScriptQuota Quota = new(3, 100);

    private ScriptStore Scripts => new(Database);

    private MailFilters Filters => new(Database);

    private Outbox Outbox => new(Database);

    [Fact]
    public async Task Scripts_are_kept_by_name_and_one_is_active()
    {
        Assert.Null(await Scripts.PutAsync(Account, "a", "keep;"u8.ToArray(), Quota, default));
        Assert.Null(await Scripts.PutAsync(Account, "a", "discard;"u8.ToArray(), Quota, default));
        Assert.Null(await Scripts.PutAsync(Account, "b", "stop;"u8.ToArray(), Quota, default));
        Assert.Equal("discard;", Encoding.UTF8.GetString((await Scripts.GetAsync(Account, "a", default))!.Source));
        Assert.Null(await Scripts.GetAsync(new AccountId(1), "a", default));
        Assert.Equal(ScriptError.NonExistent, await Scripts.SetActiveAsync(Account, "c", default));
        Assert.Null(await Scripts.SetActiveAsync(Account, "a", default));
        Assert.Equal(ScriptError.Active, await Scripts.DeleteAsync(Account, "a", default));
        Assert.Equal(ScriptError.NonExistent, await Scripts.DeleteAsync(Account, "c", default));
        Assert.Equal(ScriptError.AlreadyExists, await Scripts.RenameAsync(Account, "a", "b", default));
        Assert.Equal(ScriptError.NonExistent, await Scripts.RenameAsync(Account, "c", "d", default));
        Assert.Null(await Scripts.RenameAsync(Account, "a", "z", default));
        ScriptList list = await Scripts.ListAsync(Account, default);
        Assert.Equal([("b", false, 5L), ("z", true, 8L)], list.Scripts.Select(static s => (s.Name, s.Active, s.Octets)));
        AccountFilters active = (await Filters.FiltersAsync([(Account, Tenant), (new AccountId(1), Tenant)], default))[Account];
        Assert.Equal("z", active.Own?.Name);
        Assert.Equal((await Scripts.GetAsync(Account, "z", default))!.Hash, active.Own?.Hash);
        Assert.Null(await Scripts.SetActiveAsync(Account, null, default));
        Assert.Null(await Scripts.DeleteAsync(Account, "z", default));
        Assert.Empty(await Filters.FiltersAsync([(Account, Tenant)], default));
    }

    [Fact]
    public async Task What_an_account_may_keep_is_bounded()
    {
        Assert.Null(await Scripts.HaveSpaceAsync(Account, "a", 100, Quota, default));
        Assert.Equal(ScriptError.TooMuch, await Scripts.HaveSpaceAsync(Account, "a", 101, Quota, default));
        Assert.Empty((await Scripts.ListAsync(Account, default)).Scripts);
        foreach (string name in new[] { "a", "b", "c" })
            Assert.Null(await Scripts.PutAsync(Account, name, new byte[30], Quota, default));
        Assert.Equal(ScriptError.TooManyScripts, await Scripts.PutAsync(Account, "d", [], Quota, default));
        Assert.Equal(ScriptError.TooMuch, await Scripts.PutAsync(Account, "a", new byte[41], Quota, default));
        Assert.Null(await Scripts.PutAsync(Account, "a", new byte[40], Quota, default));
        // Of many at once no more than fit.
        var other = new AccountId(77);
        ScriptError?[] put = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Scripts.PutAsync(other, $"s{i}", new byte[1], Quota, default).AsTask()));
        Assert.Equal(3, put.Count(static e => e is null));
        Assert.Equal(3, (await Scripts.ListAsync(other, default)).Scripts.Count);
    }

    [Fact]
    public async Task A_tenants_scripts_stand_around_those_of_its_accounts()
    {
        await Scripts.PutAsync(Tenant, "before", "keep;"u8.ToArray(), default);
        await Scripts.PutAsync(Tenant, "shared", "stop;"u8.ToArray(), default);
        AccountFilters filters = (await Filters.FiltersAsync([(Account, Tenant), (new AccountId(1), new TenantId(1))], default)).Single().Value;
        Assert.Equal(("before", null, null), (filters.Before?.Name, filters.Own?.Name, filters.After?.Name));
        Assert.NotNull(await Filters.SourceAsync(ScriptOwner.Of(Tenant), "shared", default));
        Assert.Null(await Filters.SourceAsync(ScriptOwner.Of(new TenantId(1)), "shared", default));
        Assert.Null(await Scripts.DeleteAsync(Tenant, "before", default));
        Assert.Equal(ScriptError.NonExistent, await Scripts.DeleteAsync(Tenant, "before", default));
    }

    [Fact]
    public async Task Why_a_filter_failed_is_told_until_it_changes()
    {
        await Scripts.PutAsync(Account, "a", "keep;"u8.ToArray(), Quota, default);
        await Scripts.SetActiveAsync(Account, "a", default);
        await Filters.NoteFailureAsync(Account, "no mailbox\0", default);
        Assert.Equal("no mailbox ", (await Scripts.ListAsync(Account, default)).Failure);
        await Scripts.PutAsync(Account, "a", "stop;"u8.ToArray(), Quota, default);
        Assert.Null((await Scripts.ListAsync(Account, default)).Failure);
    }

    [Fact]
    public async Task A_delivery_is_committed_once_whoever_tries()
    {
        var delivery = Guid.NewGuid();
        FilterCommit commit = Commit(delivery, [Mail(0), Mail(1)], [(Mark(1), TimeSpan.FromHours(1))]);
        FilterOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Filters.CommitAsync(commit, default).AsTask()));
        Assert.Single(outcomes, FilterOutcome.Done);
        Assert.Equal(5, outcomes.Count(static o => o == FilterOutcome.DoneBefore));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from mail.outbox"));
        Assert.Equal([new MemoryKey(MemoryKind.Delivery, delivery), Mark(1)],
            (await Filters.RecallAsync(Account, [new(MemoryKind.Delivery, delivery), Mark(1), Mark(2)], default)).OrderByDescending(static k => k.Kind));
        Assert.Empty(await Filters.RecallAsync(new AccountId(1), [Mark(1)], default));
    }

    [Fact]
    public async Task A_sender_is_answered_once_in_a_time()
    {
        OutgoingMail reply = Mail(0) with { Kind = OutgoingKind.Vacation, Once = (new(MemoryKind.Vacation, Guid.NewGuid()), TimeSpan.FromDays(1)) };
        FilterOutcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Filters.CommitAsync(Commit(Guid.NewGuid(), [reply]), default).AsTask()));
        Assert.All(outcomes, static o => Assert.Equal(FilterOutcome.Done, o));
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from mail.outbox"));
        await ExecuteAsync("update mail.sieve_memory set until = now() - interval '1 second' where kind = 2");
        await Filters.CommitAsync(Commit(Guid.NewGuid(), [reply]), default);
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from mail.outbox"));
    }

    [Fact]
    public async Task A_days_limit_leaves_room_for_what_is_required_or_refuses_all()
    {
        await Filters.CommitAsync(Commit(Guid.NewGuid(), [Mail(0) with { Required = false }, Mail(1), Mail(2)], most: 2), default);
        Assert.Equal([1, 2], (await Outbox.TakeAsync("t", 10, TimeSpan.FromMinutes(1), default)).Select(static m => (int)m.Mail.Ordinal).Order());
        var delivery = Guid.NewGuid();
        Assert.Equal(FilterOutcome.OverLimit, await Filters.CommitAsync(Commit(delivery, [Mail(0)], [(Mark(9), TimeSpan.FromHours(1))], most: 2), default));
        Assert.Empty(await Filters.RecallAsync(Account, [Mark(9), new(MemoryKind.Delivery, delivery)], default));
        Assert.Equal(FilterOutcome.Done, await Filters.CommitAsync(Commit(delivery, [Mail(0) with { Required = false }], most: 2), default));
        Assert.Equal(2, await ScalarAsync<long>("select count(*) from mail.outbox"));
        // Another account has its own.
        Assert.Equal(FilterOutcome.Done, await Filters.CommitAsync(Commit(Guid.NewGuid(), [Mail(0)], most: 2) with { Account = new AccountId(77) }, default));
    }

    [Fact]
    public async Task A_body_stays_until_what_refers_to_it_has_left()
    {
        StagedBody body = await StageAsync(Message(1000));
        OutgoingMail redirect = Mail(0) with { Body = body.Body, Size = body.Size };
        Assert.Equal(FilterOutcome.Done, await Filters.CommitAsync(Commit(Guid.NewGuid(), [redirect]), default));
        // The delivery has no use for its own claim.
        await Store.DiscardAsync(body, default);
        Assert.Equal(Message(1000), await ReadAsync(body.Body, 0, body.Size, body.Size));
        var collector = new Collector(Database, new CollectorOptions { StagedFor = TimeSpan.Zero, MarkedFor = TimeSpan.Zero }, NullLogger<Collector>.Instance);
        await collector.RunAsync(default);
        WaitingMail waiting = Assert.Single(await Outbox.TakeAsync("t", 1, TimeSpan.FromMinutes(1), default));
        Assert.Equal((body.Body, body.Size), (waiting.Mail.Body, waiting.Mail.Size));
        Assert.True(await Outbox.EndAsync(waiting, default));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.body_staged"));
        await collector.RunAsync(default);
        Assert.Equal(0, await RowsAsync());
        Assert.Equal(FilterOutcome.BodyGone, await Filters.CommitAsync(Commit(Guid.NewGuid(), [redirect]), default));
        Assert.Equal(MailErrorCode.BodyGone, (await Filters.ClaimAsync(body.Body, 1, default)).Error?.Code);
    }

    [Fact]
    public async Task Further_claims_are_as_good_as_the_first()
    {
        StagedBody body = await StageAsync(Message(1000));
        IReadOnlyList<int> claims = (await Filters.ClaimAsync(body.Body, 2, default)).Value!;
        Assert.Equal(2, claims.Distinct().Count());
        await ClaimAsync(body, claims[1]);
        await Store.DiscardAsync(body, default);
        await ClaimAsync(body, claims[0]);
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.body_staged"));
    }

    [Fact]
    public async Task Waiting_mail_is_one_senders_for_a_time()
    {
        await Filters.CommitAsync(Commit(Guid.NewGuid(), [Mail(0), Mail(1), Mail(2)]), default);
        await Filters.CommitAsync(Commit(Guid.NewGuid(), [Mail(0)]) with { Account = new AccountId(77) }, default);
        IReadOnlyList<WaitingMail>[] taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Outbox.TakeAsync($"sender {i}", 2, TimeSpan.FromMinutes(1), default).AsTask()));
        var all = taken.SelectMany(static t => t).ToList();
        Assert.Equal(all.Count, all.Select(static m => (m.Account, m.Operation, m.Mail.Ordinal)).Distinct().Count());
        Assert.All(taken, static t => Assert.True(t.Count <= 2));
        while (all.Count < 4)
            all.AddRange(await Outbox.TakeAsync("more", 2, TimeSpan.FromMinutes(1), default));
        Assert.Empty(await Outbox.TakeAsync("late", 9, TimeSpan.FromMinutes(1), default));
        // One that died: the next attempt is another's, and the first can change nothing any more.
        WaitingMail first = all[0];
        Assert.True(await Outbox.RenewAsync(first, TimeSpan.Zero, default));
        WaitingMail second = Assert.Single(await Outbox.TakeAsync("next", 9, TimeSpan.FromMinutes(1), default));
        Assert.Equal((first.Operation, first.Mail.Ordinal, 2), (second.Operation, second.Mail.Ordinal, second.Attempt));
        Assert.False(await Outbox.RenewAsync(first, TimeSpan.FromMinutes(1), default));
        Assert.False(await Outbox.RetryAsync(first, TimeSpan.Zero, "x", default));
        Assert.False(await Outbox.EndAsync(first, default));
        Assert.True(await Outbox.RetryAsync(second, TimeSpan.Zero, "451 later", default));
        WaitingMail third = Assert.Single(await Outbox.TakeAsync("next", 9, TimeSpan.FromMinutes(1), default));
        Assert.True(await Outbox.EndAsync(third, default));
        Assert.Equal(3, (await Outbox.WaitingAsync(default)).Count);
    }

    [Fact]
    public async Task What_is_over_is_forgotten()
    {
        await Filters.CommitAsync(Commit(Guid.NewGuid(), [Mail(0)], [(Mark(1), TimeSpan.FromDays(30))]), default);
        await ExecuteAsync("update mail.sieve_memory set until = now() - interval '1 second' where kind = 3");
        await ExecuteAsync("update mail.outgoing_day set day = current_date - 5");
        await new Collector(Database, new CollectorOptions(), NullLogger<Collector>.Instance).RunAsync(default);
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from mail.sieve_memory"));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.outgoing_day"));
    }

    private static FilterCommit Commit(Guid delivery, OutgoingMail[] mail, (MemoryKey, TimeSpan)[]? remember = null, int most = 100) =>
        new(Account, Tenant, delivery, remember ?? [], mail, most);

    private static OutgoingMail Mail(short ordinal) => new(
        ordinal, OutgoingKind.Redirect, "s@x.test", ["r@y.test"], "Subject: x\r\n\r\n"u8.ToArray(), null, 0, 0, false, null, Required: true);

    private static MemoryKey Mark(byte n) => new(MemoryKind.Duplicate, new Guid(n, 0, 0, new byte[8]));
}
