using System.Diagnostics.Metrics;

namespace MailCluster.Grains;

/// <summary>What owners tell of themselves: meter MailCluster.Grains.</summary>
internal static class GrainMetrics
{
    private static readonly Meter _meter = new("MailCluster.Grains");

    public static readonly Counter<long> Claims =
        _meter.CreateCounter<long>("mailcluster.mailbox.claims", description: "Mailboxes that this silo has made its own");

    public static readonly Counter<long> Loads =
        _meter.CreateCounter<long>("mailcluster.mailbox.loads", description: "Mailboxes whose messages were read into memory");
}
