using Npgsql;

namespace MailCluster.Consistency.Faults;

internal sealed class KillBackend : Fault
{
    public override string Name => "kill-backend";

    public override string Help => "SIGKILL of a PostgreSQL backend that commits: all its sessions end, and it recovers from its log";

    public override Task HappenAsync(FaultScene scene, CancellationToken stop) => scene.Cluster.Postgres.KillBackendAsync();
}

internal sealed class RestartPostgres : Fault
{
    public override string Name => "restart-postgres";

    public override string Help => "PostgreSQL is stopped without a checkpoint and started again (restart -m immediate)";

    public override Task HappenAsync(FaultScene scene, CancellationToken stop) => scene.Cluster.Postgres.RestartAsync();
}

internal sealed class StopPostgres : Fault
{
    public override string Name => "stop-postgres";

    public override string Help => "PostgreSQL is away for some time";

    public override int? Seconds => 20;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        await scene.Cluster.Postgres.StopAsync(immediate: true);
        try
        {
            await Task.Delay(scene.Duration, stop);
        }
        finally
        {
            await scene.Cluster.Postgres.StartAgainAsync();
        }
    }
}

internal sealed class FailOverPostgres : Fault
{
    public override string Name => "failover-postgres";

    public override string Help => "PostgreSQL loses its power; its synchronous standby is promoted, and the old server becomes the new one's standby";

    public override FaultNeeds Needs => FaultNeeds.Standby;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        await scene.Cluster.Pair!.FailOverAsync();
        await Task.Delay(TimeSpan.FromSeconds(2), stop);
        await scene.Cluster.Pair.RejoinAsync();
    }
}

internal sealed class ExhaustPool : Fault
{
    public override string Name => "exhaust-pool";

    public override string Help => "others take every connection that PostgreSQL has, also those that nodes lose meanwhile";

    public override int? Seconds => 6;

    public override async Task HappenAsync(FaultScene scene, CancellationToken stop)
    {
        var taken = new List<NpgsqlConnection>();
        try
        {
            await TakeAsync(scene, taken);
            // Half of the nodes' connections end, and others are faster.
            if (taken.Count > 0)
            {
                await using var command = new NpgsqlCommand(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'mailcluster %' and pid % 2 = 0", taken[0]);
                await command.ExecuteNonQueryAsync(stop);
                await TakeAsync(scene, taken);
            }
            await Task.Delay(scene.Duration, stop);
        }
        finally
        {
            foreach (NpgsqlConnection connection in taken)
                await connection.DisposeAsync();
        }
    }

    private static async Task TakeAsync(FaultScene scene, List<NpgsqlConnection> taken)
    {
        string connectionString = scene.Cluster.Postgres.ConnectionString() + ";Pooling=false;Timeout=5";
        while (taken.Count < 1000)
        {
            var connection = new NpgsqlConnection(connectionString);
            try
            {
                await connection.OpenAsync();
                taken.Add(connection);
            }
            catch (NpgsqlException)
            {
                await connection.DisposeAsync();
                return;
            }
        }
    }
}
