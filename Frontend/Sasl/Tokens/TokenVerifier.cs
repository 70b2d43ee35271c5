using System.Collections.Concurrent;
using System.Net;
using MailCluster.Contracts;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace MailCluster.Sasl;

/// <summary>What became of a token.</summary>
/// <param name="User">Whose it is; null where it is none.</param>
/// <param name="Status">For the client (RFC 6750 §3.1): invalid_token, insufficient_scope.</param>
/// <param name="Reason">For the log; never the token.</param>
/// <param name="Away">The issuer could not be asked.</param>
internal sealed record VerifiedToken(string? User, string Status, string Reason, bool Away = false);

/// <summary>
/// Checks tokens: JWTs by their issuer's keys (RFC 7519), others by asking the issuer (RFC 7662). Keys are kept for half a day, and asked for anew by a token that names one that is not
/// known, at most every half minute an issuer. One object a process.
/// </summary>
internal sealed class TokenVerifier
{
    /// <summary>Issuers whose keys are kept; when there are more all are forgotten.</summary>
    private const int MostIssuers = 1000;

    private const int MaxDocument = 1024 * 1024;

    private static readonly TimeSpan _keysFor = TimeSpan.FromHours(12);
    private static readonly TimeSpan _keysNotBefore = TimeSpan.FromSeconds(30);

    /// <summary>Signatures by the issuer's private key; never a shared secret, never none.</summary>
    private static readonly string[] _algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = TimeSpan.FromSeconds(8), MaxResponseContentBufferSize = MaxDocument,
    };

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly ConcurrentDictionary<(string, string?, string?), BaseConfigurationManager> _keys = new();
    private readonly Introspection _introspection;

    // The library otherwise fetches keys behind the token that names a new one, and refuses that token.
    static TokenVerifier() => AppContext.SetSwitch("Switch.Microsoft.IdentityModel.UpdateConfigAsBlocking", true);

    public TokenVerifier() => _introspection = new Introspection(_http);

    /// <summary>The issuer that a token claims to be of, unchecked; null where it does not say, or says what no issuer is called.</summary>
    public string? IssuerOf(string token)
    {
        try
        {
            return _handler.CanReadToken(token) && _handler.ReadJsonWebToken(token).Issuer is { } issuer && !issuer.Contains('\0') ? issuer : null;
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    public async ValueTask<VerifiedToken> VerifyAsync(string token, TokenIssuer issuer, CancellationToken cancellationToken)
    {
        if (issuer.Introspection is not null)
            return await _introspection.AskAsync(token, issuer, cancellationToken).ConfigureAwait(false);
        TokenValidationResult result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer.Issuer, ValidAudience = issuer.Audience, ValidAlgorithms = _algorithms, ClockSkew = TimeSpan.FromSeconds(issuer.SkewSeconds),
            ConfigurationManager = KeysOf(issuer), RequireExpirationTime = true, RequireSignedTokens = true,
        }).ConfigureAwait(false);
        if (!result.IsValid)
        {
            bool away = result.Exception is not SecurityTokenException && result.Exception is not ArgumentException;
            return new VerifiedToken(null, "invalid_token", $"token: {result.Exception?.GetType().Name}", away);
        }
        var claims = (JsonWebToken)result.SecurityToken;
        IEnumerable<string> scopes = claims.Claims.Where(static c => c.Type is "scope" or "scp").SelectMany(static c => c.Value.Split(' '));
        string? user = claims.TryGetPayloadValue(issuer.UserClaim, out string name) ? name : null;
        return Judge(user, scopes, issuer);
    }

    internal static VerifiedToken Judge(string? user, IEnumerable<string> scopes, TokenIssuer issuer) =>
        issuer.Scope is { } scope && !scopes.Contains(scope) ? new(null, "insufficient_scope", $"token: scope '{scope}' is missing")
        : string.IsNullOrEmpty(user) ? new(null, "invalid_token", $"token: claim '{issuer.UserClaim}' is missing")
        : new(user, "", "");

    private BaseConfigurationManager KeysOf(TokenIssuer issuer)
    {
        if (_keys.Count >= MostIssuers)
            _keys.Clear();
        return _keys.GetOrAdd((issuer.Issuer, issuer.Metadata, issuer.Jwks), _ => new ConfigurationManager<OpenIdConnectConfiguration>(
            issuer.Jwks ?? issuer.MetadataUrl, issuer.Jwks is null ? new OpenIdConnectConfigurationRetriever() : new KeysRetriever(issuer.Issuer),
            new HttpDocumentRetriever(_http) { RequireHttps = !IsLoopback(issuer.Jwks ?? issuer.MetadataUrl) })
        {
            AutomaticRefreshInterval = _keysFor, RefreshInterval = _keysNotBefore,
            // A key that the issuer has taken back is none, whatever it signed before.
            UseLastKnownGoodConfiguration = false,
        });
    }

    private static bool IsLoopback(string url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.IsLoopback;

    /// <summary>Keys without a discovery document around them.</summary>
    private sealed class KeysRetriever(string issuer) : IConfigurationRetriever<OpenIdConnectConfiguration>
    {
        public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
        {
            var keys = new JsonWebKeySet(await retriever.GetDocumentAsync(address, cancel).ConfigureAwait(false));
            var configuration = new OpenIdConnectConfiguration { Issuer = issuer, JsonWebKeySet = keys };
            foreach (SecurityKey key in keys.GetSigningKeys())
                configuration.SigningKeys.Add(key);
            return configuration;
        }
    }
}
