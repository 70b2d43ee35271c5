using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>A real HAProxy in front: TLS that is handed on and TLS that ends there; the clients' addresses in logs and limits.</summary>
public sealed class HaproxyTests(HaproxyFixture haproxy) : IClassFixture<HaproxyFixture>
{
    [Fact]
    public async Task Addresses_and_TLS_facts_come_through()
    {
        await haproxy.StartAsync();
        string user = await haproxy.Node.AccountAsync();
        string Login(string address) => $"login ok user={user} protocol=pop3 mechanism=USER address={address} ";

        // TLS is the node's own; HAProxy hands it on.
        await using (ImapClient c = await FromAsync("127.0.0.5", haproxy.Pop3s))
        {
            await c.StartTls();
            await LogInAsync(c, user);
            Assert.DoesNotContain("STLS", await c.Pop3Lines("CAPA"));
            await c.Pop3("QUIT", "+OK …");
        }
        Assert.Contains(" tls=1.3 ", await haproxy.Node.Process.WaitForLineAsync(Login("127.0.0.5")));

        // TLS ends at HAProxy, which says so: nothing is left to begin.
        await using (ImapClient c = await FromAsync("127.0.0.6", haproxy.Offloaded))
        {
            await c.StartTls();
            await LogInAsync(c, user);
            Assert.DoesNotContain("STLS", await c.Pop3Lines("CAPA"));
            await c.Pop3("QUIT", "+OK …");
        }
        Assert.Contains(" tls=1.3@proxy ", await haproxy.Node.Process.WaitForLineAsync(Login("127.0.0.6")));

        await using (ImapClient c = await FromAsync("127.0.0.7", haproxy.Pop3))
        {
            await c.Expect("+OK …");
            Assert.Contains("STLS", await c.Pop3Lines("CAPA"));
            await c.Pop3($"USER {user}", "+OK …");
            await c.Pop3($"PASS {MailServer.Password}", "+OK …");
        }
        Assert.Contains(" tls=none ", await haproxy.Node.Process.WaitForLineAsync(Login("127.0.0.7")));

        await using ImapClient imap = await FromAsync("127.0.0.8", haproxy.Imaps);
        await imap.StartTls();
        await imap.Expect("* OK …");
        await imap.Run($"a LOGIN {user} \"{MailServer.Password}\"");
        await haproxy.Node.Process.WaitForLineAsync($"login ok user={user} protocol=imap mechanism=LOGIN address=127.0.0.8 ");
    }

    [Fact]
    public async Task Limits_count_clients_and_not_the_proxy()
    {
        await haproxy.StartAsync();
        var open = new List<ImapClient>();
        try
        {
            foreach (string address in new[] { "127.0.0.21", "127.0.0.22" })
            {
                for (int i = 0; i < 3; i++)
                {
                    open.Add(await FromAsync(address, haproxy.Pop3));
                    await open[^1].Expect("+OK …");
                }
            }
            await using ImapClient one = await FromAsync("127.0.0.21", haproxy.Pop3);
            await one.Expect("-ERR [SYS/TEMP] Too many connections");
            await one.Closed();
            await using ImapClient other = await FromAsync("127.0.0.23", haproxy.Pop3);
            await other.Expect("+OK …");
        }
        finally
        {
            foreach (ImapClient client in open)
                await client.DisposeAsync();
        }
    }

    private static async Task LogInAsync(ImapClient client, string user)
    {
        await client.Expect("+OK …");
        await client.Pop3($"USER {user}", "+OK …");
        await client.Pop3($"PASS {MailServer.Password}", "+OK …");
    }

    private static Task<ImapClient> FromAsync(string address, int port) =>
        ImapClient.ConnectSilentlyAsync(new IPEndPoint(IPAddress.Loopback, port), new IPEndPoint(IPAddress.Parse(address), 0));
}

/// <summary>HAProxy before a node of its own; both for all of these tests, which come from other addresses.</summary>
public sealed class HaproxyFixture : IAsyncLifetime
{
    private const string Program = "/usr/sbin/haproxy";

    private readonly int _pop3 = FreePorts.Next(), _pop3s = FreePorts.Next(), _offloaded = FreePorts.Next(), _imaps = FreePorts.Next();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-haproxy-");
    private readonly MailServer _node = MailServer.With(
        ("Listen:ProxyProtocol", true), ("Listen:TrustedNetworks:0", "127.0.0.1/32"), ("Limits:ConnectionsPerAddress", 3));
    private Process? _haproxy;

    public MailServer Node => _node;

    public int Pop3 => _pop3;

    public int Pop3s => _pop3s;

    /// <summary>POP3 whose TLS ends at the proxy.</summary>
    public int Offloaded => _offloaded;

    public int Imaps => _imaps;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts both where that was not done yet, or skips the test where HAProxy can't be had.</summary>
    public async Task StartAsync()
    {
        Assert.SkipUnless(File.Exists(Program), "HAProxy is not installed.");
        if (_haproxy is not null)
            return;
        await _node.AccountAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=haproxy.test", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string pem = Path.Combine(_directory.FullName, "haproxy.pem"), config = Path.Combine(_directory.FullName, "haproxy.cfg");
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        await File.WriteAllTextAsync(config, $"""
            defaults
                mode tcp
                timeout connect 1m
                timeout client 10m
                timeout server 10m
                default-server send-proxy-v2
            listen pop3
                bind 127.0.0.1:{_pop3}
                server node {_node.Pop3}
            listen pop3s
                bind 127.0.0.1:{_pop3s}
                server node {_node.Pop3s}
            listen imaps
                bind 127.0.0.1:{_imaps}
                server node {_node.Imaps}
            listen offloaded
                bind 127.0.0.1:{_offloaded} ssl crt {pem}
                server node {_node.Pop3} proxy-v2-options ssl,ssl-cipher,authority
            """ + "\n");
        _haproxy = Process.Start(new ProcessStartInfo(Program, ["-db", "-f", config]) { RedirectStandardError = true })!;
        await Eventually.Async("HAProxy does not listen", async () =>
        {
            // It opens its doors one after the other.
            foreach (int port in new[] { _pop3, _pop3s, _imaps, _offloaded })
            {
                using var tcp = new TcpClient();
                await tcp.ConnectAsync(IPAddress.Loopback, port);
            }
            return true;
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_haproxy is not null)
        {
            _haproxy.Kill();
            await _haproxy.WaitForExitAsync();
            _haproxy.Dispose();
        }
        await _node.DisposeAsync();
        _directory.Delete(true);
    }
}
