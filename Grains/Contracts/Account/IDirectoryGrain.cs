namespace MailCluster.Contracts;

/// <summary>Who an address is. Stateless workers; answers may be some seconds old, which matters nowhere: the account's owner has the last word. Key: 0.</summary>
[Alias("MailCluster.IDirectoryGrain")]
public interface IDirectoryGrain : IGrainWithIntegerKey
{
    /// <summary>The account that logs in with <paramref name="user"/>; null when there is none.</summary>
    [Alias("FindUser")]
    ValueTask<AccountRef?> FindUser(string user);

    /// <summary>The account that logs in with <paramref name="user"/>, where its tenant is <paramref name="tenant"/> or shares with it; null when there is none.</summary>
    [Alias("FindNeighbour")]
    ValueTask<AccountRef?> FindNeighbour(string user, TenantId tenant);

    /// <summary>The token issuer of the tenant of a user's domain, whether there is the user or not, or those of all tenants that have the issuer of a name; empty where there is none.</summary>
    [Alias("FindIssuers")]
    ValueTask<IReadOnlyList<TokenIssuer>> FindIssuers(string? user, string? issuer);

    /// <summary>Whether there is an operator of this name.</summary>
    [Alias("IsOperator")]
    ValueTask<bool> IsOperator(string name);

    /// <summary>
    /// Whom mail to <paramref name="address"/> (local-part@domain, sub-address included) goes to: an account, the accounts of an alias (aliases of
    /// aliases followed, bounded); empty when there is nobody.
    /// </summary>
    [Alias("FindRecipients")]
    ValueTask<IReadOnlyList<Recipient>> FindRecipients(string address);

    /// <summary>Whether a domain is a tenant's.</summary>
    [Alias("HasDomain")]
    ValueTask<bool> HasDomain(string domain);

    /// <summary>The targets of an alias of exactly this address, addresses elsewhere included; empty when it is none.</summary>
    [Alias("FindAlias")]
    ValueTask<IReadOnlyList<string>> FindAlias(string address);
}

[GenerateSerializer, Immutable, Alias("AccountRef")]
public sealed record AccountRef([property: Id(0)] AccountId Account, [property: Id(1)] TenantId Tenant, [property: Id(2)] string User);

/// <param name="Detail">What followed the '+' (RFC 5233), or null: the folder that delivery tries first.</param>
[GenerateSerializer, Immutable, Alias("Recipient")]
public sealed record Recipient([property: Id(0)] AccountRef Account, [property: Id(1)] string? Detail);
