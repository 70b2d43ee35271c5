using System.Net.Security;

namespace MailCluster.Net;

/// <summary>Where a listener's certificates come from. Asked for each handshake, on any thread: answers from memory.</summary>
public interface ICertificateSource
{
    /// <summary>The certificate, key and chain for the host name a client asks for (null: it named none); null refuses the handshake.</summary>
    SslStreamCertificateContext? GetCertificate(string? serverName);
}
