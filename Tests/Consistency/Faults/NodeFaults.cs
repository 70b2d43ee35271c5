using MailCluster.Consistency.Clusters;

namespace MailCluster.Consistency.Faults;

internal sealed class KillSilo : Fault
{
    public override string Name => "kill-silo";

    public override string Help => "SIGKILL of a silo";

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        ClusterNode silo = scene.Target(scene.Cluster.Silos);
        silo.Process!.Kill();
        await scene.Cluster.UntilDeclaredDeadAsync(silo, stop);
    }
}

internal sealed class StopSilo : Fault
{
    private static readonly TimeSpan _zombie = TimeSpan.FromSeconds(20);

    public override string Name => "stop-silo";

    public override string Help => "SIGSTOP of a silo until the others have declared it dead, then SIGCONT: it must end itself";

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        ClusterNode silo = scene.Target(scene.Cluster.Silos);
        scene.DoubtBegins();
        silo.Process!.Freeze();
        try
        {
            await scene.Cluster.UntilDeclaredDeadAsync(silo, stop);
            scene.DoubtEnds();
            // Others own its mailboxes by now, and change them.
            await Task.Delay(TimeSpan.FromSeconds(2), stop);
        }
        finally
        {
            silo.Process.Thaw();
        }
        await EndsItselfAsync(scene, silo, _zombie, stop);
    }

    /// <summary>A silo that was declared dead ends its own process.</summary>
    public static async Task EndsItselfAsync(FaultScene scene, ClusterNode silo, TimeSpan patience, CancellationToken stop)
    {
        try
        {
            await silo.Process!.Exited.WaitAsync(patience, stop);
        }
        catch (TimeoutException)
        {
            scene.Broken.Add($"{silo} was declared dead and did not end itself within {patience.TotalSeconds:F0} s");
            silo.Process!.Kill();
            await silo.Process.Exited;
        }
    }
}

internal sealed class KillFrontEnd : Fault
{
    public override string Name => "kill-frontend";

    public override string Help => "SIGKILL of a front end; its clients come back through others";

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        ClusterNode front = scene.Target(scene.Cluster.FrontEnds);
        front.Process!.Kill();
        await front.Process.Exited;
        await Task.Delay(TimeSpan.FromSeconds(2), stop);
    }
}

internal sealed class RollingRestart : Fault
{
    public override string Name => "rolling-restart";

    public override string Help => "SIGTERM of every node in turn, one by one, each started again";

    public override bool NothingIsRefused => true;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        foreach (ClusterNode node in scene.Cluster.Nodes.ToArray())
        {
            scene.Hit(node);
            await TerminateAsync(scene, node, stop);
            await scene.Cluster.WholeAsync(stop);
        }
    }

    /// <summary>SIGTERM: the node hands over what it has and ends without a complaint.</summary>
    public static async Task TerminateAsync(FaultScene scene, ClusterNode node, CancellationToken stop)
    {
        var process = node.Process!;
        process.Terminate();
        try
        {
            await process.Exited.WaitAsync(TimeSpan.FromMinutes(1), stop);
            if (process.ExitCode != 0)
                scene.Broken.Add($"{node} ended with {process.ExitCode} after SIGTERM");
        }
        catch (TimeoutException)
        {
            scene.Broken.Add($"{node} did not end within a minute after SIGTERM");
            process.Kill();
            await process.Exited;
        }
    }
}

internal sealed class AddSilo : Fault
{
    public override string Name => "add-silo";

    public override string Help => "a further silo joins, and leaves again by SIGTERM";

    public override int? Seconds => 8;

    public override bool NothingIsRefused => true;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        ClusterNode silo = await scene.Cluster.AddSiloAsync(stop);
        await scene.Cluster.WholeAsync(stop);
        await Task.Delay(scene.Duration, stop);
        scene.Hit(silo);
        await RollingRestart.TerminateAsync(scene, silo, stop);
        await scene.Cluster.ForgetAsync(silo);
    }
}

internal sealed class BusyCpu : Fault
{
    public override string Name => "busy-cpu";

    public override string Help => "all processors are kept busy by other programs: nobody is declared dead";

    public override int? Seconds => 15;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        var burning = new List<System.Diagnostics.Process>();
        try
        {
            for (int i = 0; i < Environment.ProcessorCount; i++)
                burning.Add(System.Diagnostics.Process.Start("sh", ["-c", "while :; do :; done"]));
            await Task.Delay(scene.Duration, stop);
        }
        finally
        {
            foreach (System.Diagnostics.Process process in burning)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
                process.Dispose();
            }
        }
    }
}
