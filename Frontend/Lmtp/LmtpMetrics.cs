using System.Diagnostics.Metrics;

namespace MailCluster.Lmtp;

/// <summary>Meter "MailCluster.Lmtp".</summary>
internal static class LmtpMetrics
{
    private static readonly Meter Meter = new("MailCluster.Lmtp");

    public static readonly Counter<long> Deliveries =
        Meter.CreateCounter<long>("mailcluster.lmtp.deliveries", description: "Deliveries to accounts by result");

    public static readonly Histogram<double> Duration =
        Meter.CreateHistogram("mailcluster.lmtp.delivery.duration", "s", "From the end of the message to the answer of the mailbox",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

    public static readonly Counter<long> Filters =
        Meter.CreateCounter<long>("mailcluster.lmtp.filters", description: "Runs of filters by result: ok, failed");

    public static readonly Counter<long> Outgoing =
        Meter.CreateCounter<long>("mailcluster.lmtp.outgoing", description: "Messages that filters put into the outbox by kind; those of replies that were sent before included");

    public static readonly Counter<long> Messages =
        Meter.CreateCounter<long>("mailcluster.lmtp.messages", description: "Messages received, whatever became of them");

    public static readonly Counter<long> Bytes =
        Meter.CreateCounter<long>("mailcluster.lmtp.bytes", "By", "Octets of messages received");
}
