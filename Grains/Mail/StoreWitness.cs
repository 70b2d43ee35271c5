using MailCluster.Contracts;
using Orleans.Placement;

namespace MailCluster.Grains;

/// <summary>One use an activation.</summary>
[RandomPlacement, GrainType("store-witness")]
public sealed class StoreWitness(ILocalMailboxes local, ILocalSiloDetails self, IClusterMembershipService members) : Grain, IStoreWitness
{
    public ValueTask<StoreSighting> Look()
    {
        DeactivateOnIdle();
        return ValueTask.FromResult(new StoreSighting(self.SiloAddress.ToParsableString(), local.MayRead));
    }

    public async ValueTask<bool> Bury(SiloAddress silo)
    {
        DeactivateOnIdle();
        // The one that asks can't reach the table, and another one may be as blind.
        return silo != self.SiloAddress && local.MayRead && await members.TryKill(silo);
    }
}
