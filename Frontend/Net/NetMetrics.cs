using System.Diagnostics.Metrics;

namespace MailCluster.Net;

/// <summary>The meter <c>MailCluster.Net</c>; every instrument has the tag <c>protocol</c>.</summary>
internal sealed class NetMetrics : IDisposable
{
    private readonly Meter _meter = new("MailCluster.Net");
    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _received;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _handshakes;

    public NetMetrics()
    {
        _connections = _meter.CreateUpDownCounter<long>("mailcluster.net.connections", "{connection}", "Open client connections.");
        _accepted = _meter.CreateCounter<long>("mailcluster.net.accepted", "{connection}", "Connections accepted.");
        _refused = _meter.CreateCounter<long>("mailcluster.net.refused", "{connection}", "Connections turned away, by reason.");
        _received = _meter.CreateCounter<long>("mailcluster.net.received", "By", "Bytes received, TLS included.");
        _sent = _meter.CreateCounter<long>("mailcluster.net.sent", "By", "Bytes sent, TLS included.");
        _handshakes = _meter.CreateCounter<long>("mailcluster.net.tls_handshakes", "{handshake}", "TLS handshakes, by outcome: 1.2, 1.3, failed.");
    }

    public void Opened(string protocol)
    {
        _connections.Add(1, Tag(protocol));
        _accepted.Add(1, Tag(protocol));
    }

    public void Closed(string protocol) => _connections.Add(-1, Tag(protocol));

    public void Refused(string protocol, RefusalReason reason) => _refused.Add(1, Tag(protocol), new("reason", reason switch
    {
        RefusalReason.TooManyConnections => "connections",
        RefusalReason.TooManyFromAddress => "address",
        _ => "draining",
    }));

    public void Received(string protocol, int bytes) => _received.Add(bytes, Tag(protocol));

    public void Sent(string protocol, int bytes) => _sent.Add(bytes, Tag(protocol));

    public void Handshake(string protocol, string outcome) => _handshakes.Add(1, Tag(protocol), new("outcome", outcome));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string protocol) => new("protocol", protocol);
}
