namespace MailCluster.Contracts;

/// <summary>Who signs or knows the tokens of a tenant's users (OAUTHBEARER, XOAUTH2).</summary>
/// <param name="Issuer">The "iss" of its tokens, a URL.</param>
/// <param name="Audience">Must be among the "aud" of a token: tokens for other services open no mail.</param>
/// <param name="Metadata">URL of its discovery document (OpenID Connect Discovery); null: the issuer with /.well-known/openid-configuration behind it.</param>
/// <param name="Jwks">URL of its keys (RFC 7517) where it has no discovery document.</param>
/// <param name="Introspection">URL that is asked about every token (RFC 7662), in place of keys; for tokens that are no JWT.</param>
/// <param name="ClientId">Of the mail store at the introspection endpoint.</param>
/// <param name="ClientSecret">Never logged.</param>
/// <param name="UserClaim">The claim with the user's address.</param>
/// <param name="Scope">Must be among a token's scopes; null: none is needed.</param>
/// <param name="SkewSeconds">How much the issuer's clock may differ.</param>
[GenerateSerializer, Immutable, Alias("TokenIssuer")]
public sealed record TokenIssuer(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] string Issuer,
    [property: Id(2)] string Audience,
    [property: Id(3)] string? Metadata,
    [property: Id(4)] string? Jwks,
    [property: Id(5)] string? Introspection,
    [property: Id(6)] string? ClientId,
    [property: Id(7)] string? ClientSecret,
    [property: Id(8)] string UserClaim,
    [property: Id(9)] string? Scope,
    [property: Id(10)] int SkewSeconds)
{
    /// <summary>Where clients find out how to get a token.</summary>
    public string MetadataUrl => Metadata ?? Issuer.TrimEnd('/') + "/.well-known/openid-configuration";

    /// <summary>Without the secret.</summary>
    public override string ToString() => Issuer;
}
