using System.Diagnostics;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Orleans.Concurrency;

namespace MailCluster.Grains;

/// <summary>Looks addresses up, on every silo at once.</summary>
[StatelessWorker, Reentrant, GrainType("directory")]
public sealed class DirectoryGrain(DirectoryStore directory, LoginStore logins) : Grain, IDirectoryGrain
{
    public async ValueTask<AccountRef?> FindUser(string user)
    {
        using Activity? span = MailTraces.Owner(nameof(FindUser));
        return await directory.FindUserAsync(user);
    }

    public async ValueTask<AccountRef?> FindNeighbour(string user, TenantId tenant) => await directory.FindUserAsync(user, tenant);

    public async ValueTask<IReadOnlyList<TokenIssuer>> FindIssuers(string? user, string? issuer) => await logins.FindIssuersAsync(user, issuer);

    public async ValueTask<bool> IsOperator(string name) => await logins.FindOperatorAsync(name) is not null;

    public async ValueTask<IReadOnlyList<Recipient>> FindRecipients(string address)
    {
        using Activity? span = MailTraces.Owner(nameof(FindRecipients));
        return await directory.FindRecipientsAsync(address);
    }

    public async ValueTask<bool> HasDomain(string domain) => await directory.HasDomainAsync(domain);

    public async ValueTask<IReadOnlyList<string>> FindAlias(string address) => await directory.FindAliasAsync(address);
}
