using System.Diagnostics.Metrics;

namespace MailCluster.Imap.Session;

/// <summary>Meter "MailCluster.Imap".</summary>
internal static class ImapMetrics
{
    private static readonly Meter Meter = new("MailCluster.Imap");

    public static readonly Histogram<double> Commands = Meter.CreateHistogram<double>(
        "mailcluster.imap.command.duration", unit: "s", description: "Commands by name and result, from the last byte read to the tagged reply");

    public static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>(
        "mailcluster.imap.connections", description: "IMAP sessions of this process");

    public static readonly UpDownCounter<long> Idling = Meter.CreateUpDownCounter<long>(
        "mailcluster.imap.idling", description: "IMAP sessions in IDLE");

    public static readonly Counter<long> Appended = Meter.CreateCounter<long>(
        "mailcluster.imap.appended", unit: "By", description: "Octets of messages stored by APPEND");

    public static readonly Counter<long> Indexed = Meter.CreateCounter<long>(
        "mailcluster.imap.indexed", description: "Messages whose text was indexed for SEARCH");
}
