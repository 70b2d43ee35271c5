using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>A node with the ways to log in that are off by default: tokens, and certificates of an authority of its own.</summary>
public sealed class LoginWays : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-login-");
    private readonly X509Certificate2 _authority;

    public LoginWays()
    {
        var request = new CertificateRequest("CN=Authority", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        string file = Path.Combine(_directory.FullName, "authority.pem");
        File.WriteAllText(file, _authority.ExportCertificatePem());
        Server = MailServer.With(
            ("Tls:ClientAuthorities", file), ("Login:Mechanisms:0", "SCRAM-SHA-256"), ("Login:Mechanisms:1", "OAUTHBEARER"), ("Login:Mechanisms:2", "XOAUTH2"), ("Login:Mechanisms:3", "PLAIN"));
    }

    public MailServer Server { get; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _authority.Dispose();
        _directory.Delete(true);
    }

    /// <summary>A certificate of the authority for an address, with its key; the file's path.</summary>
    public string CertificateOf(string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Client", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        string file = Path.Combine(_directory.FullName, address + ".pem");
        File.WriteAllText(file, signed.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        return file;
    }
}

/// <summary>Those who share the node.</summary>
[CollectionDefinition(nameof(LoginWays))]
public sealed class LoginWaysCollection : ICollectionFixture<LoginWays>;
