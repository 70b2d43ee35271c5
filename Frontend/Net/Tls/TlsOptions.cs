using System.Net.Security;
using System.Security.Authentication;

namespace MailCluster.Net;

/// <summary>What a handshake needs of its listener.</summary>
internal sealed record TlsListener(ICertificateSource Certificates, ClientAuthorities? Clients);

/// <summary>How this server speaks TLS: versions 1.2 and 1.3 (RFC 8997), no renegotiation; client certificates where the listener asks for them.</summary>
internal static class TlsOptions
{
    /// <summary>Called with a client's hello; the state is the listener's <see cref="TlsListener"/>.</summary>
    public static readonly ServerOptionsSelectionCallback ForClient = (_, hello, state, _) =>
    {
        var listener = (TlsListener)state!;
        var certificate = listener.Certificates.GetCertificate(hello.ServerName is { Length: > 0 } name ? name : null)
            ?? throw new AuthenticationException("no certificate for the name the client asks for");
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = listener.Clients is not null,
            AllowRenegotiation = false,
        };
        if (listener.Clients is not null)
        {
            // A client without one, or with one of somebody else, logs in in another way: what it is good for is looked at when it is used. Resumed sessions show none.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
            options.AllowTlsResume = false;
        }
        return ValueTask.FromResult(options);
    };
}
