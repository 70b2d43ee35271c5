using System.Text.Json;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>
/// OAUTHBEARER (RFC 7628) and XOAUTH2: a token of the tenant's issuer in place of a password. Whose it is the token says; whom the client names must be the same.
/// A refusal is told as JSON first (RFC 7628 §3.2.2), and fails when the client has answered that.
/// </summary>
internal sealed class BearerExchange(SaslServer server, SaslConnection connection, string mechanism) : SaslExchange(mechanism)
{
    /// <summary>Tenants that share an issuer and are tried where the client names nobody.</summary>
    private const int MostIssuers = 20;

    private SaslFailure? _failure;
    private bool _asked;

    private protected override async ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (_failure is { } told)
            return told;
        if (response is null)
        {
            if (_asked)
                return Malformed("A response is missing");
            _asked = true;
            return SaslChallenge.Empty;
        }
        _asked = true;
        if (BearerMessage.Parse(response, Mechanism == "XOAUTH2") is not { } message)
            return Malformed($"The response is not one of {Mechanism}");
        MailResult<IReadOnlyList<TokenIssuer>> issuers = await IssuersAsync(message, cancellationToken).ConfigureAwait(false);
        if (issuers.Error is { } away)
            return new SaslFailure(away);
        var refused = new VerifiedToken(null, "invalid_token", "no token issuer for this user");
        TokenIssuer? last = null;
        foreach (TokenIssuer issuer in issuers.Value!.Take(MostIssuers))
        {
            last = issuer;
            refused = await server.Tokens.VerifyAsync(message.Token, issuer, cancellationToken).ConfigureAwait(false);
            if (refused.User is not { } user)
                continue;
            if (message.User is { } named && !named.Equals(user, StringComparison.OrdinalIgnoreCase))
            {
                server.Refuse(Mechanism, named, connection, "token: of another user");
                return new SaslFailure(new MailError(MailErrorCode.AuthorizationFailed, "The token is another user's."));
            }
            MailResult<LoginOutcome> result = await server.LoginAsync(
                Mechanism, new LoginCredentials(user) { Verified = "token", Tenant = issuer.Tenant }, connection, cancellationToken).ConfigureAwait(false);
            return result.IsOk ? HandOut(result.Value) : result.Error.Code == MailErrorCode.AuthenticationFailed ? Tell(last, "invalid_token", result.Error) : new SaslFailure(result.Error);
        }
        server.Refuse(Mechanism, message.User ?? "", connection, refused.Reason);
        return refused.Away
            ? new SaslFailure(new MailError(MailErrorCode.Unavailable, "The issuer of the token can't be asked now, try again later."))
            : Tell(last, refused.Status, new MailError(MailErrorCode.AuthenticationFailed, "Authentication failed."));
    }

    private async ValueTask<MailResult<IReadOnlyList<TokenIssuer>>> IssuersAsync(BearerMessage message, CancellationToken cancellationToken)
    {
        if (message.User is { } user)
            return await server.Cluster.AskAsync(() => server.Cluster.Directory.FindIssuers(user, null), cancellationToken).ConfigureAwait(false);
        return server.Tokens.IssuerOf(message.Token) is { Length: > 0 } issuer
            ? await server.Cluster.AskAsync(() => server.Cluster.Directory.FindIssuers(null, issuer), cancellationToken).ConfigureAwait(false)
            : new MailResult<IReadOnlyList<TokenIssuer>>([], null);
    }

    private SaslChallenge Tell(TokenIssuer? issuer, string status, MailError error)
    {
        _failure = new SaslFailure(error);
        return new SaslChallenge(Mechanism == "XOAUTH2"
            ? JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["status"] = status == "insufficient_scope" ? "403" : "401", ["schemes"] = "bearer", ["scope"] = issuer?.Scope ?? "" })
            : JsonSerializer.SerializeToUtf8Bytes(Told()));

        Dictionary<string, string> Told()
        {
            var told = new Dictionary<string, string> { ["status"] = status };
            if (issuer?.Scope is { } scope)
                told["scope"] = scope;
            if (issuer is { Jwks: null, Introspection: null } or { Metadata: not null })
                told["openid-configuration"] = issuer.MetadataUrl;
            return told;
        }
    }
}
