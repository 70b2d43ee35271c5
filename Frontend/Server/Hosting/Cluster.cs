using System.Net;
using MailCluster.Server.Configuration;
using MailCluster.Storage;
using Npgsql;
using Orleans.Configuration;
using Orleans.Serialization;

namespace MailCluster.Server.Hosting;

/// <summary>Joins a node to the cluster: as a silo, or as a client of the silos. Membership, documents and reminders are in the schema "orleans".</summary>
internal static class Cluster
{
    private const string Invariant = "Npgsql";

    // Part of every key of grain state and reminders: it never changes, whatever a cluster is called.
    private const string ServiceId = "mailcluster";

    /// <summary>Connections for Orleans' own tables: it looks its statements up through the search path.</summary>
    public static NpgsqlDataSource OpenDataSource(NodeOptions options) => PostgresPool.Open(
        options.Database.ConnectionString, "cluster", $"mailcluster {options.Name} cluster", options.Database.MaxClusterConnections,
        static settings => settings.SearchPath = "orleans");

    public static void AddSilo(this WebApplicationBuilder builder, NodeOptions options, NpgsqlDataSource dataSource) => builder.UseOrleans(silo =>
    {
        var cluster = options.Cluster;
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (cluster.Id, ServiceId));
        silo.Configure<SiloOptions>(o => o.SiloName = options.Name);
        silo.Configure<EndpointOptions>(o =>
        {
            var address = IPAddress.Parse(cluster.Address);
            o.AdvertisedIPAddress = address;
            o.SiloPort = cluster.SiloPort;
            o.GatewayPort = cluster.GatewayPort;
            o.SiloListeningEndpoint = new(address, cluster.SiloPort);
            o.GatewayListeningEndpoint = new(address, cluster.GatewayPort);
        });
        silo.UseAdoNetClustering(o => (o.Invariant, o.DataSource) = (Invariant, dataSource));
        silo.AddAdoNetGrainStorageAsDefault(o => (o.Invariant, o.DataSource) = (Invariant, dataSource));
        silo.UseAdoNetReminderService(o => (o.Invariant, o.DataSource) = (Invariant, dataSource));
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            var probe = TimeSpan.FromMilliseconds(cluster.ProbeMilliseconds);
            o.ProbeTimeout = probe;
            o.MinProbeTimeout = probe / 2;
            o.MaxProbeTimeout = probe * 1.5;
            // Two are missed by a healthy silo that starts on a machine with far more work than processors.
            o.NumMissedProbesLimit = 3;
            o.NumVotesForDeathDeclaration = 2;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        });
        if (cluster.ShedAtMemoryPercent > 0)
        {
            silo.Configure<GrainCollectionOptions>(o =>
            {
                o.EnableActivationSheddingOnMemoryPressure = true;
                (o.MemoryUsageLimitPercentage, o.MemoryUsageTargetPercentage) = (cluster.ShedAtMemoryPercent, Math.Max(0, cluster.ShedAtMemoryPercent - 5));
            });
        }
        CarryExceptions(silo.Services);
        silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(cluster.ResponseSeconds));
    });

    public static void AddClient(this WebApplicationBuilder builder, NodeOptions options, NpgsqlDataSource dataSource) => builder.UseOrleansClient(client =>
    {
        client.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.Cluster.Id, ServiceId));
        client.UseAdoNetClustering(o => (o.Invariant, o.DataSource) = (Invariant, dataSource));
        client.Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = TimeSpan.FromSeconds(3));
        CarryExceptions(client.Services);
        client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(options.Cluster.ResponseSeconds));
        // A front end that starts before the first silo waits for it, for as long as it takes.
        client.UseConnectionRetryFilter(async (_, cancellationToken) =>
        {
            Console.WriteLine("waiting for a silo");
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            return true;
        });
    });

    /// <summary>Exceptions of ours and of the driver reach the calling node as what they are: it tells outages, which it tries again, from bugs by their type.</summary>
    internal static void CarryExceptions(IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.UnionWith(["MailCluster", "Npgsql"]));
}
