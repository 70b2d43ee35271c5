using MailCluster.Cluster;
using MailCluster.Net;
using MailCluster.Pop3.Session;
using MailCluster.Sasl;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Pop3;

/// <summary>POP3 (RFC 1939) with the extensions that CAPA names, on the listeners of a front end.</summary>
public sealed class Pop3Protocol(MailClusterClient cluster, Pop3Options? options = null, ILoggerFactory? logs = null, TimeProvider? time = null, SaslServer? sasl = null) : IProtocol
{
    private static readonly byte[] TooMany = "-ERR [SYS/TEMP] Too many connections\r\n"u8.ToArray();
    private static readonly byte[] ShuttingDown = "-ERR [SYS/TEMP] The server is shutting down\r\n"u8.ToArray();

    private readonly Pop3Services _services = new(
        cluster, options ?? new Pop3Options(), (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.Pop3"), time ?? TimeProvider.System, sasl ?? new SaslServer(cluster));

    public string Name => "pop3";

    public async Task RunAsync(IConnection connection)
    {
        await using var session = new Pop3Session(connection, _services);
        await session.RunAsync();
    }

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => reason == RefusalReason.ShuttingDown ? ShuttingDown : TooMany;
}

/// <summary>What all POP3 sessions of a process share.</summary>
internal sealed record Pop3Services(MailClusterClient Cluster, Pop3Options Options, ILogger Log, TimeProvider Time, SaslServer Sasl);
