using MailCluster.Cluster;

namespace MailCluster.Sasl;

/// <summary>PLAIN (RFC 4616): [authzid] NUL authcid NUL passwd. With an authzid of somebody else an operator acts as that user.</summary>
internal sealed class PlainExchange(SaslServer server, SaslConnection connection) : SaslExchange("PLAIN")
{
    private protected override ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (response is null)
            return new(SaslChallenge.Empty);
        ReadOnlySpan<byte> message = response;
        int first = message.IndexOf((byte)0);
        int second = first < 0 ? -1 : message[(first + 1)..].IndexOf((byte)0);
        if (second < 0)
            return new(Malformed("The response is not one of PLAIN"));
        string authorize = SaslText.Of(message[..first]);
        string user = SaslText.Of(message.Slice(first + 1, second));
        string password = SaslText.Of(message[(first + second + 2)..]);
        return server.CheckAsync(Mechanism, new LoginCredentials(user, authorize) { Password = password }, connection, cancellationToken);
    }
}
