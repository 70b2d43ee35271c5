using System.Diagnostics.Metrics;

namespace MailCluster.Outgoing;

/// <summary>Meter "MailCluster.Outgoing".</summary>
internal static class OutgoingMetrics
{
    private static readonly Meter Meter = new("MailCluster.Outgoing");

    private static long _waiting;
    private static double _oldest;

    static OutgoingMetrics()
    {
        Meter.CreateObservableGauge("mailcluster.outgoing.waiting", static () => Volatile.Read(ref _waiting), description: "Messages in the outbox of the whole cluster, as this node saw it last");
        Meter.CreateObservableGauge("mailcluster.outgoing.oldest", static () => Volatile.Read(ref _oldest), "s", "Age of the oldest of them");
    }

    public static readonly Counter<long> Sent = Meter.CreateCounter<long>("mailcluster.outgoing.attempts", description: "Attempts to send by kind and result: sent, later, refused");

    public static readonly Counter<long> Reports = Meter.CreateCounter<long>("mailcluster.outgoing.reports", description: "Reports of spam and ham by kind and result: told, later, given up");

    public static void Waiting(long count, TimeSpan oldest)
    {
        Volatile.Write(ref _waiting, count);
        Volatile.Write(ref _oldest, oldest.TotalSeconds);
    }
}
