using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Lmtp.Filtering;
using MailCluster.ManageSieve;
using MailCluster.Net;
using MailCluster.Outgoing;
using MailCluster.Sasl;
using MailCluster.Server.Configuration;
using MailCluster.Sieve;
using MailCluster.Storage;
using MailCluster.Storage.Filters;

namespace MailCluster.Server.Hosting;

/// <summary>A front end's part in filters: where they are kept, the door that users change them through, and the sender of what they write.</summary>
internal static class FilterServices
{
    public static void AddFilters(this IServiceCollection services, NodeOptions options)
    {
        services.AddSingleton<IMailFilters>(s => new MailFilters(s.GetRequiredService<MailDatabase>().Main, options.Limits.CommandTime / 2));
        services.AddSingleton<IScriptStore>(s => new ScriptStore(s.GetRequiredService<MailDatabase>().Main));
        services.AddSingleton<IOutbox>(s => new Outbox(s.GetRequiredService<MailDatabase>().Main));
        services.AddKeyedSingleton<IProtocol>("sieve", (s, _) => new ManageSieveProtocol(
            s.GetRequiredService<IScriptStore>(), s.GetRequiredService<SaslServer>(), Door(options), s.GetRequiredService<ILoggerFactory>()));
        if (options.Sieve.JunkSeconds > 0)
        {
            services.AddSingleton(s => new JunkReporter(
                new JunkReports(s.GetRequiredService<MailDatabase>().Main), s.GetRequiredService<IMessageBodies>(), TimeSpan.FromSeconds(options.Sieve.JunkSeconds),
                s.GetRequiredService<ILoggerFactory>()));
            services.AddHostedService<JunkService>();
        }
        if (RelayOf(options) is { } relay)
        {
            services.AddSingleton(s => new OutboxSender(
                s.GetRequiredService<IOutbox>(), s.GetRequiredService<IMailFilters>(), s.GetRequiredService<MailClusterClient>(), relay, s.GetRequiredService<ILoggerFactory>()));
            services.AddHostedService<OutboxService>();
        }
    }

    public static FilterOptions AtDelivery(NodeOptions options) => new()
    {
        Outgoing = options.Sieve.Relay is not null,
        Limits = Limits(options),
        OutgoingADay = options.Sieve.OutgoingADay,
        Spam = new(options.Sieve.SpamField, options.Sieve.SpamMaximum, options.Sieve.VirusField),
    };

    /// <summary>What scripts may take, at the door and at delivery.</summary>
    public static SieveLimits Limits(NodeOptions options) => SieveLimits.Default with { ScriptOctets = options.Sieve.ScriptKilobytes * 1024, Redirects = options.Sieve.Redirects };

    private static ManageSieveOptions Door(NodeOptions options) => new()
    {
        Limits = Limits(options),
        Outgoing = options.Sieve.Relay is not null,
        Quota = new(options.Sieve.Scripts, options.Sieve.AllScriptsKilobytes * 1024L),
        LoginTimeout = TimeSpan.FromSeconds(options.Limits.LoginSeconds),
        IdleTimeout = TimeSpan.FromMinutes(options.Limits.IdleMinutes),
        AllowPlaintextLogin = options.Listen.AllowPlaintextLogin,
        Version = typeof(FilterServices).Assembly.GetName().Version?.ToString(3),
    };

    private static RelayOptions? RelayOf(NodeOptions options)
    {
        SieveSection sieve = options.Sieve;
        if (sieve.Relay is not { } relay)
            return null;
        (string host, int port) = HostAndPortAttribute.Parse(relay)!.Value;
        return new RelayOptions
        {
            Host = host, Port = port, Tls = sieve.RelayTls, User = sieve.RelayUser, Password = sieve.RelayPassword, HostName = options.Name,
            FirstRetry = TimeSpan.FromSeconds(sieve.RetrySeconds), GiveUpAfter = TimeSpan.FromHours(sieve.GiveUpHours),
        };
    }
}

/// <summary>Sends what filters have written, while the node runs.</summary>
internal sealed class OutboxService(OutboxSender sender) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => sender.RunAsync(stoppingToken);
}

/// <summary>Tells spam filters what users take for spam, while the node runs.</summary>
internal sealed class JunkService(JunkReporter reporter) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => reporter.RunAsync(stoppingToken);
}
