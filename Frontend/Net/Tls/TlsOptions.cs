using System.Net.Security;
using System.Security.Authentication;

namespace MailCluster.Net;

/// <summary>How this server speaks TLS: versions 1.2 and 1.3 (RFC 8997), no client certificates, no renegotiation.</summary>
internal static class TlsOptions
{
    /// <summary>Called with a client's hello; the state is the listener's <see cref="ICertificateSource"/>.</summary>
    public static readonly ServerOptionsSelectionCallback ForClient = (_, hello, state, _) =>
    {
        var certificate = ((ICertificateSource)state!).GetCertificate(hello.ServerName is { Length: > 0 } name ? name : null)
            ?? throw new AuthenticationException("no certificate for the name the client asks for");
        return ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = false,
            AllowRenegotiation = false,
        });
    };
}
