using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

/// <summary>What was expunged comes back once, whole, under numbers that nobody has seen, and never over a quota.</summary>
public sealed class ExpungedMessagesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private ExpungedMessages Expunged => new(Database.Main);

    [Fact]
    public async Task Messages_come_back_under_new_UIDs_with_flags_and_keywords_and_only_once()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 2, SystemFlags.Seen | SystemFlags.Flagged, ["Work", "$Label1"]));
        await DoneAsync(await AppendOfAsync(inbox, 2));
        long[] emails = [.. (await LoadAsync(inbox)).Messages().Select(static m => m.Email.Value)];
        await DoneAsync(StoreOf(inbox, Uids(1, 2, 3), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(inbox));
        MailboxSnapshot before = await LoadAsync(inbox);

        Restored restored = (await Expunged.RestoreAsync(inbox.Key, Of(inbox))).Value!;
        Assert.Equal((3L, 300L, Uids(5, 6, 7), null), (restored.Messages, restored.Bytes, restored.Uids, restored.Rest));
        // The owner of before is refused, since it does not know of them.
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(StoreOf(inbox, Uids(4), StoreMode.Add, SystemFlags.Seen))).Status);
        Owned again = await ClaimAsync(inbox.Key);
        MailboxSnapshot now = await LoadAsync(again);
        Assert.Equal(before.ModSeq + 1, now.ModSeq);
        Assert.Equal([4, 5, 6, 7], now.Messages().Select(static m => (int)m.Uid));
        Assert.Equal([emails[3], emails[0], emails[1], emails[2]], now.Messages().Select(static m => m.Email.Value));
        Assert.Equal([SystemFlags.None, SystemFlags.Seen | SystemFlags.Flagged, SystemFlags.Seen | SystemFlags.Flagged, SystemFlags.None], now.Messages().Select(static m => m.Flags.System));
        Assert.Equal(["$Label1", "Work"], now.Messages().ElementAt(1).Flags.Keywords.Order(StringComparer.Ordinal));
        await CountersAreRightAsync();

        Assert.Equal(0, (await Expunged.RestoreAsync(inbox.Key, Of(inbox))).Value!.Messages);
        await DoneAsync(StoreOf(again, Uids(5), StoreMode.Add, SystemFlags.Deleted));
        await DoneAsync(ExpungeOf(again));
        Assert.Equal(Uids(8), (await Expunged.RestoreAsync(inbox.Key, Of(inbox))).Value!.Uids);
    }

    [Fact]
    public async Task Only_those_that_are_meant_come_back_and_wherever_they_are_wanted()
    {
        AccountId account = await AccountAsync();
        Owned inbox = await MailboxAsync(account), other = await MailboxAsync(account, "Other");
        await DoneAsync(await AppendOfAsync(inbox, 6));
        await DoneAsync(RemoveOf(inbox, Uids(1, 2, 3, 4)));
        await ExecuteAsync("update mail.expunged set at = now() - interval '1 hour' where uid <= 2");
        DateTimeOffset past = DateTimeOffset.UtcNow.AddMinutes(-30);
        Assert.Equal([3, 4], (await Expunged.ListAsync(account, Of(inbox) with { Since = past }, null, 10)).Select(static m => (int)m.Uid));
        Assert.Equal([2], (await Expunged.ListAsync(account, Of(inbox) with { Until = past }, (inbox.Key.Mailbox, 1), 1)).Select(static m => (int)m.Uid));
        ExpungedMailbox kept = Assert.Single(await Expunged.MailboxesAsync(account));
        Assert.Equal((inbox.Key.Mailbox, "INBOX", true, 4L, 400L), (kept.Id, $"{kept.Path}", kept.Exists, kept.Messages, kept.Bytes));

        Assert.Equal(1, (await Expunged.RestoreAsync(other.Key, Of(inbox) with { Until = past, Uids = Uids(2, 3) })).Value!.Messages);
        Assert.Equal(2, (await Expunged.RestoreAsync(other.Key, Of(inbox) with { Since = past })).Value!.Messages);
        Assert.Equal([1], (await Expunged.ListAsync(account, Of(inbox), null, 10)).Select(static m => (int)m.Uid));
        Assert.Equal(3, (await LoadAsync(await ClaimAsync(other.Key))).Count);
        Assert.Equal(2, (await LoadAsync(inbox)).Count);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task A_deleted_mailbox_is_found_by_its_name_and_made_again()
    {
        AccountId account = await AccountAsync();
        Owned first = await MailboxAsync(account, "Work/2026");
        await DoneAsync(await AppendOfAsync(first, 3, keywords: ["Work"]));
        await Tree.DeleteAsync(account, NextOperation(), MailboxPath.Parse("Work/2026", '/'));
        Owned second = await MailboxAsync(account, "Work/2026");
        await DoneAsync(await AppendOfAsync(second, 1));
        await Tree.DeleteAsync(account, NextOperation(), MailboxPath.Parse("Work/2026", '/'));
        await ExecuteAsync($"insert into directory.tenant (id, name) values (1, 'a'); insert into directory.account (id, tenant_id, user_name) values ({account}, 1, 'alice@a.test')");
        await Expunged.GatherAsync(account);
        await Expunged.GatherAsync(account);

        IReadOnlyList<OnceMailbox> found = await EverAsync(account, "Work/2026");
        Assert.Equal([(second.Key.Mailbox, "Work/2026", false), (first.Key.Mailbox, "Work/2026", false)], found.Select(static m => (m.Id, $"{m.Path}", m.Exists)));
        Assert.Equal([found[1]], await EverAsync(account, $"{first.Key.Mailbox}"));
        Assert.True(Assert.Single(await EverAsync(account, "Work")).Exists);
        Assert.Equal(MailErrorCode.NonExistent, (await MailboxLookup.EverAsync(Database.Main, account, "2026")).Error!.Code);
        // As a release before left it.
        await ExecuteAsync("delete from mail.mailbox_gone where mailbox_id = $1", first.Key.Mailbox.Value);
        Assert.Equal([new(first.Key.Mailbox, null, false)], await EverAsync(account, $"{first.Key.Mailbox}"));
        MailboxKey made = await Expunged.RecreateAsync(account, found[0].Path!, await Ids.NextAsync(2));
        Assert.Equal(made, await Expunged.RecreateAsync(account, found[0].Path!, await Ids.NextAsync(2)));
        Assert.Equal(4, (await Expunged.RestoreAsync(made, new ExpungedFilter([.. found.Select(static m => m.Id)], null, null, null))).Value!.Messages);
        MailboxSnapshot now = await LoadAsync(await ClaimAsync(made));
        Assert.Equal([true, true, true, false], now.Messages().Select(static m => m.Flags.Keywords.Contains("Work")));
        Assert.True((await Tree.FindAsync(account, found[0].Path!))!.Status!.UidValidity > 1);
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData("update mail.account set max_messages = 3")]
    [InlineData("update mail.account set max_bytes = 399")]
    [InlineData("insert into mail.tenant (tenant_id, charged, messages, bytes, max_messages) values (1, true, 2, 200, 3)")]
    public async Task What_does_not_fit_into_a_quota_stays_restorable(string quota)
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(inbox, 4));
        await DoneAsync(RemoveOf(inbox, Uids(1, 2)));
        await ExecuteAsync(quota);
        Assert.Equal(MailErrorCode.OverQuota, (await Expunged.RestoreAsync(inbox.Key, Of(inbox))).Error!.Code);
        Assert.Equal(1, (await Expunged.RestoreAsync(inbox.Key, Of(inbox) with { Uids = Uids(2) })).Value!.Messages);
        Assert.Equal([1], (await Expunged.ListAsync(inbox.Key.Account, Of(inbox), null, 10)).Select(static m => (int)m.Uid));
        await CountersAreRightAsync();
        await DoneAsync(StoreOf(await ClaimAsync(inbox.Key), All, StoreMode.Add, SystemFlags.Seen));
    }

    [Fact]
    public async Task Names_of_deleted_mailboxes_are_forgotten_with_their_messages()
    {
        AccountId account = await AccountAsync();
        Owned mailbox = await MailboxAsync(account, "Old");
        await DoneAsync(await AppendOfAsync(mailbox, 1));
        await Tree.DeleteAsync(account, NextOperation(), MailboxPath.Parse("Old", '/'));
        await Expunged.GatherAsync(account);
        await ExecuteAsync("select mail.forget_mailboxes_v1(current_date, 10)");
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.mailbox_gone"));
        Assert.Equal(1, await ScalarAsync<int>("select mail.forget_mailboxes_v1(current_date + 2, 10)"));
        ExpungedMailbox left = Assert.Single(await Expunged.MailboxesAsync(account));
        Assert.Equal((null, false, 1L), (left.Path, left.Exists, left.Messages));
    }

    private async Task<IReadOnlyList<OnceMailbox>> EverAsync(AccountId account, string name) => (await MailboxLookup.EverAsync(Database.Main, account, name)).Value!;

    private static ExpungedFilter Of(Owned mailbox) => new([mailbox.Key.Mailbox], null, null, null);
}
