using System.Diagnostics;
using MailCluster.Consistency.Clusters;

namespace MailCluster.Consistency.Faults;

[Flags]
internal enum FaultNeeds
{
    None = 0,

    /// <summary>PostgreSQL has a synchronous standby.</summary>
    Standby = 1,

    /// <summary>Nodes live in network namespaces.</summary>
    Network = 2,
}

/// <summary>Something that can happen to a cluster.</summary>
internal abstract class Fault
{
    /// <summary>As it is called in --faults.</summary>
    public abstract string Name { get; }

    /// <summary>One line for --help.</summary>
    public abstract string Help { get; }

    /// <summary>Seconds that it lasts where nothing else is asked for; null where it lasts as long as it takes.</summary>
    public virtual int? Seconds => null;

    public virtual FaultNeeds Needs => FaultNeeds.None;

    /// <summary>Part of the mix when none was named.</summary>
    public virtual bool ByDefault => true;

    /// <summary>Whether commands get an answer other than UNAVAILABLE all through it.</summary>
    public virtual bool NothingIsRefused => false;

    /// <summary>
    /// Lets it happen and ends it; afterwards nodes may be down, which are then started again. It names in <see cref="FaultScene.Targets"/> the nodes whose
    /// processes and connections may end by it, before they do.
    /// </summary>
    public abstract Task HappenAsync(FaultScene scene, CancellationToken stop);
}

/// <summary>Where a fault happens.</summary>
/// <param name="Random">Chooses targets; from the run's seed.</param>
/// <param name="Seconds">How long it lasts, where <see cref="Fault.Seconds"/> is not null.</param>
internal sealed record FaultScene(OwnCluster Cluster, Random Random, int Seconds, ILoad Load)
{
    public List<ClusterNode> Targets { get; } = [];

    /// <summary>Broken promises that only the fault itself can see.</summary>
    public List<string> Broken { get; } = [];

    /// <summary>Figures that only the fault itself has.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>When an owner was frozen or cut off, and a second after it was declared dead: till then it may answer reads from its memory. Ticks; null: not (yet).</summary>
    public (long From, long? To)? Doubtful { get; private set; }

    public TimeSpan Duration => TimeSpan.FromSeconds(Seconds);

    public ClusterNode Target(IReadOnlyList<ClusterNode> among)
    {
        ClusterNode node = among[Random.Next(among.Count)];
        Hit(node);
        return node;
    }

    /// <summary>An owner is about to be frozen or cut off.</summary>
    public void DoubtBegins() => Doubtful = (Stopwatch.GetTimestamp(), null);

    /// <summary>It was declared dead just now.</summary>
    public void DoubtEnds() => Doubtful = (Doubtful!.Value.From, Stopwatch.GetTimestamp() + Stopwatch.Frequency);

    public void Hit(ClusterNode node)
    {
        node.MayEnd = true;
        Targets.Add(node);
    }
}
