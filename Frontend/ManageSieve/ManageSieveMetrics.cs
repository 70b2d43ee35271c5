using System.Diagnostics.Metrics;

namespace MailCluster.ManageSieve;

/// <summary>Meter "MailCluster.ManageSieve".</summary>
internal static class ManageSieveMetrics
{
    private static readonly Meter Meter = new("MailCluster.ManageSieve");

    public static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>("mailcluster.sieve.connections", description: "Connections that are open");

    public static readonly Counter<long> Commands = Meter.CreateCounter<long>("mailcluster.sieve.commands", description: "Commands by name and result: ok, no");
}
