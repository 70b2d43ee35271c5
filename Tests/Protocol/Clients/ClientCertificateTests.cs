using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>openssl's client with a certificate of an authority that the node trusts.</summary>
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-clients-");
    private readonly CertificateRequest _authorityRequest;
    private readonly X509Certificate2 _authority;
    private readonly MailServer _server;

    public ClientCertificateTests()
    {
        _authorityRequest = new CertificateRequest("CN=Authority", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        _authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = _authorityRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        string file = Path.Combine(_directory.FullName, "authority.pem");
        File.WriteAllText(file, _authority.ExportCertificatePem());
        _server = MailServer.With(("Tls:ClientAuthorities", file));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _authority.Dispose();
        _directory.Delete(true);
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task EXTERNAL_logs_in_where_the_tenant_s_policy_names_it(string version)
    {
        string user = await _server.AccountAsync(), other = await _server.AccountAsync();
        string shown = Write(user);
        Assert.Contains("a NO [AUTHORIZATIONFAILED]", await RunAsync(version, shown, "a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n"));
        Assert.Null((await _server.Tenants.SetPolicyAsync("test", new LoginPolicy { Mechanisms = ["EXTERNAL", "PLAIN"] })).Error);
        await Eventually.Async("The policy is not in force", async () => (await RunAsync(version, shown, "a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n")).Contains("a OK [CAPABILITY "));
        string said = await RunAsync(version, shown, $"c CAPABILITY\r\nd AUTHENTICATE EXTERNAL {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(other))}\r\nb LOGOUT\r\n");
        Assert.Contains(" AUTH=EXTERNAL ", said);
        Assert.Contains("d NO [AUTHORIZATIONFAILED] The certificate is another user's.", said);
        // Without a certificate all is as before.
        said = await RunAsync(version, null, $"c CAPABILITY\r\na LOGIN {user} \"{MailServer.Password}\"\r\nb LOGOUT\r\n");
        Assert.DoesNotContain("AUTH=EXTERNAL", said);
        Assert.Contains("a OK [CAPABILITY ", said);
    }

    private Task<string> RunAsync(string version, string? shown, string commands) => Program.SucceedAsync(
        "openssl", ["s_client", "-connect", _server.Imaps.ToString(), version, .. shown is null ? (string[])[] : ["-cert", shown, "-key", shown], "-brief", "-ign_eof"], commands);

    private string Write(string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Client", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        string file = Path.Combine(_directory.FullName, "client.pem");
        File.WriteAllText(file, signed.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        return file;
    }
}
