using System.Diagnostics.Metrics;

namespace MailCluster.Cluster;

/// <summary>Meter "MailCluster.Cluster".</summary>
internal static class ClusterMetrics
{
    public const string MeterName = "MailCluster.Cluster";

    private static readonly Meter Meter = new(MeterName);

    public static readonly Counter<long> Retries =
        Meter.CreateCounter<long>("mailcluster.cluster.retries", description: "Calls to owners that had to be tried again");

    public static readonly Counter<long> Logins =
        Meter.CreateCounter<long>("mailcluster.logins", description: "Log-ins by protocol and result");

    public static readonly Counter<long> Syncs =
        Meter.CreateCounter<long>("mailcluster.replica.syncs", description: "Calls that brought a mailbox's copy up to date, by outcome");

    public static readonly Counter<long> Pushes =
        Meter.CreateCounter<long>("mailcluster.replica.pushes", description: "Deltas pushed by owners, by what became of them");
}
