using MailCluster.Cluster;
using MailCluster.Net;

namespace MailCluster.Mta.Socketmap;

/// <summary>
/// Look-ups of Postfix (socketmap_table(5), the protocol of Sendmail) and, by readsocket, of Exim: <c>domains</c>, <c>recipients</c>, <c>aliases</c>, <c>senders</c>. Requests and answers
/// are netstrings.
/// </summary>
public sealed class SocketmapProtocol(MailClusterClient cluster) : IProtocol
{
    private readonly AddressMaps _maps = new(cluster);

    public string Name => "socketmap";

    public Task RunAsync(IConnection connection) => new SocketmapSession(connection, _maps).RunAsync();

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => null;
}
