using System.Net;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage;
using MailCluster.Storage.Maintenance;
using MailCluster.Storage.Schema;
using Npgsql;
using OpenTelemetry.Metrics;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>One node of the cluster in this process: the composition root.</summary>
internal static class Node
{
    /// <summary>
    /// Series of one metric at most; what is beyond is counted together (<c>otel.metric.overflow</c>). Room for all of them is taken at once: with the 2,000 of OpenTelemetry's default, 25 MB for its 140 metrics. IMAP counts some 80 commands by three results.
    /// </summary>
    private const int SeriesOfAMetric = 500;

    /// <summary>Checks ports, certificate and schema, then builds the node; nothing listens before it is started.</summary>
    /// <exception cref="SchemaException">The database's schema does not fit this program.</exception>
    /// <exception cref="OptionsException">A port is taken, the certificate can't be used, or the database can't be reached.</exception>
    public static async Task<WebApplication> BuildAsync(NodeOptions options, NodeRole role)
    {
        Ports.CheckFree(options, role);
        Doors.CheckCertificate(options.Tls);
        var mail = OpenMail(options);
        await CheckDatabaseAsync(mail, options);
        var cluster = Cluster.OpenDataSource(options);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "MailCluster.Server", EnvironmentName = "Production" });
        AddLogs(builder.Logging, options.Log);
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(new NodeState());
        services.AddMail(options, mail, role);
        services.AddKeyedSingleton("cluster", (_, _) => cluster);
        services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(options.Shutdown.DrainSeconds + 20));
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var address in options.Listen.Http)
            {
                kestrel.Listen(IPEndPoint.Parse(address));
            }
        });
        if (options.Listen.Http.Length == 0)
        {
            builder.WebHost.UseServer(new NoHttp());
        }
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("MailCluster.*", "Microsoft.Orleans", "Npgsql", "System.Runtime")
            .AddView(static _ => new MetricStreamConfiguration { CardinalityLimit = SeriesOfAMetric })
            // What is read is what is true now, not what somebody else was told a moment ago.
            .AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0));

        if (role == NodeRole.Frontend)
        {
            builder.AddClient(options, cluster);
        }
        else
        {
            services.AddSingleton<IFatalErrorHandler, FatalError>();
            builder.AddSilo(options, cluster);
        }
        // Hosted services start in this order and stop in the opposite one: the doors open last and close first.
        services.AddSingleton<Doors>();
        services.AddHostedService(s => s.GetRequiredService<Doors>());

        var app = builder.Build();
        app.UseRouting();
        app.MapHealth();
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    /// <summary>
    /// Waits for a signal (or for the node to stop by itself), then goes down in order: the doors drain while /readyz still answers, and says no;
    /// then HTTP ends and the silo hands its mailboxes over.
    /// </summary>
    public static async Task RunToEndAsync(WebApplication node, CancellationToken stop)
    {
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(stop, node.Lifetime.ApplicationStopping))
        {
            await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await node.Services.GetRequiredService<Doors>().StopAsync(CancellationToken.None);
        await node.StopAsync();
    }

    private static MailDatabase OpenMail(NodeOptions options)
    {
        try
        {
            return new(options.Database.ConnectionString, $"mailcluster {options.Name}", options.Database.MaxConnections, options.Limits.CommandSeconds);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new OptionsException($"The option 'Database:ConnectionString' can't be understood: {e.Message}");
        }
    }

    private static async Task CheckDatabaseAsync(MailDatabase mail, NodeOptions options)
    {
        try
        {
            await SchemaMigrator.CheckAsync(mail.Main);
            if (await RestoredCluster.IsUnfinishedAsync(mail.Main))
            {
                throw new OptionsException("The database was restored from a backup and is not ready to be served: run 'mailcluster admin cluster restored' to its end first.");
            }
        }
        // A file that the connection string names may be missing (Passfile, Root Certificate).
        catch (Exception e) when (e is NpgsqlException or StoreUnavailableException or IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"PostgreSQL at {PostgresPool.Where(options.Database.ConnectionString)} (option 'Database:ConnectionString') does not let this node in: {PostgresPool.Reason(e)}");
        }
    }

    private static void AddLogs(ILoggingBuilder logging, LogSection options)
    {
        logging.SetMinimumLevel(options.Level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Orleans", LogLevel.Warning);
        // What stops the start is thrown as well.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // Advice about garbage collection, and a watchdog that takes the time since the machine's boot for a stall at its first look.
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        logging.AddFilter("Npgsql", LogLevel.Warning);
        logging.AddFilter("Polly", LogLevel.Warning);
        if (options.Json)
        {
            logging.AddJsonConsole(o => (o.IncludeScopes, o.UseUtcTimestamp, o.TimestampFormat) = (true, true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        }
        else
        {
            logging.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                o.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            });
        }
        // The formatters stay, what writes is ours.
        logging.ClearProviders();
        logging.Services.AddSingleton<ILoggerProvider, GatheredLog>();
    }
}
