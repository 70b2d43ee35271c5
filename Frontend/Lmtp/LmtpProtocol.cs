using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Lmtp.Filtering;
using MailCluster.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Lmtp;

/// <summary>The delivery door: RFC 2033 with PIPELINING, 8BITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, SIZE, CHUNKING and, where the listener has a certificate, STARTTLS.</summary>
public sealed class LmtpProtocol : IProtocol
{
    private readonly MailClusterClient _cluster;
    private readonly LmtpOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Filters? _filters;

    /// <param name="filters">Where the recipients' filters are; null: nobody has any.</param>
    public LmtpProtocol(
        MailClusterClient cluster, LmtpOptions? options = null, ILoggerFactory? logs = null, TimeProvider? time = null, IMailFilters? filters = null, FilterOptions? filtering = null)
    {
        _cluster = cluster;
        _options = options ?? new LmtpOptions();
        _time = time ?? TimeProvider.System;
        _log = (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.Lmtp");
        _filters = filters is null ? null : new Filters(cluster, filters, filtering ?? new FilterOptions(), _log);
    }

    public string Name => "lmtp";

    public async Task RunAsync(IConnection connection)
    {
        await using var session = new LmtpSession(connection, _cluster, _options, _time, _log, _filters);
        await session.RunAsync().ConfigureAwait(false);
    }

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) =>
        Encoding.ASCII.GetBytes((reason == RefusalReason.ShuttingDown ? LmtpReply.ShuttingDown : LmtpReply.TooManyConnections) + "\r\n");
}
