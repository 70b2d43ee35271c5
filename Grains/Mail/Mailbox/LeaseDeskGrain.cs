using MailCluster.Contracts;
using Orleans.Concurrency;

namespace MailCluster.Grains;

/// <summary>A silo's <see cref="ILeaseDesk"/>. One that stands elsewhere than its name says, because that silo is gone, has nothing to renew.</summary>
[Reentrant, OnNamedSilo, GrainType("lease-desk")]
public sealed class LeaseDeskGrain(OwnedMailboxes owned, ILocalMailboxes local, ILocalSiloDetails silo) : Grain, ILeaseDesk
{
    public ValueTask<IReadOnlyList<int>> Renew(IMailboxObserver observer, IReadOnlyList<HeldVersion> held)
    {
        var ask = new List<int>();
        for (int i = 0; i < held.Count; i++)
        {
            HeldVersion version = held[i];
            if (!IsHere || !owned.TryGet(version.Mailbox, out OwnedMailbox? claim) || claim.Epoch != version.Epoch)
            {
                ask.Add(i);
                continue;
            }
            // First the lease, then the look: what is published in between is pushed, or seen here.
            claim.Renew(observer);
            if (!local.TryGet(version.Mailbox, out MailboxSnapshot? published) || published.Epoch != version.Epoch || published.ModSeq != version.ModSeq)
                ask.Add(i);
        }
        return new(ask);
    }

    public ValueTask Withdraw(MailboxKey mailbox, long epoch)
    {
        if (IsHere)
        {
            local.Withdraw(mailbox, epoch);
            local.End(mailbox, MailboxEnd.OwnerChanged);
        }
        return ValueTask.CompletedTask;
    }

    private bool IsHere => this.GetPrimaryKeyString() == silo.SiloAddress.ToParsableString();
}
