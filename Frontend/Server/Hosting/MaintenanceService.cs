using MailCluster.Server.Configuration;
using MailCluster.Storage.Maintenance;

namespace MailCluster.Server.Hosting;

/// <summary>Runs the collector now and then on every silo; of several at once, one works and the others pass.</summary>
internal sealed partial class MaintenanceService(Collector collector, NodeOptions options, TimeProvider time, ILogger<MaintenanceService> log) : BackgroundService
{
    private static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var seconds = TimeSpan.FromSeconds(options.Maintenance.EverySeconds);
            var often = seconds > TimeSpan.Zero;
            // Not when everybody is logging in again.
            await Task.Delay((often ? seconds : AfterStart) * (1 + Random.Shared.NextDouble()), time, stoppingToken);
            using var timer = new PeriodicTimer(often ? seconds : TimeSpan.FromMinutes(options.Maintenance.EveryMinutes), time);
            do
            {
                try
                {
                    await collector.RunAsync(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
                {
                    LogFailed(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops; the next run goes on.
        }
    }

    [LoggerMessage(LogLevel.Warning, "Maintenance failed; it is tried again at the next turn")]
    private partial void LogFailed(Exception e);
}
