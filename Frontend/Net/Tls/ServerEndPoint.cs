using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MailCluster.Net;

/// <summary>
/// The data of the channel binding tls-server-end-point (RFC 5929 §4.1). tls-exporter (RFC 9266) can't be had: .NET's SslStream exports no keying material.
/// </summary>
internal static class ServerEndPoint
{
    private static readonly ConditionalWeakTable<X509Certificate, byte[]> _known = [];

    /// <summary>The hash of a certificate by the hash of its own signature; SHA-256 in place of MD5 and SHA-1. Null for signatures without one (Ed25519): undefined there.</summary>
    public static ReadOnlyMemory<byte>? Of(X509Certificate certificate)
    {
        byte[] hash = _known.GetValue(certificate, static c => HashOf(c) is { } name ? CryptographicOperations.HashData(name, c.GetRawCertData()) : []);
        return hash.Length > 0 ? hash : null;
    }

    private static HashAlgorithmName? HashOf(X509Certificate certificate) => (certificate as X509Certificate2)?.SignatureAlgorithm.Value switch
    {
        // RSA with SHA-384, SHA-512; ECDSA with the same.
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        // MD5, SHA-1 and SHA-256, with RSA and ECDSA.
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.113549.1.1.11" or "1.2.840.10045.4.1" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        _ => null,
    };
}
