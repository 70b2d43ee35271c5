using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class ClientCertificateTests
{
    [Fact]
    public async Task A_certificate_of_a_trusted_authority_proves_its_addresses_and_any_other_nothing()
    {
        using X509Certificate2 authority = Authority(), foreign = Authority();
        Assert.Equal(["ann@demo.test", "ann@other.test"], await ShownAsync(authority, Client(authority, "ann@demo.test", "ann@other.test")));
        Assert.Empty((await ShownAsync(authority, Client(foreign, "ann@demo.test")))!);
        Assert.Empty((await ShownAsync(authority, Client(authority, forServers: true, "ann@demo.test")))!);
        Assert.Empty((await ShownAsync(authority, Client(authority)))!);
        Assert.Empty((await ShownAsync(authority, null))!);
    }

    [Fact]
    public void Certificates_that_are_over_and_files_without_one()
    {
        using X509Certificate2 authority = Authority();
        Assert.Empty(new ClientAuthorities([authority]).AddressesOf(Client(authority, false, DateTimeOffset.UtcNow.AddDays(-3), "ann@demo.test")));
        string file = Path.GetTempFileName();
        try
        {
            Assert.Throws<CryptographicException>(() => ClientAuthorities.FromFile(file));
            File.WriteAllText(file, authority.ExportCertificatePem());
            Assert.Equal(["ann@demo.test"], ClientAuthorities.FromFile(file).AddressesOf(Client(authority, "ann@demo.test")));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>What the server learns of a client that shows this.</summary>
    private static async Task<IReadOnlyList<string>?> ShownAsync(X509Certificate2 authority, X509Certificate2? client)
    {
        var facts = new TaskCompletionSource<TlsFacts?>();
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true, ClientAuthorities = new ClientAuthorities([authority]) }, new Session(connection =>
        {
            facts.SetResult(connection.Tls);
            connection.Say("hello");
            return Task.CompletedTask;
        }), Doors.Certificate);
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(door);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "mail.test", RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            LocalCertificateSelectionCallback = client is null ? null : (_, _, _, _, _) => client,
        });
        return (await facts.Task)!.ClientAddresses;
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Authority " + Guid.NewGuid(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
    }

    private static X509Certificate2 Client(X509Certificate2 authority, params string[] addresses) => Client(authority, false, addresses);

    private static X509Certificate2 Client(X509Certificate2 authority, bool forServers, params string[] addresses) => Client(authority, forServers, DateTimeOffset.UtcNow.AddDays(1), addresses);

    private static X509Certificate2 Client(X509Certificate2 authority, bool forServers, DateTimeOffset until, params string[] addresses)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Ann", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("laptop.demo.test");
        foreach (string address in addresses)
            names.AddEmailAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forServers ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2")], false));
        using X509Certificate2 signed = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-5), until, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
