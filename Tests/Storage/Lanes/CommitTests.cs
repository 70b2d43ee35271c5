using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>What commits do with single operations and with small batches.</summary>
public sealed class CommitTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task One_batch_appends_to_several_mailboxes_and_accounts()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work"), other = await MailboxAsync(bob);
        CommitOutcome[] outcomes = await BatchAsync(
            await AppendOfAsync(work, 3), await AppendOfAsync(inbox, 1), await AppendOfAsync(other, 2), await AppendOfAsync(work, 1, SystemFlags.Seen));
        Assert.All(outcomes, static o => Assert.Equal(CommitStatus.Done, o.Status));
        Assert.Equal(["1:3", "1", "1:2", "4"], outcomes.Select(static o => o.Uids.ToString()));
        Assert.True(outcomes[3].ModSeq > outcomes[0].ModSeq);
        Assert.Equal((4, 3), ((await Mailboxes.StatusAsync(work.Key))!.Messages, (await Mailboxes.StatusAsync(work.Key))!.Unseen));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Messages_that_share_a_message_id_share_a_thread()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        BodyId body = await StageAsync(4);
        CommitOutcome first = await DoneAsync(await AppendOfAsync(inbox, Message(body, 0, threads: [10, 11]), Message(body, 1, threads: [20])));
        Assert.NotEqual(first.Threads[0], first.Threads[1]);
        CommitOutcome second = await DoneAsync(await AppendOfAsync(inbox, Message(body, 2, threads: [30, 11]), Message(body, 3)));
        Assert.Equal(first.Threads[0], second.Threads[0]);
        MailboxSnapshot loaded = await LoadAsync(inbox);
        Assert.Equal([.. first.Threads, .. second.Threads], loaded.Messages().Select(static m => m.Thread));
    }

    [Fact]
    public async Task Messages_of_one_batch_find_each_others_threads_but_not_those_of_other_accounts()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work"), other = await MailboxAsync(bob);
        BodyId body = await StageAsync(9);
        CommitOutcome[] first = await BatchAsync(
            await AppendOfAsync(inbox, Message(body, 0, threads: [1, 2]), Message(body, 1, threads: [3, 2])), await AppendOfAsync(other, Message(body, 2, threads: [1])),
            await AppendOfAsync(work, Message(body, 3, threads: [4, 3]), Message(body, 4)));
        Assert.Single(first[0].Threads.Append(first[2].Threads[0]).Distinct());
        Assert.Equal(3, new[] { first[0].Threads[0], first[1].Threads[0], first[2].Threads[1] }.Distinct().Count());
        // None of these shares a key with another: found by one statement.
        CommitOutcome[] second = await BatchAsync(
            await AppendOfAsync(inbox, Message(body, 5, threads: [5, 4])), await AppendOfAsync(other, Message(body, 6, threads: [4, 1]), Message(body, 7)), await AppendOfAsync(work, Message(body, 8, threads: [6])));
        Assert.Equal([first[0].Threads[0], first[1].Threads[0]], second[..2].Select(static o => o.Threads[0]));
        Assert.DoesNotContain(second[2].Threads[0], first.Concat(second[..2]).SelectMany(static o => o.Threads));
        Assert.Equal(6L, await ScalarAsync<long>("select count(*) from mail.thread where account_id = $1", alice.Value));
    }

    [Fact]
    public async Task An_append_to_a_name_needs_the_mailbox_that_has_it_when_it_is_committed()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), deep = await MailboxAsync(alice, "a/b,{\"c\\");
        MailboxPath path = MailboxPath.Parse("a/b,{\"c\\", '/');
        CommitOperation before = await NamedAsync(deep, path);
        await DoneAsync(before);
        CommitOutcome[] outcomes = await BatchAsync(
            await NamedAsync(inbox, path), await NamedAsync(deep, path), await NamedAsync(inbox, MailboxPath.Inbox), await NamedAsync(deep, MailboxPath.Of("a", "b,{\"c")),
            await NamedAsync(deep, MailboxPath.Of("a/b,{\"c\\")), await AppendOfAsync(deep, 1));
        Assert.Equal([CommitStatus.Renamed, CommitStatus.Done, CommitStatus.Done, CommitStatus.Renamed, CommitStatus.Renamed, CommitStatus.Done], outcomes.Select(static o => o.Status));
        (RenameOutcome renamed, _) = await Tree.RenameAsync(alice, NextOperation(), path, MailboxPath.Of("z"), await Ids.NextAsync(1));
        Assert.Equal(RenameOutcome.Done, renamed);
        CommitOperation late = await NamedAsync(deep, path);
        Assert.Equal(CommitStatus.Renamed, (await CommitAsync(late)).Status);
        // What was done under the old name stays done; what was refused can still be done elsewhere, with its body.
        Assert.Equal(CommitStatus.DoneBefore, (await CommitAsync(Again(before))).Status);
        await DoneAsync(await NamedAsync(inbox, MailboxPath.Inbox, late));
        Assert.Equal((3, 2), ((await LoadAsync(deep)).Count, (await LoadAsync(inbox)).Count));
        await CountersAreRightAsync();

        async Task<CommitOperation> NamedAsync(Owned mailbox, MailboxPath name, CommitOperation? of = null)
        {
            CommitOperation o = of ?? await AppendOfAsync(mailbox, 1);
            return new CommitOperation
            {
                Kind = o.Kind, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages, Emails = o.Emails, Path = name,
            };
        }
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_alone_and_its_body_waits()
    {
        Owned small = await MailboxAsync(await AccountAsync()), large = await MailboxAsync(await AccountAsync("bob@b.test", tenant: 2));
        await ExecuteAsync("update mail.account set max_bytes = 250 where account_id = $1", small.Key.Account.Value);
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, max_messages) values (2, true, 2)");
        CommitOperation over = await AppendOfAsync(small, 2);
        CommitOutcome[] outcomes = await BatchAsync(
            await AppendOfAsync(small, 1), over, await AppendOfAsync(large, 1), StoreOf(large, All, StoreMode.Add, SystemFlags.Seen), await AppendOfAsync(small, 1), await AppendOfAsync(small, 1),
            await AppendOfAsync(large, 2), await AppendOfAsync(large, 1));
        Assert.Equal([CommitStatus.Done, CommitStatus.OverQuota, CommitStatus.Done, CommitStatus.Done, CommitStatus.Done, CommitStatus.OverQuota, CommitStatus.OverQuota, CommitStatus.Done],
            outcomes.Select(static o => o.Status));
        Assert.Equal(("1:2", 2), (outcomes[3].Uids.ToString(), (await LoadAsync(small)).Count));
        await CountersAreRightAsync();
        await ExecuteAsync("update mail.account set max_bytes = null");
        await DoneAsync(Again(over));
    }

    [Fact]
    public async Task An_older_epoch_is_refused_also_beside_the_newer_one_in_a_batch()
    {
        Owned old = await MailboxAsync(await AccountAsync());
        Owned now = await ClaimAsync(old.Key);
        CommitOperation[] operations = [await AppendOfAsync(old, 1), await AppendOfAsync(now, 1), StoreOf(now, All, StoreMode.Add, SystemFlags.Seen), StoreOf(old, All, StoreMode.Add, SystemFlags.Flagged)];
        Assert.Equal([CommitStatus.Fenced, CommitStatus.Done, CommitStatus.Done, CommitStatus.Fenced], (await BatchAsync(operations)).Select(static o => o.Status));
        Assert.Equal(1, (await LoadAsync(now)).Count);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_deleted_mailbox_is_gone_as_destination_and_as_source()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(work, 1));
        await DoneAsync(await AppendOfAsync(inbox, 1));
        Assert.Equal((DeleteOutcome.Done, work.Key.Mailbox), await Tree.DeleteAsync(alice, NextOperation(), MailboxPath.Of("Work")));
        CommitOutcome[] outcomes = await BatchAsync(await AppendOfAsync(work, 1), CopyOf(work, All, inbox, move: true), CopyOf(inbox, All, work, move: true), ExpungeOf(work));
        Assert.Equal([CommitStatus.MailboxGone, CommitStatus.SourceGone, CommitStatus.MailboxGone, CommitStatus.MailboxGone], outcomes.Select(static o => o.Status));
        Assert.Equal(1, (await LoadAsync(inbox)).Count);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_claim_on_a_body_is_taken_once()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        BodyId body = await StageAsync(2);
        CommitOutcome[] outcomes = await BatchAsync(
            await AppendOfAsync(inbox, Message(body, 0)), await AppendOfAsync(inbox, Message(body, 0)),
            await AppendOfAsync(inbox, Message(body, 1), Message(body, 1)), await AppendOfAsync(inbox, Message(body, 1)), await AppendOfAsync(inbox, Message(new BodyId(1))));
        Assert.Equal([CommitStatus.Done, CommitStatus.BodyGone, CommitStatus.BodyGone, CommitStatus.Done, CommitStatus.BodyGone], outcomes.Select(static o => o.Status));
        Assert.Equal(CommitStatus.BodyGone, (await CommitAsync(await AppendOfAsync(inbox, Message(body, 0)))).Status);
        Assert.Equal(2, (await LoadAsync(inbox)).Count);
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.body_staged"));
    }

    [Fact]
    public async Task A_redelivery_is_recognised_in_the_same_batch_and_later()
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@a.test");
        Owned inbox = await MailboxAsync(alice), other = await MailboxAsync(bob);
        var hash = Guid.NewGuid();
        async Task<CommitOperation> DeliverAsync(Owned to)
        {
            CommitOperation o = await AppendOfAsync(to, 1);
            return new CommitOperation
            {
                Kind = o.Kind, Mailbox = o.Mailbox, Epoch = o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages, Emails = o.Emails, Delivery = hash,
            };
        }

        CommitOutcome[] outcomes = await BatchAsync(await DeliverAsync(inbox), await DeliverAsync(inbox), await DeliverAsync(other));
        Assert.Equal([CommitStatus.Done, CommitStatus.DeliveredBefore, CommitStatus.Done], outcomes.Select(static o => o.Status));
        CommitOperation later = await DeliverAsync(inbox);
        Assert.Equal(CommitStatus.DeliveredBefore, (await CommitAsync(later)).Status);
        Assert.Equal(CommitStatus.DeliveredBefore, (await CommitAsync(Again(later))).Status);
        Assert.Equal(1, (await LoadAsync(inbox)).Count);
    }

    [Fact]
    public async Task An_operation_id_names_one_change_whenever_it_comes_again()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        CommitOperation append = await AppendOfAsync(inbox, 2, SystemFlags.Deleted);
        CommitOutcome[] twins = await BatchAsync(append, Again(append));
        Assert.Equal([CommitStatus.Done, CommitStatus.DoneBefore], twins.Select(static o => o.Status));
        Assert.Equal((twins[0].Uids, twins[0].ModSeq), (twins[1].Uids, twins[1].ModSeq));

        CommitOperation move = CopyOf(inbox, All, work, move: true);
        CommitOutcome moved = await DoneAsync(move);
        Assert.NotNull(moved.SourceEpoch);
        Owned newer = await ClaimAsync(work.Key);
        foreach (CommitOutcome again in new[] { await CommitAsync(Again(move)), await CommitAsync(Again(move, newer.Epoch)) })
        {
            Assert.Equal((CommitStatus.DoneBefore, moved.Uids, moved.SourceUids, moved.ModSeq, moved.SourceModSeq, moved.SourceEpoch),
                (again.Status, again.Uids, again.SourceUids, again.ModSeq, again.SourceModSeq, again.SourceEpoch));
        }
        CommitOperation expunge = ExpungeOf(newer);
        CommitOutcome[] expunged = await BatchAsync(expunge, Again(expunge));
        Assert.Equal((CommitStatus.DoneBefore, "1:2"), (expunged[1].Status, expunged[1].Uids.ToString()));
        Assert.Equal(expunged[0].ModSeq, expunged[1].ModSeq);
        Assert.Equal(0, (await LoadAsync(newer)).Count);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task The_same_operation_in_many_batches_at_once_happens_once()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        for (int round = 0; round < 5; round++)
        {
            CommitOperation append = await AppendOfAsync(inbox, 1);
            CommitOutcome[][] outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => BatchAsync(Again(append)))));
            Assert.Single(outcomes, static o => o[0].Status == CommitStatus.Done);
            Assert.Equal(5, outcomes.Count(static o => o[0].Status == CommitStatus.DoneBefore));
            Assert.Single(outcomes.Select(static o => (o[0].Uids.ToString(), o[0].ModSeq)).Distinct());
        }
        Assert.Equal(5, (await LoadAsync(inbox)).Count);
    }

    [Fact]
    public async Task Moves_in_both_directions_in_one_batch()
    {
        AccountId alice = await AccountAsync();
        Owned a = await MailboxAsync(alice), b = await MailboxAsync(await AccountAsync("bob@a.test"));
        await BatchAsync(await AppendOfAsync(a, 2, SystemFlags.Seen, ["Work"]), await AppendOfAsync(b, 1, SystemFlags.Deleted));
        CommitOutcome[] outcomes = await BatchAsync(CopyOf(a, Uids(1, 2), b, move: true), CopyOf(b, Uids(1, 2), a, move: true));
        Assert.Equal(["2:3", "3:4"], outcomes.Select(static o => o.Uids.ToString()));
        Assert.Equal("1:2", outcomes[1].SourceUids.ToString());
        Assert.Equal((2, 1), ((await LoadAsync(a)).Count, (await LoadAsync(b)).Count));
        Assert.Equal(["Work"], (await LoadAsync(a))[1].Keywords);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Keywords_go_by_name_between_mailboxes_and_keep_the_case_that_the_destination_knows()
    {
        AccountId alice = await AccountAsync();
        Owned a = await MailboxAsync(alice), b = await MailboxAsync(alice, "B");
        await DoneAsync(await AppendOfAsync(b, 1, keywords: ["Other", "WORK"]));
        await DoneAsync(await AppendOfAsync(a, 1, keywords: ["later", "work"]));
        CommitOutcome copied = await DoneAsync(CopyOf(a, All, b, move: false));
        Assert.Equal(["later", "WORK"], copied.Added[0].Flags.Keywords);
        Assert.Equal(["later", "WORK"], (await LoadAsync(b))[1].Keywords);
        CommitOutcome within = await DoneAsync(CopyOf(b, Uids(2), b, move: true));
        Assert.Equal((within.ModSeq - 1, "2", "3"), (within.SourceModSeq!.Value, within.SourceUids.ToString(), within.Uids.ToString()));
        Assert.Equal(["later", "WORK"], (await LoadAsync(b))[1].Keywords);
    }

    [Fact]
    public async Task A_mailbox_has_so_many_keywords_and_unused_ones_make_room()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 1));
        string[] most = [.. Enumerable.Range(0, KeywordTable.MaxKeywords).Select(static i => $"k{i}")];
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Replace, SystemFlags.None, most));
        Assert.Equal(CommitStatus.TooManyKeywords, (await CommitAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.None, ["more"]))).Status);
        Assert.Equal(CommitStatus.TooManyKeywords, (await CommitAsync(await AppendOfAsync(inbox, 1, keywords: ["more"]))).Status);
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Remove, SystemFlags.None, ["K1", "k2"]));
        // Both need room that only one of the numbers in use by the batch itself could give.
        CommitOutcome[] outcomes = await BatchAsync(await AppendOfAsync(inbox, 1, keywords: ["new1"]), await AppendOfAsync(inbox, 1, keywords: ["new2"]), await AppendOfAsync(inbox, 1, keywords: ["new3"]));
        Assert.Equal([CommitStatus.Done, CommitStatus.Done, CommitStatus.TooManyKeywords], outcomes.Select(static o => o.Status));
        MailboxSnapshot loaded = await LoadAsync(inbox);
        Assert.Equal(["new1"], loaded[1].Keywords);
        Assert.Equal(["new2"], loaded[2].Keywords);
        Assert.Equal(KeywordTable.MaxKeywords - 2, loaded[0].Keywords.Count);
    }

    [Fact]
    public async Task Many_keywords_of_one_operation_get_their_numbers_together_and_unused_ones_make_room()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 1, keywords: Names("k", 990)));
        string[] more = [.. Names("m", 20), "M3", "K7"];
        Assert.Equal(CommitStatus.TooManyKeywords, (await CommitAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.None, more))).Status);
        Assert.Equal(CommitStatus.TooManyKeywords, (await CommitAsync(StoreOf(inbox, Uids(1), StoreMode.Replace, SystemFlags.None, Names("n", 1001)))).Status);
        Assert.Equal(990, (await LoadAsync(inbox))[0].Keywords.Count);
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Remove, SystemFlags.None, Names("k", 980)));
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.None, more));
        Assert.Equal(
            Names("k", 990)[980..].Concat(Names("m", 20)).Append("k7").Order(StringComparer.OrdinalIgnoreCase), (await LoadAsync(inbox))[0].Keywords, StringComparer.OrdinalIgnoreCase);
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Replace, SystemFlags.None));
        await DoneAsync(StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.None, Names("x", 1000)));

        static string[] Names(string first, int count) => [.. Enumerable.Range(0, count).Select(i => $"{first}{i}")];
    }

    [Fact]
    public async Task The_logs_have_a_row_an_operation_and_the_expunged_messages()
    {
        AccountId alice = await AccountAsync();
        Owned a = await MailboxAsync(alice), b = await MailboxAsync(alice, "B");
        await DoneAsync(await AppendOfAsync(a, 3, SystemFlags.None, ["Work"]));
        await DoneAsync(StoreOf(a, Uids(1, 3), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(StoreOf(a, Uids(1, 3), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(a, Uids(1, 2)));
        await DoneAsync(CopyOf(a, Uids(3), b, move: true));
        Assert.Equal("1 {[1,4)} alice@a.test session-1 192.0.2.1|2 {[1,2),[3,4)} alice@a.test session-1 192.0.2.1|3 {[1,2)} alice@a.test session-1 192.0.2.1|6 {[3,4)} alice@a.test session-1 192.0.2.1",
            await ScalarAsync<string>("select string_agg(concat_ws(' ', kind, uids, actor, session, address), '|' order by modseq) from mail.change where mailbox_id = $1", a.Key.Mailbox.Value));
        Assert.Equal("5 {[1,2)}", await ScalarAsync<string>("select string_agg(concat_ws(' ', kind, uids), '|') from mail.change where mailbox_id = $1", b.Key.Mailbox.Value));
        Assert.Equal("1 8 {Work}", await ScalarAsync<string>("select string_agg(concat_ws(' ', uid, flags, keywords), '|') from mail.expunged"));
        // Each of the five can be asked for, also the one that changed nothing.
        Assert.Equal(5L, await ScalarAsync<long>("select count(*) from mail.operation where mailboxes is null"));
        Assert.Equal(UidSet.FromUids([1, 3]), await Mailboxes.VanishedAsync(a.Key, 1));
        Assert.Equal(UidSet.FromUids([3]), await Mailboxes.VanishedAsync(a.Key, (await LoadAsync(a)).ModSeq - 1));
        await ExecuteAsync("update mail.mailbox set vanished_floor = 3 where id = $1", a.Key.Mailbox.Value);
        Assert.Equal(UidSet.FromUids([1, 2, 3]).Except(UidSet.FromUids([2])), await Mailboxes.VanishedAsync(a.Key, 2));
        // A mailbox that is deleted has no log to answer from.
        await ExecuteAsync("update mail.mailbox set deleted_at = now() where id = $1", a.Key.Mailbox.Value);
        Assert.Null(await Mailboxes.VanishedAsync(a.Key, 1));
    }

    [Fact]
    public async Task A_commit_that_fails_at_its_end_is_not_reported_as_done()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await ExecuteAsync(
            """
            create function fail() returns trigger language plpgsql as $$ begin raise exception 'at commit'; end $$;
            create constraint trigger late after insert on mail.message deferrable initially deferred for each row execute function fail();
            """);
        await Assert.ThrowsAsync<PostgresException>(() => CommitAsyncOf(inbox));
        Assert.Equal(0, (await LoadAsync(inbox)).Count);

        async Task<CommitOutcome> CommitAsyncOf(Owned mailbox) => await CommitAsync(await AppendOfAsync(mailbox, 1));
    }

    [Fact]
    public async Task An_operation_that_PostgreSQL_cannot_take_fails_alone()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 1));
        List<CommitOperation> operations = [];
        for (int i = 0; i < 20; i++)
            operations.Add(i == 13 ? StoreOf(inbox, All, StoreMode.Add, SystemFlags.None, ["a\0b"]) : await AppendOfAsync(inbox, 1));
        operations.Add(new CommitOperation
        {
            Kind = CommitKind.Expunge, Mailbox = inbox.Key, Epoch = inbox.Epoch, Tenant = inbox.Tenant, Id = NextOperation(), Actor = new Actor("half a \ud83d pair", "s", null),
        });
        Task<CommitOutcome>[] all = [.. operations.Select(CommitAsync)];
        for (int i = 0; i < all.Length; i++)
        {
            if (i == 13)
                await Assert.ThrowsAsync<PostgresException>(() => all[13]);
            else
                Assert.Equal(CommitStatus.Done, (await all[i]).Status);
        }
        Assert.Equal(20, (await LoadAsync(inbox)).Count);
        await CountersAreRightAsync();
    }
}
