using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Net;
using MailCluster.Sasl;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Imap;

/// <summary>IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) on the listeners of a front end.</summary>
/// <param name="indexer">Where SEARCH finds what is known of texts; null where it reads them all.</param>
/// <param name="sasl">The process's log-in; null makes one.</param>
/// <param name="annotations">Those of messages (RFC 5257); null: there are none here.</param>
public sealed class ImapProtocol(
    MailClusterClient cluster, ImapOptions? options = null, ILoggerFactory? logs = null, TimeProvider? time = null, SearchIndexer? indexer = null, SaslServer? sasl = null,
    IMessageAnnotations? annotations = null) : IProtocol
{
    private static readonly byte[] TooMany = "* BYE [LIMIT] Too many connections\r\n"u8.ToArray();
    private static readonly byte[] ShuttingDown = "* BYE [UNAVAILABLE] The server is shutting down\r\n"u8.ToArray();

    private readonly ImapServices _services = new(
        cluster, options ?? new ImapOptions(), (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.Imap"), time ?? TimeProvider.System, indexer,
        sasl ?? new SaslServer(cluster), annotations);

    public string Name => "imap";

    public async Task RunAsync(IConnection connection)
    {
        ImapMetrics.Connections.Add(1);
        try
        {
            await using var session = new ImapSession(connection, _services);
            await session.RunAsync();
        }
        finally
        {
            ImapMetrics.Connections.Add(-1);
        }
    }

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => reason == RefusalReason.ShuttingDown ? ShuttingDown : TooMany;
}

/// <summary>What all IMAP sessions of a process share.</summary>
public sealed record ImapServices(MailClusterClient Cluster, ImapOptions Options, ILogger Log, TimeProvider Time, SearchIndexer? Indexer, SaslServer Sasl, IMessageAnnotations? Annotations)
{
    private int _compressed;

    /// <summary>Takes one of the places for compressed connections; false when there is none left.</summary>
    internal bool TryCompress()
    {
        if (Interlocked.Increment(ref _compressed) <= Options.CompressedConnections)
            return true;
        EndCompressed();
        return false;
    }

    /// <summary>Gives a place back.</summary>
    internal void EndCompressed() => Interlocked.Decrement(ref _compressed);
}
