using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace MailCluster.Grains;

/// <summary>The grain's key is the address of the silo that it belongs on; any other takes it where that silo is gone.</summary>
[GenerateSerializer, Immutable, Alias("NamedSilo")]
internal sealed class NamedSilo : PlacementStrategy;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnNamedSiloAttribute() : PlacementAttribute(new NamedSilo());

internal sealed class NamedSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress wanted = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        return Task.FromResult(silos.Contains(wanted) ? wanted : silos[Random.Shared.Next(silos.Length)]);
    }
}
