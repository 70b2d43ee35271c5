using System.Net;
using System.Security.Cryptography;
using MailCluster.Net;
using MailCluster.Server.Configuration;

namespace MailCluster.Server.Hosting;

/// <summary>The node's client doors: opened after the cluster was joined, closed first when the node goes down.</summary>
internal sealed partial class Doors(NodeOptions options, NodeState state, IServiceProvider services, ILoggerFactory logs) : IHostedService, IAsyncDisposable
{
    private readonly ILogger _log = logs.CreateLogger("MailCluster.Doors");
    private readonly NetServer _net = new(new NetServerOptions { MaxConnections = FileLimit.Connections() }, logs);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var open = new List<string>();
        var certificates = Certificates();
        var clients = options.Tls.ClientAuthorities is { } authorities ? ClientAuthorities.FromFile(authorities) : null;
        var listen = options.Listen;
        foreach (var (name, protocol, addresses) in new[]
        {
            ("imap", "imap", listen.Imap), ("imaps", "imap", listen.Imaps), ("old-imap", "old-imap", listen.OldImap), ("old-imaps", "old-imap", listen.OldImaps), ("pop3", "pop3", listen.Pop3), ("pop3s", "pop3", listen.Pop3s), ("lmtp", "lmtp", listen.Lmtp),
            ("sieve", "sieve", listen.Sieve),
            ("dovecot-auth", "dovecot-auth", listen.DovecotAuth), ("policy", "policy", listen.Policy), ("socketmap", "socketmap", listen.Socketmap),
        })
        {
            // Silos have no protocols: they open no doors, whatever their file says.
            if (services.GetKeyedService<IProtocol>(protocol) is not { } talk)
            {
                continue;
            }
            foreach (var address in addresses)
            {
                var listener = new ListenerOptions
                {
                    EndPoint = IPEndPoint.Parse(address),
                    ImplicitTls = name is "imaps" or "old-imaps" or "pop3s",
                    ProxyProtocol = listen.ProxyProtocol && protocol is ("imap" or "old-imap" or "pop3" or "sieve"),
                    TrustedNetworks = [.. listen.TrustedNetworks.Select(n => IPNetwork.Parse(n))],
                    ClientAuthorities = protocol == "lmtp" ? null : clients,
                    MaxConnections = options.Limits.Connections,
                    MaxConnectionsPerAddress = options.Limits.ConnectionsPerAddress,
                };
                open.Add($"{name} {await _net.ListenAsync(listener, talk, certificates)}");
            }
        }
        open.AddRange(listen.Http.Select(a => $"http {a}"));
        state.Doors = open;
        state.Serving = true;
    }

    /// <summary>Takes no new connections, lets running commands finish, says goodbye; what is left after the drain time is cut off.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // The host stops what was stopped before it.
        if (state.Draining)
        {
            return;
        }
        state.Draining = true;
        Draining(_log, _net.ConnectionCount);
        await _net.DrainAsync(TimeSpan.FromSeconds(options.Shutdown.DrainSeconds));
        Drained(_log);
    }

    /// <summary>Says goodbye and closes every connection, at once or within the time.</summary>
    public Task CloseAsync(TimeSpan patience) => _net.DrainAsync(patience);

    public ValueTask DisposeAsync() => _net.DisposeAsync();

    private PemCertificates? Certificates() => options.Tls is { Certificate: { } certificate } tls
        ? new([new(certificate, tls.Key ?? certificate)], logs.CreateLogger("MailCluster.Tls"), directory: tls.Directory)
        : null;

    /// <exception cref="OptionsException">The certificate's files can't be used.</exception>
    public static void CheckCertificate(TlsSection tls)
    {
        Use("Tls:ClientAuthorities", tls.ClientAuthorities, static f => ClientAuthorities.FromFile(f));
        // The key is looked at with its certificate: that they belong together is what can be wrong.
        Use(tls.Key is null ? "Tls:Certificate" : "Tls:Certificate' or 'Tls:Key", tls.Certificate,
            f => new PemCertificates([new(f, tls.Key ?? f)], Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        if (tls.Directory is { } directory && !Directory.Exists(directory))
        {
            throw new OptionsException($"The option 'Tls:Directory' names a directory that can't be used: {directory}");
        }
    }

    private static void Use(string option, string? file, Func<string, object> read)
    {
        if (file is null)
        {
            return;
        }
        try
        {
            _ = read(file);
        }
        // The name of a file may be empty.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new OptionsException($"The option '{option}' names a file that can't be used: {e.Message}");
        }
    }

    [LoggerMessage(LogLevel.Information, "Going down: no new connections, {Count} are asked to end")]
    private static partial void Draining(ILogger log, int count);

    [LoggerMessage(LogLevel.Information, "All connections are closed")]
    private static partial void Drained(ILogger log);
}
