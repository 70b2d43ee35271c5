using System.Diagnostics.Metrics;

namespace MailCluster.Storage;

/// <summary>What the store tells of itself: meter MailCluster.Storage.</summary>
internal static class StorageMetrics
{
    private static readonly Meter _meter = new("MailCluster.Storage");
    private static readonly Histogram<int> _batch = _meter.CreateHistogram<int>("mailcluster.commit.batch", "{operation}", "Operations committed by one statement.",
        advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });
    private static readonly Histogram<double> _time = _meter.CreateHistogram<double>("mailcluster.commit.duration", "s", "PostgreSQL's time for a batch.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });

    public static void Commit(int operations, TimeSpan elapsed)
    {
        _batch.Record(operations);
        _time.Record(elapsed.TotalSeconds);
    }

    public static void ObserveQueue(Func<int> length) =>
        _meter.CreateObservableGauge("mailcluster.commit.queue", length, "{operation}", "Operations that wait for a lane.");
}
