using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Xunit;
using static MailCluster.Tests.Protocol.Grains.MailSilo;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>STATUS and LIST-STATUS at the owners, on a real silo and a real PostgreSQL.</summary>
public sealed class StatusTests(MailSilo silo) : IClassFixture<MailSilo>
{
    [Fact]
    public async Task What_the_owner_has_not_published_is_not_told()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3, SystemFlags.Seen)));
        Ok(await silo.Owner(work).Append(await silo.AppendOfAsync(1)));
        (MailboxSnapshot before, MailboxSnapshot other) = (await silo.CopyAsync(inbox), await silo.CopyAsync(work));

        // Committed, and nobody has told the source's owner yet.
        await silo.MoveAsync(inbox, before.Epoch, work, other.Epoch, UidSet.Single(1));
        Assert.Equal(2L, await silo.ScalarAsync<long>("select messages from mail.mailbox where account_id = $1 and id = $2", inbox.Account.Value, inbox.Mailbox.Value));
        Assert.Equal((3, before.ModSeq), Counted(Ok(await silo.Owner(inbox.Account).Status(MailboxPath.Inbox))));
        Assert.Equal((3, before.ModSeq), Counted(Ok(await silo.Owner(inbox.Account).List(withStatus: true)).Mailboxes[0].Status!));
        Assert.Equal((3, before.ModSeq), Counted(Ok(await silo.Owner(inbox).Select(readOnly: true)).Status));
        Assert.Equal(before.ModSeq, Ok(await silo.Owner(inbox).Sync(before.Epoch, before.ModSeq, null)).ModSeq);
    }

    [Fact]
    public async Task The_owner_counts_as_the_row_does()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        var random = new Random(7);
        await silo.CopyAsync(inbox);
        for (int i = 0; i < 40; i++)
        {
            Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(random.Next(1, 40), (SystemFlags)random.Next(32))));
            Ok(await silo.Owner(inbox).Store(silo.StoreOf(UidSet.FromUids([(uint)random.Next(1, 60), (uint)random.Next(1, 60)]), (StoreMode)random.Next(3), (SystemFlags)random.Next(32))));
            if (i % 10 == 9)
                Ok(await silo.Owner(inbox).Expunge(silo.ExpungeOf()));
            MailboxStatus told = Ok(await silo.Owner(inbox.Account).Status(MailboxPath.Inbox));
            Assert.Equal((await silo.Store.StatusAsync(inbox))!, told with { Recent = 0, DeletedBytes = null });
            Assert.Equal((await new AccountTreeStore(silo.Database).FindRowAsync(inbox.Account, MailboxPath.Inbox, withDeletedBytes: true))!.Info.Status!.DeletedBytes, told.DeletedBytes);
            Assert.Equal(told with { Recent = 0 }, Ok(await silo.Owner(inbox).Select(readOnly: true)).Status);
        }
    }

    [Fact]
    public async Task A_mailbox_that_nobody_has_in_memory_is_answered_from_its_row_and_stays_so()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(work).Append(await silo.AppendOfAsync(2)));
        Assert.Equal(2, Ok(await silo.Owner(work.Account).Status(MailboxPath.Of("Work"))).Messages);
        Assert.Equal((0, 2), Ok(await silo.Owner(work.Account).List(withStatus: true)).Mailboxes switch { [var a, var b] => (a.Status!.Messages, b.Status!.Messages), _ => default });
        Assert.False(silo.Local.TryGet(work, out _));
        Assert.Equal(0L, await silo.ScalarAsync<long>("select epoch from mail.mailbox where account_id = $1 and id = $2", inbox.Account.Value, inbox.Mailbox.Value));
    }

    [Fact]
    public async Task An_owner_that_ends_gives_its_claim_back()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(2)));
        Assert.Equal(1u, Ok(await silo.Owner(inbox).Select(readOnly: false)).RecentFrom);
        Assert.True(await OwnedAsync());
        await silo.Owner(inbox).End(MailboxEnd.OwnerChanged);
        await Eventually.Async("the owner still has its claim", async () => !await OwnedAsync());
        Assert.Equal((2, 0), (Ok(await silo.Owner(inbox.Account).Status(MailboxPath.Inbox)) switch { var s => (s.Messages, s.Recent) }));

        // Only its own: somebody who has claimed the mailbox meanwhile keeps it.
        MailboxClaim first = (await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1"))!, second = (await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1"))!;
        await silo.Store.ReleaseAsync(inbox, first.Epoch, 1, TestContext.Current.CancellationToken);
        Assert.True(await OwnedAsync());
        await silo.Store.ReleaseAsync(inbox, second.Epoch, 1, TestContext.Current.CancellationToken);
        Assert.False(await OwnedAsync());

        Task<bool> OwnedAsync() => silo.ScalarAsync<bool>("select owner is not null from mail.mailbox where account_id = $1 and id = $2", inbox.Account.Value, inbox.Mailbox.Value);
    }

    [Fact]
    public async Task A_name_is_found_in_memory_until_it_is_about_to_change()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        IAccountGrain account = silo.Owner(inbox.Account);
        await silo.CopyAsync(work);
        Assert.True(Found("Work", work));
        Assert.False(silo.Local.TryFind(new AccountId(inbox.Account.Value + 1), MailboxPath.Of("Work"), out _, out _));
        silo.MayRead = false;
        Assert.False(Found("Work", work));
        silo.MayRead = true;

        // What does not happen leaves the name to the rows.
        Assert.Equal(MailErrorCode.AlreadyExists, (await account.Rename(silo.NextOperation(), MailboxPath.Of("Work"), MailboxPath.Inbox)).Error?.Code);
        Assert.False(Found("Work", work));
        Assert.Equal(work.Mailbox, Ok(await account.Find(MailboxPath.Of("Work"))).Id);
        await RenewAsync(work);
        Assert.True(Found("Work", work));

        OperationId operation = silo.NextOperation();
        Ok(await account.Rename(operation, MailboxPath.Of("Work"), MailboxPath.Of("Play", "Now")));
        Ok(await account.Rename(operation, MailboxPath.Of("Work"), MailboxPath.Of("Play", "Now")));
        Assert.False(Found("Work", work) || Found("Play/Now", work));
        Assert.Equal(MailErrorCode.NonExistent, (await account.Status(MailboxPath.Of("Work"))).Error?.Code);
        Assert.Equal(work.Mailbox, Ok(await account.Find(MailboxPath.Of("Play", "Now"))).Id);
        await RenewAsync(work);
        Assert.True(Found("Play/Now", work));

        // All below the name, too.
        Ok(await account.Rename(silo.NextOperation(), MailboxPath.Of("Play"), MailboxPath.Of("Work")));
        Assert.False(Found("Play/Now", work));
        await RenewAsync(work);
        Assert.True(Found("Work/Now", work));
        Ok(await account.Delete(silo.NextOperation(), MailboxPath.Of("Work", "Now")));
        Assert.False(Found("Work/Now", work));

        await silo.CopyAsync(inbox);
        Ok(await account.Rename(silo.NextOperation(), MailboxPath.Inbox, MailboxPath.Of("Old")));
        MailboxKey now = new(inbox.Account, Ok(await account.Find(MailboxPath.Inbox)).Id);
        await silo.CopyAsync(now);
        await RenewAsync(inbox);
        Assert.True(Found("INBOX", now) && Found("Old", inbox));

        bool Found(string name, MailboxKey expected) => silo.Local.TryFind(inbox.Account, MailboxPath.Parse(name, '/'), out MailboxKey key, out _) && key == expected;
    }

    [Fact]
    public async Task Names_in_memory_are_those_of_the_rows_while_mailboxes_change_names_and_owners()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        IAccountGrain account = silo.Owner(inbox.Account);
        MailboxPath[] names = [MailboxPath.Of("Work"), MailboxPath.Of("Play")];
        MailboxKey[] mailboxes = [work, new MailboxKey(inbox.Account, Ok(await account.Create(silo.NextOperation(), names[1], [])).Id)];
        using var stop = new CancellationTokenSource();
        Task[] claims = [.. mailboxes.Select(mailbox => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await RenewAsync(mailbox);
        }))];
        // Round and round: the one takes the name that the other had a moment ago.
        for (int i = 0; i < 60; i++)
        {
            (MailboxPath from, MailboxPath to) = (names[i % 2], MailboxPath.Of("Third"));
            OperationId[] operations = [silo.NextOperation(), silo.NextOperation(), silo.NextOperation()];
            await UntilDoneAsync(() => account.Rename(operations[0], from, to));
            await UntilDoneAsync(() => account.Rename(operations[1], names[1 - (i % 2)], from));
            await UntilDoneAsync(() => account.Rename(operations[2], to, names[1 - (i % 2)]));
            Array.Reverse(mailboxes);
            for (int n = 0; n < 2; n++)
                Assert.True(!silo.Local.TryFind(inbox.Account, names[n], out MailboxKey found, out _) || found == mailboxes[n], $"round {i}: {names[n]} is {found}");
        }
        await stop.CancelAsync();
        await Task.WhenAll(claims);
    }

    [Fact]
    public async Task An_activation_without_the_claim_takes_it_from_whoever_may_have_it_before_the_name_changes()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        long other = (await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1"))!.Epoch;
        await silo.Owner(inbox).Unname();
        Assert.Equal(other + 1, await silo.ScalarAsync<long>("select epoch from mail.mailbox where account_id = $1 and id = $2", inbox.Account.Value, inbox.Mailbox.Value));
    }

    [Fact]
    public async Task A_mailbox_that_is_asked_for_again_and_again_gets_an_owner()
    {
        (_, MailboxKey work) = await silo.AccountAsync();
        MailboxPath name = MailboxPath.Of("Work");
        for (int i = 0; i < 3; i++)
            Assert.Equal(0, Ok(await silo.Owner(work.Account).Status(name)).Messages);
        await Eventually.Async("it has no owner", () => Task.FromResult(silo.Local.TryFind(work.Account, name, out _, out _)));
    }

    /// <summary>Another owner, which has the mailbox in memory.</summary>
    private async Task RenewAsync(MailboxKey mailbox)
    {
        await silo.Owner(mailbox).End(MailboxEnd.OwnerChanged);
        await silo.CopyAsync(mailbox);
    }

    private static (long, long) Counted(MailboxStatus status) => (status.Messages, status.HighestModSeq);
}
