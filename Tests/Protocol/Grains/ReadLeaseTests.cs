using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;
using static MailCluster.Tests.Protocol.Grains.MailSilo;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>Owners on a silo that is not sure to be a member any more, or that another has taken over from without their knowing.</summary>
public sealed class ReadLeaseTests(MailSilo silo) : IClassFixture<MailSilo>
{
    [Fact]
    public async Task Without_the_lease_nothing_is_answered_from_memory_and_with_it_all_is_as_before()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        SyncReply reply = Ok(await silo.Owner(inbox).Sync(0, 0, null));
        silo.MayRead = false;
        try
        {
            Assert.False(silo.Local.TryGet(inbox, out _));
            Assert.Equal(MailErrorCode.Unavailable, (await silo.Owner(inbox).Sync(reply.Epoch, reply.ModSeq, null)).Error?.Code);
            Assert.Equal(MailErrorCode.Unavailable, (await silo.Owner(inbox).GetChunks(reply.Epoch, reply.ModSeq, 0, 1)).Error?.Code);
            Assert.Equal(MailErrorCode.Unavailable, (await silo.Owner(inbox).Select(readOnly: false)).Error?.Code);
            Assert.Equal(MailErrorCode.Unavailable, (await silo.Owner(inbox).ClaimRecent(3)).Error?.Code);
            // What PostgreSQL decides goes on.
            Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        }
        finally
        {
            silo.MayRead = true;
        }
        SyncReply after = Ok(await silo.Owner(inbox).Sync(reply.Epoch, reply.ModSeq, null));
        Assert.Equal((reply.Epoch, 1), (after.Epoch, after.Deltas.Count));
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task An_owner_whose_version_was_withdrawn_answers_nothing_more_and_the_next_one_does()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        SyncReply reply = Ok(await silo.Owner(inbox).Sync(0, 0, null));
        silo.Local.Withdraw(inbox, reply.Epoch);
        Assert.Equal(MailErrorCode.StaleEpoch, (await silo.Owner(inbox).Sync(reply.Epoch, reply.ModSeq, null)).Error?.Code);
        Assert.True((await UntilDoneAsync(() => silo.Owner(inbox).Sync(reply.Epoch, reply.ModSeq, null))).Epoch > reply.Epoch);
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task A_change_that_nobody_told_the_owner_of_is_shown_all_the_same()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        SyncReply before = Ok(await silo.Owner(inbox).Sync(0, 0, null));
        // A move whose mover died after its commit: the rows have it, and no call came.
        long destination = (await silo.Store.ClaimAsync(work, "127.0.0.1:1@1"))!.Epoch;
        await silo.MoveAsync(inbox, before.Epoch, work, destination, UidSet.Single(2));
        Assert.True(silo.Local.TryGet(inbox, out MailboxSnapshot? stale) && stale.TryFind(2, out _));

        await silo.Versions.LookAsync(all: true);
        await Eventually.Async("the source still shows what was moved away", async () =>
            (await silo.Owner(inbox).Sync(before.Epoch, before.ModSeq, null)).Value is { } reply && reply.ModSeq > before.ModSeq);
        MailboxSnapshot after = await silo.CopyAsync(inbox);
        Assert.Equal([1u, 3u], after.Messages().Select(static m => m.Uid));
        await silo.MemoryIsRightAsync(inbox);
    }

    [Fact]
    public async Task A_claim_that_the_owner_has_not_heard_of_takes_its_version_away_and_its_own_commits_do_not()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        SyncReply before = Ok(await silo.Owner(inbox).Sync(0, 0, null));
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        await silo.Versions.LookAsync(all: true);
        Assert.Equal(before.Epoch, Ok(await silo.Owner(inbox).Sync(before.Epoch, before.ModSeq, null)).Epoch);

        await silo.Store.ClaimAsync(inbox, "127.0.0.1:1@1");
        await silo.Versions.LookAsync(all: true);
        Assert.False(silo.Local.TryGet(inbox, out _));
        Assert.Equal(MailErrorCode.StaleEpoch, (await silo.Owner(inbox).Sync(before.Epoch, before.ModSeq, null)).Error?.Code);
    }
}
