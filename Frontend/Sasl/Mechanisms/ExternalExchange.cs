using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>EXTERNAL (RFC 4422 appendix A): the client is who its TLS certificate says. The response is the address that it wants to be, or empty for the certificate's first.</summary>
internal sealed class ExternalExchange(SaslServer server, SaslConnection connection) : SaslExchange("EXTERNAL")
{
    private bool _asked;

    private protected override ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (response is null)
        {
            if (_asked)
                return new(Malformed("A response is missing"));
            _asked = true;
            return new(SaslChallenge.Empty);
        }
        if (!System.Text.Unicode.Utf8.IsValid(response) || response.Contains((byte)0))
            return new(Malformed("The response is not one of EXTERNAL"));
        string wanted = Encoding.UTF8.GetString(response);
        string? user = wanted.Length == 0 ? connection.CertificateUsers[0] : connection.CertificateUsers.FirstOrDefault(u => u.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        if (user is not null)
            return server.CheckAsync(Mechanism, new LoginCredentials(user) { Verified = "certificate" }, connection, cancellationToken);
        server.Refuse(Mechanism, wanted, connection, "certificate: of another user");
        return new(new SaslFailure(new MailError(MailErrorCode.AuthorizationFailed, "The certificate is another user's.")));
    }
}
