using System.Text;
using MailCluster.Contracts;
using MailCluster.Net;
using MailCluster.Sasl;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.ManageSieve;

/// <summary>The door for filters: RFC 5804 with STARTTLS where the listener has a certificate.</summary>
public sealed class ManageSieveProtocol(
    IScriptStore scripts, SaslServer sasl, ManageSieveOptions? options = null, ILoggerFactory? logs = null, TimeProvider? time = null) : IProtocol
{
    private readonly ManageSieveOptions _options = options ?? new ManageSieveOptions();
    private readonly ILogger _log = (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.ManageSieve");
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public string Name => "sieve";

    public async Task RunAsync(IConnection connection)
    {
        ManageSieveMetrics.Connections.Add(1);
        try
        {
            await using var session = new ManageSieveSession(connection, scripts, sasl, _options, _time, _log);
            await session.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            ManageSieveMetrics.Connections.Add(-1);
        }
    }

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => Encoding.ASCII.GetBytes(
        reason == RefusalReason.ShuttingDown ? "BYE (TRYLATER) \"The server is shutting down\"\r\n" : "BYE (TRYLATER) \"Too many connections\"\r\n");
}
