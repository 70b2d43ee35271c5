using MailCluster.Contracts;
using Xunit;
using static MailCluster.Tests.Protocol.Grains.MailSilo;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>A front end's leases, renewed at the desk of the owners' silo.</summary>
public sealed class LeaseDeskTests(MailSilo silo) : IClassFixture<MailSilo>
{
    [Fact]
    public async Task Who_renewed_at_the_desk_hears_of_changes_and_who_is_behind_is_told_to_ask()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        var frontEnd = new FrontEnd();
        IMailboxObserver reference = silo.Grains.CreateObjectReference<IMailboxObserver>(frontEnd);
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync(3)));
        SyncReply known = Ok(await silo.Owner(inbox).Sync(0, 0, reference));
        ILeaseDesk desk = silo.Grains.GetGrain<ILeaseDesk>(known.Silo!);
        HeldVersion held = new(inbox, known.Epoch, known.ModSeq);

        Assert.Empty(await desk.Renew(reference, [held]));
        // Nobody has it, an older version, another's claim, a silo that is not sure to be a member.
        Assert.Equal([0, 1, 2], await desk.Renew(reference, [new(work, 1, 1), held with { ModSeq = held.ModSeq - 1 }, held with { Epoch = held.Epoch - 1 }]));
        silo.MayRead = false;
        Assert.Equal([0], await desk.Renew(reference, [held]));
        silo.MayRead = true;

        // Another front end, which the owner itself has never heard of.
        var other = new FrontEnd();
        IMailboxObserver otherReference = silo.Grains.CreateObjectReference<IMailboxObserver>(other);
        Assert.Empty(await desk.Renew(otherReference, [held]));
        Ok(await silo.Owner(inbox).Append(await silo.AppendOfAsync()));
        Assert.Equal((inbox, known.ModSeq), await frontEnd.Heard.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal((inbox, known.ModSeq), await other.Heard.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal([0], await desk.Renew(reference, [held]));
        GC.KeepAlive(frontEnd);
        GC.KeepAlive(other);
    }

    [Fact]
    public async Task The_desk_of_a_silo_that_is_gone_renews_nothing()
    {
        (MailboxKey inbox, _) = await silo.AccountAsync();
        SyncReply known = Ok(await silo.Owner(inbox).Sync(0, 0, silo.Grains.CreateObjectReference<IMailboxObserver>(new FrontEnd())));
        Assert.Equal([0], await silo.Grains.GetGrain<ILeaseDesk>("127.0.0.1:1@1").Renew(silo.Grains.CreateObjectReference<IMailboxObserver>(new FrontEnd()), [new(inbox, known.Epoch, known.ModSeq)]));
    }

    [Fact]
    public async Task What_another_silo_has_claimed_is_read_here_no_more()
    {
        (MailboxKey inbox, MailboxKey work) = await silo.AccountAsync();
        SyncReply known = Ok(await silo.Owner(inbox).Sync(0, 0, null)), other = Ok(await silo.Owner(work).Sync(0, 0, null));
        ILeaseDesk desk = silo.Grains.GetGrain<ILeaseDesk>((await silo.Store.OwnerAsync(inbox))!);
        await silo.Grains.GetGrain<ILeaseDesk>("127.0.0.1:1@1").Withdraw(inbox, known.Epoch);
        await desk.Withdraw(work, other.Epoch - 1);
        Assert.True(silo.Local.TryGet(inbox, out _) && silo.Local.TryGet(work, out _));
        await desk.Withdraw(inbox, known.Epoch);
        Assert.False(silo.Local.TryGet(inbox, out _));
    }

    private sealed class FrontEnd : IMailboxObserver
    {
        public TaskCompletionSource<(MailboxKey, long)> Heard { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Changed(MailboxKey mailbox, MailboxDelta delta)
        {
            Heard.TrySetResult((mailbox, delta.FromModSeq));
            return Task.CompletedTask;
        }

        public Task Ended(MailboxKey mailbox, MailboxEnd reason) => Task.CompletedTask;
    }
}
