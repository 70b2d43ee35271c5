using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency.Faults;

internal sealed class SlowClient : Fault
{
    public override string Name => "slow-client";

    public override string Help => "a client stops reading while its mailbox changes";

    public override int? Seconds => 10;

    public override bool NothingIsRefused => true;

    public override Task HappenAsync(FaultScene scene, CancellationToken stop) => scene.Load.SlowClientAsync(scene.Duration, stop);
}

internal sealed class ReconnectStorm : Fault
{
    private const int _clients = 500;

    public override string Name => "reconnect-storm";

    public override string Help => $"a front end is killed, and {_clients} clients come back at once";

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        var front = scene.Target(scene.Cluster.FrontEnds);
        front.Process!.Kill();
        await front.Process.Exited;
        StormFigures storm = await scene.Load.StormAsync(_clients);
        scene.Notes.Add($"{storm.In} of {storm.Sessions} came back, 99 % within {storm.P99.TotalSeconds:F1} s, all within {storm.Longest.TotalSeconds:F1} s, "
            + $"{storm.Refused} attempts refused, {storm.Dropped} dropped");
    }
}
