using System.Diagnostics.Metrics;

namespace MailCluster.Outgoing;

/// <summary>Meter "MailCluster.Outgoing".</summary>
internal static class OutgoingMetrics
{
    private static readonly Meter Meter = new("MailCluster.Outgoing");

    public static readonly Counter<long> Sent = Meter.CreateCounter<long>("mailcluster.outgoing.attempts", description: "Attempts to send by kind and result: sent, later, refused");

    public static readonly Counter<long> Reports = Meter.CreateCounter<long>("mailcluster.outgoing.reports", description: "Reports of spam and ham by kind and result: told, later, given up");
}
