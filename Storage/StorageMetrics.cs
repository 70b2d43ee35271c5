using System.Diagnostics.Metrics;

namespace MailCluster.Storage;

/// <summary>What the store tells of itself: meter MailCluster.Storage.</summary>
internal static class StorageMetrics
{
    private static readonly Meter _meter = new("MailCluster.Storage");
    private static readonly Histogram<int> _batch = _meter.CreateHistogram<int>("mailcluster.commit.batch", "{operation}", "Operations committed by one statement.");
    private static readonly Histogram<double> _time = _meter.CreateHistogram<double>("mailcluster.commit.duration", "s", "PostgreSQL's time for a batch.");

    public static void Commit(int operations, TimeSpan elapsed)
    {
        _batch.Record(operations);
        _time.Record(elapsed.TotalSeconds);
    }

    public static void ObserveQueue(Func<int> length) =>
        _meter.CreateObservableGauge("mailcluster.commit.queue", length, "{operation}", "Operations that wait for a lane.");
}
