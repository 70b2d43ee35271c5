using MailCluster.Cluster;
using MailCluster.Net;

namespace MailCluster.Mta.Policy;

/// <summary>
/// Answers Postfix' smtpd at RCPT what the delivery would answer later (SMTP access policy delegation): unknown users, accounts that take no mail, and full ones are refused while the
/// sender is still connected, so that no bounce goes to a forged one. Everything else is DUNNO: it permits nothing by itself.
/// </summary>
public sealed class PolicyProtocol(MailClusterClient cluster) : IProtocol
{
    private readonly RecipientPolicy _policy = new(cluster);

    public string Name => "policy";

    public Task RunAsync(IConnection connection) => new PolicySession(connection, _policy).RunAsync();

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => null;
}
