using MailCluster.Contracts;
using Orleans.Placement;

namespace MailCluster.Grains;

/// <summary>One use an activation.</summary>
[RandomPlacement, GrainType("store-witness")]
public sealed class StoreWitness(ILocalMailboxes local, ILocalSiloDetails silo) : Grain, IStoreWitness
{
    public ValueTask<StoreSighting> Look()
    {
        DeactivateOnIdle();
        return ValueTask.FromResult(new StoreSighting(silo.SiloAddress.ToParsableString(), local.MayRead));
    }
}
