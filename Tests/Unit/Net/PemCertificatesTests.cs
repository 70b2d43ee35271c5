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
    public async Task A_directory_of_certificates_changes_while_connections_go_on()
    {
        var clock = new FakeClock();
        var first = Write("first", "first.test");
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "more")).FullName;
        Add("a.example", "a.example");
        // A customer's broken file is his own trouble.
        File.WriteAllText(Path.Combine(folder, "broken.pem"), "no certificate");
        var source = new PemCertificates([first], NullLogger.Instance, clock, directory: folder);
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, Session.Echo(), source);
        using var early = await Peer.ConnectAsync(door);
        Assert.Equal("CN=a.example", (await early.StartTlsAsync(name: "A.example")).RemoteCertificate!.Subject);
        Assert.Equal("hello", await early.LineAsync());
        Assert.Equal("CN=first.test", await SubjectAsync("b.example"));
        Assert.Equal("CN=first.test", await SubjectAsync("broken"));

        Add("b", "*.b.example");
        Add("a.example", "new.a.example");
        File.SetLastWriteTimeUtc(Path.Combine(folder, "a.example.pem"), DateTime.UtcNow.AddMinutes(1));
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("CN=*.b.example", await SubjectAsync("mail.b.example"));
        Assert.Equal("CN=first.test", await SubjectAsync("b.example"));
        Assert.Equal("CN=first.test", await SubjectAsync("x.mail.b.example"));
        Assert.Equal("CN=new.a.example", await SubjectAsync("new.a.example"));
        await early.SendAsync("still here\r\n");
        Assert.Equal("still here", await early.LineAsync());

        File.Delete(Path.Combine(folder, "b.pem"));
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("CN=first.test", await SubjectAsync("mail.b.example"));
        Directory.Delete(folder, recursive: true);
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("CN=new.a.example", await SubjectAsync("new.a.example"));

        // Key and certificate in one file.
        void Add(string file, string name)
        {
            var certificate = new SelfSignedCertificate(name).Certificate;
            File.WriteAllText(Path.Combine(folder, file + ".pem"), certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        }

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
