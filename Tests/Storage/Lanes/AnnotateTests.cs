using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Maintenance;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Commits of annotations of messages (RFC 5257), and what becomes of them when messages go, are copied or come.</summary>
public sealed class AnnotateTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private readonly Random _random = new(5);

    private MessageAnnotations Annotations => new(Database.Main);

    [Fact]
    public async Task An_operation_happens_once_and_under_its_epoch_alone()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice);
        await DoneAsync(await AppendOfAsync(inbox, 3));
        CommitOperation annotate = Annotate(inbox, Uids(1, 3, 9), [Shared("/comment", "a"), Own("/comment", "b")]);
        CommitOutcome done = await DoneAsync(annotate);
        Assert.Equal((2L + 1, Uids(1, 3)), (done.ModSeq, done.Uids));
        CommitOutcome again = await CommitAsync(Again(annotate));
        Assert.Equal((CommitStatus.DoneBefore, done.ModSeq, done.Uids), (again.Status, again.ModSeq, again.Uids));
        // What is so already changes nothing, nor does what was changed since.
        Assert.True((await DoneAsync(Annotate(inbox, Uids(1), [Shared("/comment", "a")]))).Uids.IsEmpty);
        CommitOutcome kept = await DoneAsync(Annotate(inbox, Uids(1, 2), [Shared("/comment", "c")], unchangedSince: done.ModSeq - 1));
        Assert.Equal((Uids(2), Uids(1)), (kept.Uids, kept.Modified));
        Owned later = await ClaimAsync(inbox.Key);
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(Annotate(inbox, Uids(1), [Shared("/comment", "d")]))).Status);
        Assert.Equal(CommitStatus.MailboxGone, (await CommitAsync(Annotate(inbox with { Key = new MailboxKey(alice, new MailboxId(99)) }, Uids(1), [Shared("/comment", "d")]))).Status);
        // To the version in memory it is other modseqs and nothing else; to the log a change of flags.
        MailboxSnapshot version = await LoadAsync(later);
        Assert.Equal((long[])[3, 4, 3], version.Messages().Select(static m => m.ModSeq));
        Assert.Equal(["1:a", "1:b", "2:c", "3:a", "3:b"], await TextsAsync(inbox, alice));
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from mail.change where kind = 2"));
        await CountersAreRightAsync();
        await UsageIsRightAsync();
    }

    [Fact]
    public async Task In_one_batch_with_others_each_has_its_own_outcome()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 20));
        Task<CommitOutcome>[] all =
        [
            .. Enumerable.Range(1, 10).Select(i => CommitAsync(Annotate(inbox, Uids((uint)i), [Own("/comment", $"n{i}")]))),
            .. Enumerable.Range(11, 5).Select(i => CommitAsync(StoreOf(inbox, Uids((uint)i), StoreMode.Add, SystemFlags.Seen))),
            CommitAsync(CopyOf(inbox, Uids(1, 2), work, move: false)), CommitAsync(await AppendOfAsync(work, 2)),
        ];
        CommitOutcome[] outcomes = await Task.WhenAll(all);
        Assert.All(outcomes, static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal(15, outcomes[..15].Select(static o => o.ModSeq).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, 10).Select(static i => $"{i}:n{i}"), await TextsAsync(inbox, alice));
        await UsageIsRightAsync();
    }

    /// <summary>Of a batch that would exceed an account's limit only that operation is refused which would.</summary>
    [Fact]
    public async Task What_exceeds_a_limit_is_refused_alone()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 3));
        await DoneAsync(Annotate(inbox, Uids(1), [Shared("/comment", new string('x', 292))]));
        await ExecuteAsync("update mail.account set max_annotation_bytes = 650 where account_id = $1", alice.Value);
        CommitOperation heavy = CopyOf(inbox, Uids(1), work, move: false), again = CopyOf(inbox, Uids(1), work, move: false), light = CopyOf(inbox, Uids(2, 3), work, move: false);
        Task<CommitOutcome>[] all = [CommitAsync(heavy), CommitAsync(light), CommitAsync(again), CommitAsync(ExpungeOf(work))];
        CommitOutcome[] outcomes = await Task.WhenAll(all);
        Assert.Equal([CommitStatus.Done, CommitStatus.Done, CommitStatus.OverQuota, CommitStatus.Done], outcomes.Select(static o => o.Status));
        Assert.Equal(CommitStatus.OverQuota, (await CommitAsync(Annotate(inbox, Uids(2), [Own("/comment", new string('y', 100))]))).Status);
        NewMessage annotated = Message(await StageAsync()) with { Annotations = [Own("/comment", new string('z', 100))] };
        Assert.Equal(CommitStatus.OverQuota, (await CommitAsync(await AppendOfAsync(inbox, annotated))).Status);
        Assert.Equal(AnnotateOutcome.OverQuota, await new MetadataStore(Database.Main).SetAsync(inbox.Key, alice, [new MetadataValue("/private/comment", new byte[100])], 10, 10_000));
        // What was refused has left nothing: the same body is stored where it fits.
        await DoneAsync(Annotate(inbox, Uids(1), [Shared("/comment", null)]));
        await DoneAsync(await AppendOfAsync(inbox, annotated));
        // A move inside the account adds nothing, also where there is more than there may be.
        await ExecuteAsync("update mail.account set max_annotation_bytes = 1 where account_id = $1", alice.Value);
        await DoneAsync(CopyOf(inbox, Uids(4), work, move: true));
        Assert.Equal(CommitStatus.OverQuota, (await CommitAsync(CopyOf(work, Uids(4), inbox, move: false))).Status);
        Assert.Equal(CommitStatus.TooManyAnnotations, (await CommitAsync(Annotate(inbox, Uids(2), [.. Enumerable.Range(0, 11).Select(static i => Own($"/vendor/a/{i}", "x"))]))).Status);
        await CountersAreRightAsync();
        await UsageIsRightAsync();
    }

    /// <summary>Whatever happens to messages: nobody reads another's, and each pays for what is there.</summary>
    [Fact]
    public async Task Usage_is_what_the_rows_add_up_to()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test"), carol = await AccountAsync("carol@a.test");
        Owned[] mailboxes = [await MailboxAsync(alice), await MailboxAsync(alice, "Work"), await MailboxAsync(bob)];
        foreach (Owned mailbox in mailboxes)
            await DoneAsync(await AppendOfAsync(mailbox, 10));
        for (int round = 0; round < 120; round++)
        {
            Owned here = mailboxes[_random.Next(3)], there = mailboxes[_random.Next(3)];
            AccountId who = ((AccountId[])[alice, bob, carol])[_random.Next(3)];
            uint first = (uint)_random.Next(1, 30);
            UidSet uids = UidSet.FromRanges([new UidRange(first, first + (uint)_random.Next(4))]);
            CommitOperation operation = _random.Next(8) switch
            {
                0 => RemoveOf(here, uids),
                1 or 2 => As(CopyOf(here, uids, there, move: _random.Next(2) == 0), who),
                3 => As(await AppendOfAsync(here, Message(await StageAsync()) with { Annotations = [Own("/comment", Value()), Shared("/comment", Value())] }), who),
                4 => await ReplaceOfAsync(here, first, there),
                _ => Annotate(here, uids, [Shared("/comment", Value()), Own("/altsubject", Value()), Own("/comment", _random.Next(3) == 0 ? null : Value())], who: who),
            };
            CommitOutcome outcome = await CommitAsync(operation);
            Assert.True(outcome.Status is CommitStatus.Done or CommitStatus.MessageGone, outcome.Status.ToString());
        }
        await CountersAreRightAsync();
        await UsageIsRightAsync();
        foreach (Owned mailbox in mailboxes)
        {
            foreach (AccountId who in (AccountId[])[alice, bob, carol])
            {
                IReadOnlyList<MessageAnnotation> seen = await Annotations.ListAsync(mailbox.Key, who, All, default);
                Assert.Equal(
                    await ScalarAsync<long>("select count(*) from mail.message_annotation where mailbox_id = $1 and viewer_id in (0, $2) and value is not null", mailbox.Key.Mailbox.Value, who.Value), seen.Count);
            }
        }

        string Value() => new('v', _random.Next(1, 40));
    }

    /// <summary>Nodes of a release that knows of no annotations leave some behind; so do accounts that are gone, and mailboxes.</summary>
    [Fact]
    public async Task What_belongs_to_nothing_any_more_is_swept()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 3));
        await DoneAsync(await AppendOfAsync(work, 3));
        foreach (Owned mailbox in (Owned[])[inbox, work])
        {
            await DoneAsync(Annotate(mailbox, Uids(1, 2, 3), [Shared("/comment", "shared"), Own("/comment", "alice's")]));
            await DoneAsync(Annotate(mailbox, Uids(1, 2), [Own("/comment", "bob's")], who: bob));
        }
        await ExecuteAsync("delete from mail.message where mailbox_id = $1 and uid = 2", inbox.Key.Mailbox.Value);
        await ExecuteAsync("update mail.mailbox set deleted_at = now() where id = $1", work.Key.Mailbox.Value);
        // Nobody pays for what is deleted.
        Assert.Equal((2 * (8 + 6)) + (2 * (8 + 7)) + (8 + 6) + (8 + 7), (int)await ScalarAsync<long>("select mail.annotation_bytes_v1($1)", alice.Value));
        await ExecuteAsync("delete from mail.account where account_id = $1", bob.Value);
        await new Collector(Database.Main, new CollectorOptions { Slice = 2 }, NullLogger<Collector>.Instance).PurgeDeletedAsync(default);
        Assert.Equal(["1:alice's", "1:shared", "3:alice's", "3:shared"], (await TextsAsync(inbox, alice)).Order(StringComparer.Ordinal));
        Assert.Equal(4L, await ScalarAsync<long>("select count(*) from mail.message_annotation"));
        await UsageIsRightAsync();
    }

    /// <summary>However many there are, a step reads a page of them and what that belongs to, and the next goes on behind it.</summary>
    [Fact]
    public async Task A_step_of_the_sweep_reads_no_more_than_its_page()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        foreach (Owned mailbox in (Owned[])[inbox, work])
        {
            await ExecuteAsync(
                "insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone) select $1, $2, i, i, i, 1, now(), 0 from generate_series(1, 3000) i where i <> 2500",
                alice.Value, mailbox.Key.Mailbox.Value);
            await ExecuteAsync(
                "insert into mail.message_annotation (account_id, mailbox_id, uid, viewer_id, entry, value, modseq) select $1, $2, i, 0, '/comment', 'x', 1 from generate_series(1, 3000) i",
                alice.Value, mailbox.Key.Mailbox.Value);
            await ExecuteAsync("insert into mail.annotation_usage (account_id, mailbox_id, payer_id, bytes) values ($1, $2, $1, 3000 * 9)", alice.Value, mailbox.Key.Mailbox.Value);
        }
        long[] lookedAt = [0, 0, 0];
        var steps = new List<(int Looked, int Removed, long Pages)>();
        do
            steps.Add(await StepAsync());
        while (lookedAt[0] != 0);
        Assert.InRange(steps.Max(static s => s.Pages), 100, 3000);
        Assert.InRange(steps.Sum(static s => s.Looked), 2 * 3000, (2 * 3000) + 40);
        Assert.Equal([1, 1], steps.Select(static s => s.Removed).Where(static r => r > 0));
        Assert.Equal(2 * 2999, await ScalarAsync<long>("select count(*) from mail.message_annotation"));
        await UsageIsRightAsync();

        async Task<(int, int, long)> StepAsync()
        {
            await using NpgsqlConnection connection = await Database.Main.OpenConnectionAsync();
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
            await using var sweep = new NpgsqlCommand("select coalesce(account_id, 0), coalesce(mailbox_id, 0), coalesce(uid, 0), looked, removed from mail.sweep_message_annotations_v2($1, $2, $3, 200)", connection);
            foreach (long key in lookedAt)
                sweep.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key });
            (int, int) done;
            // What the connection did before may not have been counted off yet.
            long before = await PagesAsync();
            await using (NpgsqlDataReader reader = await sweep.ExecuteReaderAsync())
            {
                Assert.True(await reader.ReadAsync());
                lookedAt = [reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)];
                done = (reader.GetInt32(3), reader.GetInt32(4));
            }
            long pages = await PagesAsync() - before;
            await transaction.CommitAsync();
            return (done.Item1, done.Item2, pages);

            async Task<long> PagesAsync()
            {
                await using var read = new NpgsqlCommand(
                    "select sum(pg_stat_get_xact_blocks_fetched(c.oid))::bigint from pg_class c where c.relnamespace = 'mail'::regnamespace and c.relkind in ('r', 'i')", connection);
                return (long)(await read.ExecuteScalarAsync())!;
            }
        }
    }

    [Fact]
    public async Task What_changed_after_a_version_is_found_also_where_it_was_taken_away()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned inbox = await MailboxAsync(alice);
        await DoneAsync(await AppendOfAsync(inbox, 2));
        await DoneAsync(Annotate(inbox, Uids(1, 2), [Shared("/comment", "a"), Own("/comment", "b")]));
        long since = (await DoneAsync(Annotate(inbox, Uids(2), [Own("/altsubject", "c")], who: bob))).ModSeq;
        CommitOutcome taken = await DoneAsync(Annotate(inbox, Uids(1), [Shared("/comment", null)]));
        CommitOutcome set = await DoneAsync(Annotate(inbox, Uids(2), [Own("/comment", "d")], who: bob));
        Assert.Equal([new ChangedAnnotation(1, "/comment", true, taken.ModSeq)], await Annotations.ChangedAsync(inbox.Key, alice, Uids(1, 2), since, default));
        Assert.Equal([new ChangedAnnotation(1, "/comment", true, taken.ModSeq), new ChangedAnnotation(2, "/comment", false, set.ModSeq)], await Annotations.ChangedAsync(inbox.Key, bob, Uids(1, 2), since, default));
        Assert.Null(await Annotations.ReadAsync(inbox.Key, bob, 1, "/comment", false, default));
        Assert.Equal("d", Encoding.UTF8.GetString((await Annotations.ReadAsync(inbox.Key, bob, 2, "/comment", false, default))!));
        Assert.Equal(["2:a", "2:c", "2:d"], (await ScanAsync(null, null)).Order(StringComparer.Ordinal));
        Assert.Equal(["2:d"], await ScanAsync("/comment", false));
        Assert.Equal(["2:a"], await ScanAsync(null, true));

        async Task<List<string>> ScanAsync(string? entry, bool? shared)
        {
            var found = new List<string>();
            await foreach (MessageAnnotation one in Annotations.ScanAsync(inbox.Key, bob, entry, shared, default))
                found.Add(Text(one));
            return found;
        }
    }

    private static AnnotationValue Shared(string entry, string? value) => new(entry, true, value is null ? null : Encoding.UTF8.GetBytes(value));

    private static AnnotationValue Own(string entry, string? value) => new(entry, false, value is null ? null : Encoding.UTF8.GetBytes(value));

    private CommitOperation Annotate(Owned mailbox, UidSet uids, AnnotationValue[] values, long? unchangedSince = null, AccountId? who = null) => new()
    {
        Kind = CommitKind.Annotate, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids, Annotations = values,
        UnchangedSince = unchangedSince, AnnotationLimits = new AnnotationLimits(10, 1024, 1 << 20), Viewer = who == mailbox.Key.Account ? null : who,
    };

    /// <summary>The same, done by another account than the mailbox's.</summary>
    private static CommitOperation As(CommitOperation o, AccountId who) => new()
    {
        Kind = o.Kind, Mailbox = o.Mailbox, Source = o.Source, Epoch = o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages, Emails = o.Emails, Uids = o.Uids,
        Viewer = who == o.Mailbox.Account ? null : who, SourceViewer = o.Source is { } source && source.Account != who ? who : null,
    };

    private async Task<List<string>> TextsAsync(Owned mailbox, AccountId viewer) => [.. (await Annotations.ListAsync(mailbox.Key, viewer, All, default)).Select(Text)];

    private static string Text(MessageAnnotation one) => $"{one.Uid}:{Encoding.UTF8.GetString(one.Value!)}";

    /// <summary>What accounts pay for is what is there, and nothing is there of messages that are not.</summary>
    private async Task UsageIsRightAsync()
    {
        Assert.Equal(0L, await ScalarAsync<long>(
            """
            select count(*) from (
                select a.account_id, a.mailbox_id, case a.viewer_id when 0 then a.account_id else a.viewer_id end as payer_id, sum(octet_length(a.entry) + octet_length(a.value)) as bytes
                from mail.message_annotation a where a.value is not null group by 1, 2, 3) s
            full join mail.annotation_usage u on (u.account_id, u.mailbox_id, u.payer_id) = (s.account_id, s.mailbox_id, s.payer_id)
            where coalesce(u.bytes, -1) <> coalesce(s.bytes, 0)
            """));
        Assert.Equal(0L, await ScalarAsync<long>(
            "select count(*) from mail.message_annotation a where not exists (select from mail.message m where (m.account_id, m.mailbox_id, m.uid) = (a.account_id, a.mailbox_id, a.uid))"));
    }
}
