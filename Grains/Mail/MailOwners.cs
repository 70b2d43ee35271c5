using MailCluster.Storage.Accounts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.DependencyInjection;

namespace MailCluster.Grains;

/// <summary>What the owners of accounts and mailboxes need on a silo.</summary>
public static class MailOwners
{
    public static IServiceCollection AddMailOwners(this IServiceCollection services)
    {
        services.AddOptions<LaneOptions>();
        services.AddOptions<AccountOptions>();
        services.AddSingleton<CommitLanes>();
        services.AddSingleton<OwnedMailboxes>();
        services.AddSingleton<MailboxStore>();
        services.AddSingleton<AccountTreeStore>();
        services.AddSingleton<DirectoryStore>();
        return services;
    }
}
