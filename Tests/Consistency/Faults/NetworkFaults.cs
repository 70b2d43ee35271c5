using System.Diagnostics;
using MailCluster.Consistency.Clusters;

namespace MailCluster.Consistency.Faults;

internal sealed class CutSilo : Fault
{
    private static readonly TimeSpan _zombie = TimeSpan.FromSeconds(30);

    public override string Name => "cut-silo";

    public override string Help => "a silo is cut off from all other nodes, not from PostgreSQL, until it was declared dead: it must end itself";

    public override FaultNeeds Needs => FaultNeeds.Network;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        NodeNetwork network = scene.Cluster.Network!;
        ClusterNode silo = scene.Target(scene.Cluster.Silos);
        ClusterNode[] others = [.. scene.Cluster.Nodes.Where(n => n != silo)];
        scene.DoubtBegins();
        foreach (ClusterNode other in others)
            await network.CutAsync(silo.Space!, other.Space!);
        try
        {
            await scene.Cluster.UntilDeclaredDeadAsync(silo, stop);
            scene.DoubtEnds();
            await StopSilo.EndsItselfAsync(scene, silo, _zombie, stop);
        }
        finally
        {
            foreach (ClusterNode other in others)
                await network.MendAsync(silo.Space!, other.Space!);
        }
    }
}

internal sealed class CutSiloFromPostgres : Fault
{
    public override string Name => "cut-silo-postgres";

    public override string Help => "a silo is cut off from PostgreSQL, not from the other nodes";

    public override FaultNeeds Needs => FaultNeeds.Network;

    public override int? Seconds => 10;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        NodeNetwork network = scene.Cluster.Network!;
        // It may give up, or go on when PostgreSQL is back.
        ClusterNode silo = scene.Target(scene.Cluster.Silos);
        await network.CutFromPostgresAsync(silo.Space!);
        long began = Stopwatch.GetTimestamp();
        try
        {
            Task end = silo.Process!.Exited;
            Task time = Task.Delay(scene.Duration, stop);
            scene.Notes.Add(await Task.WhenAny(end, time) == end ? $"it ended itself after {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s" : "it stayed");
            await time;
        }
        finally
        {
            await network.MendToPostgresAsync(silo.Space!);
        }
    }
}

internal sealed class BadNetwork : Fault
{
    public override string Name => "bad-network";

    public override string Help => "a silo's line delays and loses what it carries (netem; where the kernel has none, it is narrow): nobody is declared dead";

    public override FaultNeeds Needs => FaultNeeds.Network;

    public override int? Seconds => 15;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        NodeNetwork network = scene.Cluster.Network!;
        // No target: its process must not end, nor a connection of its clients.
        ClusterNode silo = scene.Cluster.Silos[scene.Random.Next(scene.Cluster.Silos.Count)];
        scene.Notes.Add($"{silo}: {await network.SpoilAsync(silo.Space!)}");
        try
        {
            await Task.Delay(scene.Duration, stop);
        }
        finally
        {
            await network.RepairAsync(silo.Space!);
        }
    }
}
