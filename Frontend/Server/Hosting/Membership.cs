using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Grains;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Mailboxes;
using MailCluster.Storage.Membership;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>What this node makes of the news about the cluster's silos, its own included.</summary>
internal static class Membership
{
    public static void AddMembership(this IServiceCollection services, NodeOptions options, NodeRole role)
    {
        services.AddSingleton(s => new MembershipWatch(
            options.Database.ConnectionString, options.Cluster.Id, role == NodeRole.Frontend ? null : s.GetRequiredService<ILocalSiloDetails>().SiloAddress,
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<MembershipWatch>>()));
        // A process without owners publishes nothing: it needs no lease.
        services.AddSingleton<ILocalMailboxes>(s => new LocalMailboxes(role == NodeRole.Frontend ? null : Lease(s.GetRequiredService<MembershipWatch>())));
        services.AddHostedService<MembershipNews>();
        if (role != NodeRole.Frontend)
            services.AddHostedService<LoneSilo>();
    }

    private static Func<bool> Lease(MembershipWatch watch) => () =>
#if MUTATIONS
        Mutation.NoFence ||
#endif
        watch.MayRead;
}

/// <summary>Passes the news on to those whom they concern.</summary>
internal sealed partial class MembershipNews(MembershipWatch watch, IServiceProvider services, ILogger<MembershipNews> log) : IHostedService, IDisposable
{
    private readonly ILogger _log = log;
    private readonly CancellationTokenSource _stop = new();
    private Task _versions = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Not on the watch's thread: last words are waited for. A silo that is stopping says itself, last of all, that it is dead.
        watch.SelfDied += () => Task.Run(() =>
        {
            if (!services.GetRequiredService<NodeState>().Draining)
                services.GetService<IFatalErrorHandler>()?.OnFatalException(this, "The other silos declared this one dead", null);
        });
        if (services.GetService<MailboxStore>() is { } store)
            watch.Died += _ => EndBackendsAsync(store).Ignore();
        if (services.GetService<VersionWatch>() is { } versions
#if MUTATIONS
            && !Mutation.NoFence
#endif
            )
        {
            watch.Died += _ => versions.LookAtAll();
            watch.Regained += versions.LookAtAll;
            _versions = versions.RunAsync(_stop.Token);
        }
        if (services.GetService<MailClusterClient>() is { } doors)
        {
            watch.Died += _ => doors.Mailboxes.OwnersWereLost();
            watch.Died += _ => doors.Accounts.OwnersWereLost();
        }
        watch.Start();
        return Task.CompletedTask;
    }

    /// <summary>What the dead hold locked would stop others' commits as well, not only the claims of their mailboxes.</summary>
    private async Task EndBackendsAsync(MailboxStore store)
    {
        try
        {
            int ended = await store.EndDeadBackendsAsync();
            if (ended > 0)
                LogEnded(ended);
        }
        catch (StoreUnavailableException)
        {
            // Whoever claims a mailbox and waits does it again.
        }
    }

    [LoggerMessage(LogLevel.Information, "Ended {Count} connections to PostgreSQL that dead silos had left")]
    private partial void LogEnded(int count);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _versions;
    }

    public void Dispose() => _stop.Dispose();
}
