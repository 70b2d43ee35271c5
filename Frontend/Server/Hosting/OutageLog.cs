using MailCluster.Storage;

namespace MailCluster.Server.Hosting;

/// <summary>Writes why PostgreSQL can't be used (its disk is full, it is away, it takes no more connections) into the log, at most each 10 s: every command of every client may hit upon it.</summary>
internal sealed partial class OutageLog(TimeProvider time, ILogger<OutageLog> log) : IHostedService
{
    private static readonly TimeSpan _between = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _told;
    private int _since;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Outages.Noticed += Note;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Outages.Noticed -= Note;
        return Task.CompletedTask;
    }

    internal void Note(Exception e)
    {
        int before;
        lock (_lock)
        {
            if (_told is { } told && time.GetElapsedTime(told) < _between)
            {
                _since++;
                return;
            }
            (before, _since, _told) = (_since, 0, time.GetTimestamp());
        }
        Away(log, PostgresPool.Reason(e), before);
    }

    [LoggerMessage(LogLevel.Warning, "PostgreSQL can't be used: {Reason} ({Before} more times since the last of these lines)")]
    private static partial void Away(ILogger log, string reason, int before);
}
