using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class PemCertificatesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pem").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Chooses_by_name_and_takes_up_changed_files()
    {
        var clock = new FakeClock();
        var one = Write("one", "one.test");
        var two = Write("two", "*.two.test");
        var source = new PemCertificates([one, two], NullLogger.Instance, clock);
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, Session.Echo(), source);
        Assert.Equal("CN=one.test", await SubjectAsync("one.test"));
        Assert.Equal("CN=*.two.test", await SubjectAsync("mail.two.test"));
        Assert.Equal("CN=one.test", await SubjectAsync("unknown.test"));

        Write("one", "new.test");
        File.SetLastWriteTimeUtc(one.CertificatePath, DateTime.UtcNow.AddMinutes(1));
        Assert.Equal("CN=one.test", await SubjectAsync("one.test"));
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("CN=new.test", await SubjectAsync("one.test"));

        File.WriteAllText(one.CertificatePath, "no certificate");
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("CN=new.test", await SubjectAsync("one.test"));

        async Task<string> SubjectAsync(string name)
        {
            using var peer = await Peer.ConnectAsync(door);
            return (await peer.StartTlsAsync(name: name)).RemoteCertificate!.Subject;
        }
    }

    [Fact]
    public void Unusable_files_stop_the_start()
    {
        var files = Write("one", "one.test");
        File.WriteAllText(files.KeyPath, "no key");
        Assert.ThrowsAny<CryptographicException>(() => new PemCertificates([files], NullLogger.Instance));
        Assert.ThrowsAny<IOException>(() => new PemCertificates([files with { CertificatePath = Path.Combine(_folder, "absent") }], NullLogger.Instance));
    }

    private PemFiles Write(string file, string name)
    {
        var certificate = new SelfSignedCertificate(name).Certificate;
        var files = new PemFiles(Path.Combine(_folder, file + ".crt"), Path.Combine(_folder, file + ".key"));
        File.WriteAllText(files.CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(files.KeyPath, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return files;
    }
}
