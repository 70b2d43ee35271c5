using System.CommandLine;
using MailCluster.Contracts;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin tenant oauth …</c></summary>
internal static class TenantOAuthCommand
{
    public static Command Create()
    {
        var listing = new Listing();
        var name = new Argument<string>("NAME");
        var issuer = new Option<string?>("--issuer") { Description = "URL: the 'iss' of the tokens" };
        var audience = new Option<string?>("--audience") { Description = "must be in the 'aud' of a token" };
        var metadata = new Option<string?>("--metadata") { Description = "URL of the discovery document (default: the issuer with /.well-known/openid-configuration)" };
        var jwks = new Option<string?>("--jwks") { Description = "URL of the keys, where there is no discovery document" };
        var introspection = new Option<string?>("--introspection") { Description = "URL that is asked about every token (RFC 7662), in place of keys" };
        var client = new Option<string?>("--client-id") { Description = "of the mail store at the introspection endpoint" };
        var secret = new Option<bool>("--client-secret-stdin") { Description = "its secret is the first line of standard input" };
        var claim = new Option<string>("--user-claim") { Description = "the claim with the user's address", DefaultValueFactory = static _ => "email" };
        var scope = new Option<string?>("--scope") { Description = "must be among a token's scopes (default: none is needed)" };
        var skew = NumberOption.Create("--skew", "seconds that the issuer's clock may differ", usually: 60, least: 0, most: 600);
        var remove = new Option<bool>("--remove") { Description = "no tokens any more" };
        return AdminTarget.Command("oauth", "Shows, sets or removes whose tokens (OAUTHBEARER, XOAUTH2) a tenant's users log in with.",
            [name, issuer, audience, metadata, jwks, introspection, client, secret, claim, scope, skew, remove, listing.Json], async (stores, parsed) =>
        {
            string tenant = parsed.GetRequiredValue(name);
            if (parsed.GetValue(remove))
                return AdminTarget.Report(await stores.Tenants.SetIssuerAsync(tenant, null), $"tenant {tenant} takes no tokens");
            if (parsed.GetValue(issuer) is not { } url)
            {
                return await stores.Tenants.GetIssuerAsync(tenant) is { } known
                    ? listing.Print(
                        parsed, [known], null,
                        i => new { i.Issuer, i.Audience, i.Metadata, i.Jwks, i.Introspection, i.ClientId, i.UserClaim, i.Scope, i.SkewSeconds },
                        ("ISSUER", i => i.Issuer), ("AUDIENCE", i => i.Audience), ("KEYS", i => i.Introspection is { } ask ? "asks " + ask : i.Jwks ?? i.MetadataUrl), ("USER CLAIM", i => i.UserClaim), ("SCOPE", i => i.Scope ?? "-"))
                    : AdminTarget.Refuse($"There is no tenant '{tenant}' that takes tokens.");
            }
            if (parsed.GetValue(audience) is not { } meant)
                return AdminTarget.Refuse("Say --audience: tokens for other services must not open mail.");
            var set = new TokenIssuer(default, url, meant, parsed.GetValue(metadata), parsed.GetValue(jwks), parsed.GetValue(introspection), parsed.GetValue(client),
                parsed.GetValue(secret) ? Console.ReadLine() : null, parsed.GetRequiredValue(claim), parsed.GetValue(scope), parsed.GetValue(skew));
            return AdminTarget.Report(await stores.Tenants.SetIssuerAsync(tenant, set), $"tenant {tenant} takes tokens of {url}");
        });
    }
}
