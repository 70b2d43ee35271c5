using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Filters;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Support;

/// <summary>
/// One node with all roles as a process of its own, over a fresh database of a private PostgreSQL; started by the first test that wants it. Each test
/// makes accounts of its own, so that tests do not see each other.
/// Use: <c>[assembly: AssemblyFixture(typeof(MailServer))]</c> and take it as a test class's constructor argument.
/// </summary>
public sealed class MailServer : IAsyncLifetime
{
    /// <summary>Every account's.</summary>
    public const string Password = TestAccounts.Password;

    private readonly PostgresFixture _postgres = new();
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private readonly (string Path, object Value)[] _options;
    private ServerProcess? _process;
    // Its ports are known before it is started.
    private readonly NodeSettings _settings = new("node", "");
    private TestAccounts _made = null!;
    private readonly bool _throughRelay;

    public MailServer()
        : this(throughRelay: false, [])
    {
    }

    private MailServer(bool throughRelay, (string Path, object Value)[] options) => (_throughRelay, _options) = (throughRelay, options);

    /// <summary>A node of one test's own, which disposes of it, with options by their path ("Limits:LoginSeconds").</summary>
    public static MailServer With(params (string Path, object Value)[] options) => new(throughRelay: false, options);

    /// <summary>One whose way to PostgreSQL can be cut; for a test that disposes of it.</summary>
    public static MailServer WithRelay(params (string Path, object Value)[] options) => new(throughRelay: true, options);

    /// <summary>Between the node and PostgreSQL, with <see cref="WithRelay"/>.</summary>
    public TcpRelay? Relay { get; private set; }

    /// <summary>The database, once an account was made; not through a relay.</summary>
    public string ConnectionString { get; private set; } = "";

    public IPEndPoint Imap => new(IPAddress.Loopback, _settings.ImapPort);

    public IPEndPoint Imaps => new(IPAddress.Loopback, _settings.ImapsPort);

    public IPEndPoint Pop3 => new(IPAddress.Loopback, _settings.Pop3Port);

    public IPEndPoint Pop3s => new(IPAddress.Loopback, _settings.Pop3sPort);

    public IPEndPoint Lmtp => new(IPAddress.Loopback, _settings.LmtpPort);

    public IPEndPoint Sieve => new(IPAddress.Loopback, _settings.SievePort);

    /// <summary>The node as a process, once an account was made.</summary>
    public ServerProcess Process => _process!;

    /// <summary>Tenants, domains (all accounts are in test.example of tenant "test") and aliases.</summary>
    public TenantStore Tenants => _made.Tenants;

    public AccountStore Accounts => _made.Accounts;

    /// <summary>Filters of the tenant.</summary>
    public ScriptStore Scripts => _made.Scripts;

    /// <summary>Makes a filter the active one of an account.</summary>
    public Task FilterAsync(string user, string script) => _made.FilterAsync(user, script);

    /// <summary>Delivers a message by LMTP and expects the reply.</summary>
    public async Task DeliverAsync(string recipient, string message, string reply = "250 2.1.5 …", string sender = "s@x.test")
    {
        await using ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(Lmtp);
        await lmtp.Send("LHLO t", $"MAIL FROM:<{sender}>", $"RCPT TO:<{recipient}>", "DATA");
        string line;
        do
            line = await lmtp.Line();
        while (!line.StartsWith("354"));
        await lmtp.SendRaw(message.ReplaceLineEndings("\r\n") + ".\r\n");
        await lmtp.Expect(reply);
    }

    public OperatorStore Operators => _made.Operators;

    /// <summary>Who is logged in, as administrators see it.</summary>
    public SessionTable SessionTable => _made.Sessions;

    /// <summary>What administrators tell the nodes.</summary>
    public DirectoryEvents Events => _made.Events;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A new account with the folders that new accounts have; its log-in name.</summary>
    public async Task<string> AccountAsync(long? maxBytes = null, string tenant = "test")
    {
        await StartAsync();
        return await _made.AddAsync(maxBytes, tenant);
    }

    /// <summary>Connections logged in to one new account: c[1] to c[count].</summary>
    public async Task<ImapClient[]> SessionsAsync(int count)
    {
        string user = await AccountAsync();
        var clients = new ImapClient[count + 1];
        for (int i = 1; i <= count; i++)
            clients[i] = await ImapClient.LoggedInAsync(Imap, user, Password);
        return clients;
    }

    /// <summary>As <see cref="SessionsAsync"/>, with INBOX selected and holding so many messages, which are \Recent in none of them.</summary>
    public async Task<ImapClient[]> SelectedAsync(int count, int messages = 0)
    {
        ImapClient[] c = await SessionsAsync(count);
        for (int i = 1; i <= messages; i++)
            await c[1].Append("fill", "INBOX", $"Subject: message {i}\r\n\r\nText {i}\r\n");
        await c[1].Run("fill SELECT INBOX");
        for (int i = 1; i <= count; i++)
            await c[i].Run("fill SELECT INBOX");
        return c;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            await _made.DisposeAsync();
        }
        if (Relay is not null)
            await Relay.DisposeAsync();
        await _postgres.DisposeAsync();
        _directory.Delete(true);
    }

    /// <summary>Stops the node with SIGTERM; its accounts, mail and ports stay.</summary>
    public async Task StopNodeAsync()
    {
        Process.Terminate();
        await Process.WaitForExitAsync();
        await Process.DisposeAsync();
    }

    /// <summary>Starts the node again after <see cref="StopNodeAsync"/>.</summary>
    public async Task StartNodeAsync() => _process = await RunNodeAsync();

    private Task<ServerProcess> RunNodeAsync() => ServerProcess.StartReadyAsync(["node", "--role", "all", "--config", _settings.Write(_directory.FullName)]);

    private async Task StartAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_process is not null)
                return;
            string connection = await _postgres.CreateDatabaseAsync();
            ConnectionString = connection;
            string way = connection;
            if (_throughRelay)
            {
                var direct = new NpgsqlConnectionStringBuilder(connection);
                Relay = new TcpRelay(new IPEndPoint(IPAddress.Loopback, direct.Port));
                way = new NpgsqlConnectionStringBuilder(connection) { Port = Relay.Port }.ConnectionString;
            }
            _settings.Further["Database:ConnectionString"] = way;
            string certificate = Path.Combine(_directory.FullName, "certificate.pem");
            await File.WriteAllTextAsync(certificate, SelfSigned());
            _settings.Further["Tls:Certificate"] = certificate;
            _settings.Further["Listen:Imaps:0"] = Imaps.ToString();
            _settings.Further["Listen:Pop3s:0"] = Pop3s.ToString();
            foreach (var (path, value) in _options)
                _settings.Further[path] = value;
            _process = await RunNodeAsync();
            _made = await TestAccounts.CreateAsync(connection);
        }
        finally
        {
            _gate.Release();
        }
    }

    // Any client that does not ask who signed it is content.
    private static string SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
