using MailCluster.Contracts;
using MailCluster.Storage;
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
        services.AddSingleton(static s =>
        {
            var database = s.GetRequiredService<MailDatabase>();
            database.BelongsTo(s.GetRequiredService<ILocalSiloDetails>().SiloAddress);
            return ActivatorUtilities.CreateInstance<CommitLanes>(s, database);
        });
        services.AddSingleton<OwnedMailboxes>();
        services.AddPlacementDirector<NamedSilo, NamedSiloDirector>();
        services.AddSingleton<LocalAccounts>();
        services.AddSingleton<ILocalAccounts>(static s => s.GetRequiredService<LocalAccounts>());
        services.AddSingleton<MailboxStore>();
        services.AddSingleton<VersionWatch>();
        services.AddSingleton<AccountTreeStore>();
        services.AddSingleton(static s => new QuotaStore(s.GetRequiredService<MailDatabase>().Main));
        services.AddSingleton(static s => new MetadataStore(s.GetRequiredService<MailDatabase>().Main));
        services.AddSingleton<DirectoryStore>();
        services.AddSingleton<LoginStore>();
        services.AddSingleton<LdapDirectory>();
        return services;
    }
}
