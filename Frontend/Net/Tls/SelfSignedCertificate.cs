using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MailCluster.Net;

/// <summary>A certificate made at start, which no client trusts: for a demo and for tests. Valid 90 days.</summary>
public sealed class SelfSignedCertificate : ICertificateSource
{
    private readonly SslStreamCertificateContext _context;

    /// <param name="names">Host names and IP addresses it is for; at least one.</param>
    public SelfSignedCertificate(params string[] names)
    {
        ArgumentOutOfRangeException.ThrowIfZero(names.Length);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var now = DateTimeOffset.UtcNow;
        Certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(90));
        _context = SslStreamCertificateContext.Create(Certificate, null, offline: true);
    }

    /// <summary>The certificate, for clients that are to trust it.</summary>
    public X509Certificate2 Certificate { get; }

    public SslStreamCertificateContext? GetCertificate(string? serverName) => _context;
}
