using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Grains;
using MailCluster.Imap;
using MailCluster.Imap.Search;
using MailCluster.Lmtp;
using MailCluster.Mta.DovecotAuth;
using MailCluster.Mta.Policy;
using MailCluster.Mta.Socketmap;
using MailCluster.Net;
using MailCluster.Pop3;
using MailCluster.Sasl;
using MailCluster.Server.Configuration;
using MailCluster.Storage;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Storage.Maintenance;
using MailCluster.Storage.Search;

namespace MailCluster.Server.Hosting;

/// <summary>The mail store's own parts: PostgreSQL for every node, stores and lanes for silos, protocols for front ends.</summary>
internal static class Mail
{
    public static void AddMail(this IServiceCollection services, NodeOptions options, MailDatabase database, NodeRole role)
    {
        // By factory, not by instance: the container closes what it made, after everything that uses it.
        services.AddSingleton(_ => database);
        services.AddSingleton(s => s.GetRequiredService<MailDatabase>().Main);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IdBlocks>();
        services.AddSingleton(new BodyOptions { Patience = options.Limits.CommandTime / 2 });
        // Only a process that has both doors and lanes has commits that can take bodies along.
        if (role == NodeRole.All)
            services.AddSingleton<HeldBodies>();
        services.AddSingleton(s => new MessageBodies(
            database.Main, IdBlocks.ForBodies(database.Main), s.GetRequiredService<BodyOptions>(), s.GetService<HeldBodies>(), database.Messages));
        services.AddSingleton<IMessageBodies>(s => s.GetRequiredService<MessageBodies>());
        services.AddSingleton<TenantStore>();
        services.AddSingleton<AccountStore>();
        services.AddSingleton<DirectoryEvents>();
        services.AddMembership(options, role);
        if (role != NodeRole.Frontend)
        {
            services.AddMailOwners();
            services.Configure<AccountOptions>(o =>
                (o.MaxConnections, o.MaxConnectionsPerAddress, o.SessionLease, o.MaxMessageAnnotationOctets, o.MaxMessageAnnotations) =
                    (options.Limits.AccountConnections, options.Limits.AccountConnectionsPerAddress, TimeSpan.FromSeconds(options.Limits.SessionLeaseSeconds),
                        options.Limits.AnnotationOctets, options.Limits.MessageAnnotations));
            services.Configure<LaneOptions>(o => o.QueueDeadline = options.Limits.CommandTime);
            services.AddSingleton(new CollectorOptions
            {
                ExpungedDays = options.Maintenance.ExpungedDays,
                ExpungedFor = options.Maintenance.ExpungedSeconds > 0 ? TimeSpan.FromSeconds(options.Maintenance.ExpungedSeconds) : null,
                StagedFor = TimeSpan.FromHours(options.Maintenance.StagedHours),
            });
            services.AddSingleton<Collector>();
            services.AddHostedService<MaintenanceService>();
            services.AddSingleton<OwnerInquiries>();
            services.AddHostedService<OwnerDesk>();
            services.AddHostedService<VersionNote>();
        }
        services.AddHostedService<OutageLog>();
        if (role != NodeRole.Silo)
        {
            AddDoors(services, options);
        }
    }

    private static void AddDoors(IServiceCollection services, NodeOptions options)
    {
        services.AddSingleton<SessionTable>();
        services.AddSingleton<IMessageAnnotations>(static s => new MessageAnnotations(s.GetRequiredService<MailDatabase>().Main));
        services.AddHostedService<SessionKeeper>();
        services.AddSingleton(s => new MailClusterClient(
            s.GetRequiredService<IGrainFactory>(), new CachedBodies(s.GetRequiredService<IMessageBodies>(), options.Limits.CacheMegabytes * 1024L * 1024),
            s.GetRequiredService<ILocalMailboxes>(),
            new()
            {
                FrontEnd = options.Name, RetryFor = options.Limits.CommandTime, WatchedAccounts = options.Limits.WatchedAccounts, SliceMessages = options.Limits.SliceMessages,
                SessionRenewal = TimeSpan.FromSeconds(options.Limits.SessionLeaseSeconds) / 3,
            },
            s.GetRequiredService<ILoggerFactory>(), accounts: s.GetService<ILocalAccounts>()));
        services.AddSingleton(s => new SaslServer(
            s.GetRequiredService<MailClusterClient>(), options.Login.Mechanisms is { Length: > 0 } mechanisms ? new SaslOptions { Mechanisms = mechanisms } : null));
        services.AddKeyedSingleton<IProtocol>("imap", (s, _) => new ImapProtocol(
            s.GetRequiredService<MailClusterClient>(), Imap(options), s.GetRequiredService<ILoggerFactory>(), indexer: s.GetService<SearchIndexer>(), sasl: s.GetRequiredService<SaslServer>(),
            annotations: s.GetRequiredService<IMessageAnnotations>()));
        services.AddKeyedSingleton<IProtocol>("old-imap", (s, _) => new ImapProtocol(
            s.GetRequiredService<MailClusterClient>(), Imap(options) with { Dialects = true }, s.GetRequiredService<ILoggerFactory>(), indexer: s.GetService<SearchIndexer>(), sasl: s.GetRequiredService<SaslServer>(),
            annotations: s.GetRequiredService<IMessageAnnotations>()));
        if (options.Limits.SearchIndexPercent > 0)
        {
            services.AddSingleton(s => new SearchIndexer(
                new SearchIndex(s.GetRequiredService<MailDatabase>().Main, s.GetRequiredService<BodyOptions>()), s.GetRequiredService<IMessageBodies>(), options.Limits.SearchIndexPercent,
                s.GetRequiredService<ILogger<SearchIndexer>>()));
        }
        services.AddKeyedSingleton<IProtocol>("pop3", (s, _) => new Pop3Protocol(
            s.GetRequiredService<MailClusterClient>(), Pop3(options), s.GetRequiredService<ILoggerFactory>(), sasl: s.GetRequiredService<SaslServer>()));
        services.AddKeyedSingleton<IProtocol>("dovecot-auth", (s, _) => new DovecotAuthProtocol(s.GetRequiredService<SaslServer>()));
        services.AddKeyedSingleton<IProtocol>("policy", (s, _) => new PolicyProtocol(s.GetRequiredService<MailClusterClient>()));
        services.AddKeyedSingleton<IProtocol>("socketmap", (s, _) => new SocketmapProtocol(s.GetRequiredService<MailClusterClient>()));
        services.AddKeyedSingleton<IProtocol>("lmtp", (s, _) => new LmtpProtocol(
            s.GetRequiredService<MailClusterClient>(), Lmtp(options), s.GetRequiredService<ILoggerFactory>(), filters: s.GetRequiredService<IMailFilters>(),
            filtering: FilterServices.AtDelivery(options)));
        services.AddFilters(options);
    }

    private static ImapOptions Imap(NodeOptions options) => new()
    {
        AppendLimit = options.Limits.MessageMegabytes * 1024L * 1024,
        LoginTimeout = TimeSpan.FromSeconds(options.Limits.LoginSeconds),
        MessageLimit = options.Limits.CommandMessages == 0 ? null : options.Limits.CommandMessages,
        CompressedConnections = options.Limits.CompressedConnections,
        AnnotationOctets = options.Limits.AnnotationOctets,
        IdleTimeout = TimeSpan.FromMinutes(options.Limits.IdleMinutes),
        AllowPlaintextLogin = options.Listen.AllowPlaintextLogin,
        AppendEightBitHeaders = options.Listen.Append8BitHeaders,
        Language = options.Listen.ImapLanguage,
        Version = typeof(Mail).Assembly.GetName().Version?.ToString(3),
    };

    private static Pop3Options Pop3(NodeOptions options) => new()
    {
        LoginTimeout = TimeSpan.FromSeconds(options.Limits.LoginSeconds),
        IdleTimeout = TimeSpan.FromMinutes(options.Limits.Pop3IdleMinutes),
        LoginDelay = TimeSpan.FromSeconds(options.Limits.Pop3LoginDelaySeconds),
        AllowPlaintextLogin = options.Listen.AllowPlaintextLogin,
        EightBitHeaders = options.Listen.Pop3EightBitHeaders,
        Version = typeof(Mail).Assembly.GetName().Version?.ToString(3),
    };

    private static LmtpOptions Lmtp(NodeOptions options) => new() { HostName = options.Name, MaxMessageSize = options.Limits.MessageMegabytes * 1024L * 1024 };
}
