using System.IO.Pipelines;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Everything that the check can find is broken by hand, found, mended where that is possible, and then found no more.</summary>
public sealed class MailboxCheckTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private MailboxCheck Check => new(Database.Main);

    [Fact]
    public async Task A_mailbox_in_use_has_nothing_wrong()
    {
        Owned inbox = await FilledAsync(7), other = await MailboxAsync(inbox.Key.Account, "Other");
        await DoneAsync(StoreOf(inbox, Uids(1, 2, 3), StoreMode.Add, SystemFlags.Deleted | SystemFlags.Seen, ["$Work"]));
        await DoneAsync(ExpungeOf(inbox, Uids(2, 7)));
        await DoneAsync(CopyOf(inbox, Uids(1, 4), other, move: false));
        await DoneAsync(CopyOf(inbox, Uids(5), other, move: true));
        MailboxCheck check = Check;
        Assert.Empty(await ListAsync(check, new() { Bodies = true, BodyGrace = TimeSpan.Zero }));
        Assert.Equal((2, 8), (check.Mailboxes, check.Messages));
    }

    [Fact]
    public async Task An_empty_database_has_nothing_wrong() => Assert.Empty(await ListAsync(Check, new()));

    [Fact]
    public async Task Changes_that_are_made_meanwhile_are_no_findings()
    {
        Owned inbox = await FilledAsync(10), other = await MailboxAsync(inbox.Key.Account, "Other");
        Task changes = Task.Run(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                await DoneAsync(await AppendAsync(inbox, $"body {i}"));
                await DoneAsync(StoreOf(inbox, All, StoreMode.Add, i % 2 == 0 ? SystemFlags.Seen : SystemFlags.Deleted));
                await DoneAsync(i % 3 == 0 ? ExpungeOf(inbox) : CopyOf(inbox, All, other, move: i % 3 == 1));
            }
        });
        var findings = new List<MailboxFinding>();
        do
            findings.AddRange(await ListAsync(Check, new() { Bodies = true, BodyGrace = TimeSpan.Zero }));
        while (!changes.IsCompleted);
        await changes;
        Assert.Empty(findings);
    }

    [Fact]
    public async Task Wrong_counters_are_found_and_mended_under_a_new_epoch_without_touching_uids()
    {
        Owned inbox = await FilledAsync(5);
        string before = await NumbersAsync(inbox);
        await ExecuteAsync("update mail.mailbox set messages = 9, unseen = 8, deleted = 7, bytes = 6, uidnext = 2, highest_modseq = 1, first_recent = 99, vanished_floor = 50 where id = $1",
            inbox.Key.Mailbox.Value);
        List<MailboxFinding> findings = await ListAsync(Check, new());
        Assert.Equal(
            [MailboxFindingKind.Counter, MailboxFindingKind.Counter, MailboxFindingKind.Counter, MailboxFindingKind.Counter, MailboxFindingKind.UidNext,
                MailboxFindingKind.HighestModSeq, MailboxFindingKind.Mark, MailboxFindingKind.Mark],
            findings.Select(static f => f.Kind));
        Assert.All(findings, static f => Assert.False(f.Repaired));
        Assert.Equal("alice@a.test INBOX: the counter 'messages' is 9, its messages add up to 5", findings[0].ToString());

        Assert.All(await ListAsync(Check, new() { Repair = true }), static f => Assert.True(f.Repaired));
        Assert.Empty(await ListAsync(Check, new()));
        Assert.Equal(before, await NumbersAsync(inbox));
        await CountersAreRightAsync();
        // The owner of before is refused and reads again.
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen))).Status);
        await DoneAsync(StoreOf(await ClaimAsync(inbox.Key), Uids(1), StoreMode.Add, SystemFlags.Seen));
    }

    [Fact]
    public async Task A_uid_that_only_the_log_of_expunged_messages_knows_is_not_given_out_again()
    {
        Owned inbox = await FilledAsync(3);
        await DoneAsync(StoreOf(inbox, Uids(3), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(inbox));
        await ExecuteAsync("update mail.mailbox set uidnext = 3");
        Assert.Equal(MailboxFindingKind.UidNext, Assert.Single(await ListAsync(Check, new() { Repair = true })).Kind);
        Owned again = await ClaimAsync(inbox.Key);
        Assert.Equal(Uids(4), (await DoneAsync(await AppendAsync(again, "next"))).Uids);
    }

    [Fact]
    public async Task Flags_that_are_missing_or_have_no_message_are_put_right_and_the_owner_is_told()
    {
        Owned inbox = await FilledAsync(4);
        await ExecuteAsync("delete from mail.message_flags where uid in (2, 3); insert into mail.message_flags select account_id, mailbox_id, 77, 1, null, 1 from mail.message_flags where uid = 1");
        Assert.Equal(2, (await LoadAsync(inbox)).Count);
        await using NpgsqlConnection listener = await Database.Main.OpenConnectionAsync();
        string? told = null;
        listener.Notification += (_, e) => told = e.Payload;
        await using (var listen = new NpgsqlCommand("listen mailcluster_owner", listener))
            await listen.ExecuteNonQueryAsync();

        List<MailboxFinding> findings = await ListAsync(Check, new() { Account = inbox.Key.Account, Mailbox = inbox.Key.Mailbox, Repair = true });
        Assert.Equal([MailboxFindingKind.FlagsMissing, MailboxFindingKind.FlagsOrphaned], findings.Select(static f => f.Kind));
        Assert.Contains("{[2,4)}", findings[0].Text);
        Assert.Empty(await ListAsync(Check, new()));
        await listener.WaitAsync();
        Assert.Contains($"\"{inbox.Key}\"", told);
        MailboxSnapshot now = await LoadAsync(await ClaimAsync(inbox.Key));
        Assert.Equal([1, 2, 3, 4], now.Messages().Select(static m => (int)m.Uid));
        // A modseq that nobody has seen: who comes with an older one hears of it.
        Assert.Equal(now.ModSeq, now.Messages().ElementAt(1).ModSeq);
        await using var unlisten = new NpgsqlCommand("unlisten *", listener);
        await unlisten.ExecuteNonQueryAsync();
    }

    [Fact]
    public async Task Usage_of_accounts_and_tenants_is_compared_and_mended()
    {
        Owned inbox = await FilledAsync(3);
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, messages, bytes) values ($1, true, 3, (select bytes from mail.account))", inbox.Tenant.Value);
        Assert.Empty(await ListAsync(Check, new()));
        await ExecuteAsync("update mail.account set messages = 1000, bytes = 0; update mail.tenant set bytes = -5");
        List<MailboxFinding> findings = await ListAsync(Check, new() { Repair = true });
        Assert.Equal([MailboxFindingKind.AccountUsage, MailboxFindingKind.TenantUsage], findings.Select(static f => f.Kind));
        Assert.StartsWith("alice@a.test: the usage is 1000 messages of 0 octets", findings[0].ToString());
        Assert.All(findings, static f => Assert.True(f.Repaired));
        Assert.Empty(await ListAsync(Check, new()));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Messages_without_their_bytes_are_reported_and_left_alone()
    {
        Owned inbox = await FilledAsync(6);
        await ExecuteAsync("""
            create temporary table b as select m.uid, e.id, e.body_id from mail.message m join mail.email e on e.id = m.email_id;
            delete from mail.email where id = (select id from b where uid = 1);
            delete from mail.body where id = (select body_id from b where uid = 2);
            delete from mail.content where body_id = (select body_id from b where uid = 3);
            delete from mail.body_chunk where body_id = (select body_id from b where uid = 4);
            update mail.body_chunk set data = data || 'x' where body_id = (select body_id from b where uid = 5);
            drop table b;
            """);
        List<MailboxFinding> findings = await ListAsync(Check, new() { Repair = true });
        Assert.Equal([1, 2, 3, 4, 5], findings.Where(static f => f.Uid is not null).Select(static f => (int)f.Uid!));
        Assert.All(findings, static f => Assert.Equal((MailboxFindingKind.Body, false), (f.Kind, f.Repaired)));
        Assert.Contains("INBOX UID 4: its body", findings[3].ToString());
        Assert.Equal(6, (await LoadAsync(inbox)).Count);
    }

    [Fact]
    public async Task Octets_that_changed_are_found_only_by_reading_them()
    {
        await FilledAsync(2);
        await ExecuteAsync("update mail.body_chunk set data = set_byte(data, 3, 1) where body_id = (select min(body_id) from mail.body_chunk)");
        Assert.Empty(await ListAsync(Check, new()));
        Assert.Equal(MailboxFindingKind.Checksum, Assert.Single(await ListAsync(Check, new() { Bodies = true })).Kind);
    }

    [Fact]
    public async Task Bodies_that_nothing_refers_to_are_given_to_the_collector()
    {
        await FilledAsync(2);
        StagedBody waiting = await StageRealAsync("not yet taken");
        await ExecuteAsync("delete from mail.email where id in (select email_id from mail.message where uid = 1); delete from mail.message_flags where uid = 1; delete from mail.message where uid = 1");
        Assert.DoesNotContain(await ListAsync(Check, new()), static f => f.Kind == MailboxFindingKind.BodyOrphaned);
        var all = new MailboxCheckOptions { BodyGrace = TimeSpan.Zero, Repair = true };
        Assert.True(Assert.Single(await ListAsync(Check, all), static f => f.Kind == MailboxFindingKind.BodyOrphaned).Repaired);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.body_marked"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.body where state = 1 and id <> $1", waiting.Body.Value));
        // Waiting for the collector, and longer than it should.
        Assert.Contains("has not removed", Assert.Single(await ListAsync(Check, all)).Text);
        Assert.Empty(await ListAsync(Check, new()));
    }

    [Fact]
    public async Task Messages_of_a_mailbox_that_does_not_exist_are_reported()
    {
        await FilledAsync(2);
        await ExecuteAsync("delete from mail.mailbox; update mail.account set messages = 0, bytes = 0");
        Assert.Equal(MailboxFindingKind.MailboxMissing, Assert.Single(await ListAsync(Check, new() { Repair = true })).Kind);
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from mail.message"));
    }

    private async Task<Owned> FilledAsync(int messages)
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        for (int i = 0; i < messages; i++)
            await DoneAsync(await AppendAsync(inbox, $"message {i}"));
        return inbox;
    }

    private async Task<CommitOperation> AppendAsync(Owned mailbox, string text)
    {
        StagedBody body = await StageRealAsync(text);
        return await AppendOfAsync(mailbox, Message(body.Body, 0, (uint)body.Size + 3));
    }

    private async Task<StagedBody> StageRealAsync(string text)
    {
        byte[] message = Encoding.ASCII.GetBytes($"Subject: test\r\n\r\n{text}\r\n");
        MailResult<StagedBody> staged = await new MessageBodies(Database.Main, Ids).StageAsync(
            new TenantId(1), PipeReader.Create(new MemoryStream(message)), 1, message.Length, long.MaxValue, default);
        Assert.True(staged.IsOk);
        return staged.Value!;
    }

    private Task<string> NumbersAsync(Owned mailbox) => ScalarAsync<string>(
        "select uidvalidity || ' ' || uidnext || ' ' || (select string_agg(uid::text, ',') from mail.message where mailbox_id = id) from mail.mailbox where id = $1", mailbox.Key.Mailbox.Value);

    private static async Task<List<MailboxFinding>> ListAsync(MailboxCheck check, MailboxCheckOptions options)
    {
        var findings = new List<MailboxFinding>();
        await foreach (MailboxFinding finding in check.RunAsync(options))
            findings.Add(finding);
        return findings;
    }
}
