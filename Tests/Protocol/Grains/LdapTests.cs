using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>Passwords that OpenLDAP's slapd checks.</summary>
public sealed class LdapTests(MailSilo silo, Slapd slapd) : IClassFixture<MailSilo>, IClassFixture<Slapd>
{
    private TenantStore Tenants => new(silo.Database.Main, silo.Ids);

    [Fact]
    public async Task A_user_binds_by_a_DN_over_TLS()
    {
        (IAccountGrain owner, _) = await AccountAsync("ann", new LdapServer(slapd.Secure) { CaFile = slapd.Certificate, UserDn = "uid={local},dc=demo,dc=test" });
        Assert.True((await owner.Authenticate(Password("of ann", 1))).IsOk);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("wrong", 2))).Error?.Code);
        // A bind without a password would succeed.
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("", 3))).Error?.Code);
        // The verifier that was here before counts no more.
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("here", 4))).Error?.Code);
        // The connection that was kept is used again.
        Assert.True((await owner.Authenticate(Password("of ann", 5))).IsOk);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_user_is_searched_for_and_binds_or_is_compared(bool compare)
    {
        (IAccountGrain owner, string user) = await AccountAsync("bob", new LdapServer(slapd.Plain)
        {
            StartTls = true, CaFile = slapd.Certificate, Base = "dc=demo,dc=test", BindDn = "cn=admin,dc=demo,dc=test", BindPassword = "of admin", Compare = compare ? "userPassword" : null,
        }, addressed: true);
        Assert.True((await owner.Authenticate(Password("of bob", 1))).IsOk, user);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("of ann", 2))).Error?.Code);
    }

    [Fact]
    public async Task A_server_that_can_t_be_asked_is_an_outage_and_no_guess()
    {
        (IAccountGrain owner, string user) = await AccountAsync("ann", new LdapServer($"ldap://127.0.0.1:{FreePorts.Next()}") { UserDn = "uid={local},dc=demo,dc=test" });
        for (int i = 1; i < 5; i++)
            Assert.Equal(MailErrorCode.Unavailable, (await owner.Authenticate(Password("of ann", i))).Error?.Code);
        string tenant = user[(user.IndexOf('@') + 1)..];
        // A certificate that nobody trusts, and a service that may not come in.
        foreach (LdapServer server in new[]
        {
            new LdapServer(slapd.Secure) { UserDn = "uid={local},dc=demo,dc=test" },
            new LdapServer(slapd.Plain) { Base = "dc=demo,dc=test", BindDn = "cn=admin,dc=demo,dc=test", BindPassword = "wrong" },
        })
        {
            Assert.Null((await Tenants.SetLdapAsync(tenant, server)).Error);
            await owner.Changed();
            Assert.Equal(MailErrorCode.Unavailable, (await owner.Authenticate(Password("of ann", 10))).Error?.Code);
        }
        Assert.Null((await Tenants.SetLdapAsync(tenant, null)).Error);
        await owner.Changed();
        Assert.True((await owner.Authenticate(Password("here", 20))).IsOk);
        Assert.Equal(MailErrorCode.Cannot, (await Tenants.SetLdapAsync(tenant, new LdapServer("ldap://192.0.2.1") { UserDn = "x" })).Error?.Code);
        Assert.Equal(MailErrorCode.Cannot, (await Tenants.SetLdapAsync(tenant, new LdapServer("ldaps://192.0.2.1"))).Error?.Code);
    }

    private static LoginRequest Password(string password, long attempt) => new($"s{attempt}", password, "imap", "PLAIN", "192.0.2.1", "front", Trusted: false, attempt);

    private async Task<(IAccountGrain Owner, string User)> AccountAsync(string name, LdapServer server, bool addressed = false)
    {
        Assert.SkipUnless(slapd.Exists, "slapd is not installed");
        string domain = $"{Guid.NewGuid():N}.example";
        Assert.Null((await Tenants.AddAsync(domain)).Error);
        Assert.Null((await Tenants.AddDomainAsync(domain, domain)).Error);
        Assert.Null((await Tenants.SetLdapAsync(domain, addressed ? server with { Attribute = "description" } : server)).Error);
        string user = $"{name}@{domain}";
        Assert.Null((await new AccountStore(silo.Database.Main, silo.Ids).AddAsync(user, StoredPassword.Of("here"))).Error);
        if (addressed)
            await slapd.DescribeAsync(name, user);
        return (silo.Owner(new AccountId(await silo.ScalarAsync<long>("select account_id from mail.account where user_name = $1", user))), user);
    }
}

/// <summary>A private slapd with the users ann and bob; none where it is not installed.</summary>
public sealed class Slapd : IAsyncLifetime
{
    private const string Program = "/usr/sbin/slapd";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-slapd-");
    private readonly (int Plain, int Secure) _ports = (FreePorts.Next(), FreePorts.Next());
    private Process? _process;

    public bool Exists => File.Exists(Program);

    public string Plain => $"ldap://127.0.0.1:{_ports.Plain}";

    public string Secure => $"ldaps://127.0.0.1:{_ports.Secure}";

    public string Certificate => Path.Combine(_directory.FullName, "certificate.pem");

    private string Configuration => Path.Combine(_directory.FullName, "slapd.conf");

    public async ValueTask InitializeAsync()
    {
        if (!Exists)
            return;
        string key = Path.Combine(_directory.FullName, "key.pem"), data = _directory.CreateSubdirectory("data").FullName;
        using (var private1 = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var request = new CertificateRequest("CN=slapd", private1, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            await File.WriteAllTextAsync(Certificate, made.ExportCertificatePem());
            await File.WriteAllTextAsync(key, private1.ExportPkcs8PrivateKeyPem());
        }
        await File.WriteAllTextAsync(Configuration, $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {_directory.FullName}/slapd.pid
            TLSCertificateFile {Certificate}
            TLSCertificateKeyFile {key}
            database mdb
            suffix "dc=demo,dc=test"
            rootdn "cn=admin,dc=demo,dc=test"
            rootpw "of admin"
            directory {data}
            access to attrs=userPassword by anonymous auth by * none
            access to * by users read

            """);
        await FillAsync("""
            dn: dc=demo,dc=test
            objectClass: dcObject
            objectClass: organization
            dc: demo
            o: Demo

            dn: uid=ann,dc=demo,dc=test
            objectClass: inetOrgPerson
            cn: Ann
            sn: Ann
            userPassword: of ann

            dn: uid=bob,dc=demo,dc=test
            objectClass: inetOrgPerson
            cn: Bob
            sn: Bob
            userPassword: of bob

            """, "/usr/sbin/slapadd", "-f", Configuration);
        _process = Process.Start(new ProcessStartInfo(Program, ["-f", Configuration, "-h", $"{Plain}/ {Secure}/", "-d", "0"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Eventually.Async("slapd does not listen", async () =>
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, _ports.Secure);
            return true;
        });
    }

    /// <summary>Gives an entry an address that can be searched for.</summary>
    public Task DescribeAsync(string uid, string address) => FillAsync($"""
        dn: uid={uid},dc=demo,dc=test
        changetype: modify
        add: description
        description: {address}

        """, "ldapmodify", "-x", "-H", Plain, "-D", "cn=admin,dc=demo,dc=test", "-w", "of admin");

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false } running)
        {
            running.Kill();
            await running.WaitForExitAsync();
        }
        _process?.Dispose();
        _directory.Delete(true);
    }

    private static async Task FillAsync(string text, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
        await process.StandardInput.WriteAsync(text);
        process.StandardInput.Close();
        string said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, said);
    }
}
