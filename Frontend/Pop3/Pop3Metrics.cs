using System.Diagnostics.Metrics;

namespace MailCluster.Pop3;

/// <summary>Meter "MailCluster.Pop3".</summary>
internal static class Pop3Metrics
{
    private static readonly Meter Meter = new("MailCluster.Pop3");

    public static readonly Histogram<double> Commands = Meter.CreateHistogram<double>(
        "mailcluster.pop3.command.duration", unit: "s", description: "Commands by name and result, from the line read to the answer written");

    public static readonly Counter<long> Retrieved = Meter.CreateCounter<long>("mailcluster.pop3.retrieved", description: "Messages sent whole");

    public static readonly Counter<long> RetrievedOctets = Meter.CreateCounter<long>("mailcluster.pop3.retrieved.size", unit: "By", description: "Octets of messages sent whole");

    public static readonly Counter<long> Deleted = Meter.CreateCounter<long>("mailcluster.pop3.deleted", description: "Messages removed at QUIT");
}
