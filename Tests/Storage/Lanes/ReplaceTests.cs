using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>What <c>mail.commit_v3</c> does with REPLACE (RFC 8508), and with messages that go whatever their flags.</summary>
public sealed class ReplaceTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task In_one_mailbox_the_removal_precedes_the_addition_and_both_are_in_the_logs()
    {
        Owned drafts = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(drafts, 2, SystemFlags.Draft | SystemFlags.Deleted, ["Work"]));
        CommitOutcome replaced = await DoneAsync(await ReplaceOfAsync(drafts, 1, drafts, SystemFlags.Seen, ["later"], size: 70));
        Assert.Equal(("1", "3", replaced.ModSeq - 1, drafts.Epoch), (replaced.SourceUids.ToString(), replaced.Uids.ToString(), replaced.SourceModSeq!.Value, replaced.SourceEpoch!.Value));
        MailboxSnapshot loaded = await LoadAsync(drafts);
        Assert.Equal([2u, 3u], loaded.Messages().Select(static m => m.Uid));
        Assert.Equal((replaced.ModSeq, replaced.ModSeq, 70u, "later"), (loaded.ModSeq, loaded[1].ModSeq, loaded[1].Size, loaded[1].Keywords.Single()));
        Assert.Equal("1 {[1,3)}|3 {[1,2)}|1 {[3,4)}", await ScalarAsync<string>("select string_agg(concat_ws(' ', kind, uids), '|' order by modseq) from mail.change"));
        Assert.Equal($"1 24 {{Work}} {replaced.SourceModSeq}", await ScalarAsync<string>("select string_agg(concat_ws(' ', uid, flags, keywords, modseq), '|') from mail.expunged"));
        Assert.Equal(Uids(1), await Mailboxes.VanishedAsync(drafts.Key, 1));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Into_another_mailbox_or_account_both_modseqs_rise()
    {
        AccountId alice = await AccountAsync();
        Owned drafts = await MailboxAsync(alice), sent = await MailboxAsync(alice, "Sent"), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged) values (1, true)");
        await DoneAsync(await AppendOfAsync(drafts, 3, SystemFlags.Draft));
        long before = (await LoadAsync(drafts)).ModSeq;
        CommitOutcome[] outcomes = await BatchAsync(await ReplaceOfAsync(drafts, 2, sent, size: 40), await ReplaceOfAsync(drafts, 3, bob), await ReplaceOfAsync(drafts, 2, drafts));
        Assert.Equal([CommitStatus.Done, CommitStatus.Done, CommitStatus.MessageGone], outcomes.Select(static o => o.Status));
        Assert.Equal([before + 1, before + 2], outcomes[..2].Select(static o => o.SourceModSeq!.Value));
        Assert.Equal((1, 1, 1), ((await LoadAsync(drafts)).Count, (await LoadAsync(sent)).Count, (await LoadAsync(bob)).Count));
        Assert.Equal((before + 2, outcomes[0].ModSeq), ((await LoadAsync(drafts)).ModSeq, (await LoadAsync(sent)).ModSeq));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_message_that_is_gone_is_not_replaced_and_the_new_one_can_go_elsewhere()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await DoneAsync(await AppendOfAsync(inbox, 1));
        await DoneAsync(RemoveOf(inbox, Uids(1)));
        CommitOperation late = await ReplaceOfAsync(inbox, 1, inbox);
        foreach (CommitOperation o in new[] { late, Again(late) })
            Assert.Equal(CommitStatus.MessageGone, (await CommitAsync(o)).Status);
        await DoneAsync(await AppendOfAsync(inbox, [.. late.Messages]));
        Assert.Equal((DeleteOutcome.Done, work.Key.Mailbox), await Tree.DeleteAsync(alice, NextOperation(), MailboxPath.Of("Work")));
        Assert.Equal([CommitStatus.SourceGone, CommitStatus.MailboxGone, CommitStatus.BodyGone, CommitStatus.Fenced], (await BatchAsync(
            await ReplaceOfAsync(work, 1, inbox), await ReplaceOfAsync(inbox, 2, work), new CommitOperation
            {
                Kind = CommitKind.Replace, Mailbox = inbox.Key, Source = inbox.Key, Epoch = inbox.Epoch, Tenant = inbox.Tenant, Id = NextOperation(), Actor = Someone,
                Messages = late.Messages, Emails = await Ids.NextAsync(1), Uids = Uids(2),
            },
            Again(await ReplaceOfAsync(inbox, 2, inbox), inbox.Epoch - 1))).Select(static o => o.Status));
        Assert.Equal(1, (await LoadAsync(inbox)).Count);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Room_is_needed_for_what_is_more_than_before()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), bob = await MailboxAsync(await AccountAsync("bob@a.test"));
        await BatchAsync(await AppendOfAsync(inbox, 2), await AppendOfAsync(bob, 1));
        await ExecuteAsync("update mail.account set max_bytes = 250, max_messages = 2 where account_id = $1", alice.Value);
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, messages, bytes, max_messages, max_bytes) values (1, true, 3, 300, 3, 340)");
        CommitOperation over = await ReplaceOfAsync(inbox, 1, inbox, size: 151);
        Assert.Equal([CommitStatus.OverQuota, CommitStatus.OverQuota, CommitStatus.Done, CommitStatus.OverQuota, CommitStatus.OverQuota, CommitStatus.Done], (await BatchAsync(
            over, await ReplaceOfAsync(inbox, 1, inbox, size: 141), await ReplaceOfAsync(inbox, 1, inbox, size: 140),
            await ReplaceOfAsync(inbox, 2, inbox, size: 101), await ReplaceOfAsync(bob, 1, inbox, size: 1), await ReplaceOfAsync(inbox, 2, bob, size: 100))).Select(static o => o.Status));
        // Over a limit that was lowered: what makes it less is taken.
        await ExecuteAsync("update mail.account set max_bytes = 10, max_messages = 0");
        await ExecuteAsync("update mail.tenant set max_bytes = 10, max_messages = 1");
        Assert.Equal([CommitStatus.OverQuota, CommitStatus.Done, CommitStatus.Done], (await BatchAsync(
            await ReplaceOfAsync(inbox, 3, inbox, size: 141), await ReplaceOfAsync(inbox, 3, inbox, size: 140), await ReplaceOfAsync(bob, 2, bob, size: 9))).Select(static o => o.Status));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_retry_finds_its_own_beside_the_first_try_and_under_a_later_claim()
    {
        AccountId alice = await AccountAsync();
        Owned drafts = await MailboxAsync(alice), sent = await MailboxAsync(alice, "Sent");
        await DoneAsync(await AppendOfAsync(drafts, 3));
        CommitOperation replace = await ReplaceOfAsync(drafts, 2, sent), remove = RemoveOf(drafts, Uids(1, 2, 3, 9));
        CommitOutcome[] outcomes = await BatchAsync(replace, Again(replace), remove, Again(remove));
        Assert.Equal([CommitStatus.Done, CommitStatus.DoneBefore, CommitStatus.Done, CommitStatus.DoneBefore], outcomes.Select(static o => o.Status));
        Owned newer = await ClaimAsync(sent.Key);
        foreach (CommitOutcome again in new[] { outcomes[1], await CommitAsync(Again(replace)), await CommitAsync(Again(replace, newer.Epoch)) })
        {
            Assert.Equal((outcomes[0].Uids, outcomes[0].SourceUids, outcomes[0].ModSeq, outcomes[0].SourceModSeq, outcomes[0].SourceEpoch),
                (again.Uids, again.SourceUids, again.ModSeq, again.SourceModSeq, again.SourceEpoch));
        }
        Assert.Equal(("1,3", "1,3"), (outcomes[2].Uids.ToString(), (await CommitAsync(Again(remove))).Uids.ToString()));
        Assert.Equal((0, 1), ((await LoadAsync(drafts)).Count, (await LoadAsync(newer)).Count));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Messages_go_whatever_their_flags_and_others_stay()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 2));
        await DoneAsync(await AppendOfAsync(inbox, 2, SystemFlags.Deleted | SystemFlags.Seen));
        CommitOutcome removed = await DoneAsync(RemoveOf(inbox, Uids(2, 3, 7)));
        Assert.Equal("2:3", removed.Uids.ToString());
        Assert.Equal([1u, 4u], (await LoadAsync(inbox)).Messages().Select(static m => m.Uid));
        Assert.Equal(2L, await ScalarAsync<long>("select count(*) from mail.expunged"));
        Assert.Equal("3 {[2,4)}", await ScalarAsync<string>("select concat_ws(' ', kind, uids) from mail.change where modseq = $1", removed.ModSeq));
        CommitOutcome nothing = await DoneAsync(RemoveOf(inbox, Uids(2, 3)));
        Assert.Equal((true, removed.ModSeq), (nothing.Uids.IsEmpty, nothing.ModSeq));
        await CountersAreRightAsync();
    }
}
