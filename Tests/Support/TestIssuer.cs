using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace MailCluster.Tests.Support;

/// <summary>A small issuer of tokens: discovery, keys, introspection.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    // All issuers begin with the same: to make one takes longer than most tests.
    private static readonly Lazy<RSAParameters> _first = new(static () =>
    {
        using var made = RSA.Create(2048);
        return made.ExportParameters(true);
    });

    private readonly WebApplication _web;
    private RsaSecurityKey _key = new(RSA.Create(_first.Value)) { KeyId = "one" };
    private int _keysAsked;

    private TestIssuer()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        _web = builder.Build();
        _web.UseRouting();
        _web.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = Url, jwks_uri = Url + "/keys" }));
        _web.MapGet("/keys", () =>
        {
            Interlocked.Increment(ref _keysAsked);
            JsonWebKey key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_key.Rsa.ExportParameters(false)) { KeyId = _key.KeyId });
            return Results.Text($$"""{"keys":[{"kty":"RSA","use":"sig","kid":"{{key.Kid}}","n":"{{key.N}}","e":"{{key.E}}"}]}""", "application/json");
        });
        _web.MapPost("/introspect", async (HttpRequest request) =>
        {
            string expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("mail%3Astore:s%2Fcret"));
            if (request.Headers.Authorization != expected)
                return Results.StatusCode(401);
            string token = (await request.ReadFormAsync())["token"]!;
            return Results.Text(token == "opaque" ? Opaque : """{"active":false}""", "application/json");
        });
    }

    /// <summary>Its "iss".</summary>
    public string Url { get; private set; } = "";

    /// <summary>What introspection says of the token "opaque".</summary>
    public string Opaque { get; set; } = """{"active":true,"username":"alice@demo.test","aud":["mail","web"],"scope":"mail calendar"}""";

    /// <summary>How often the keys were asked for.</summary>
    public int KeysAsked => Volatile.Read(ref _keysAsked);

    public static async Task<TestIssuer> StartAsync()
    {
        var issuer = new TestIssuer();
        await issuer._web.StartAsync();
        issuer.Url = issuer._web.Urls.First();
        return issuer;
    }

    /// <summary>It signs with another key from now on, and publishes that one alone.</summary>
    public void ChangeKey(string id) => _key = NewKey(id);

    /// <summary>A JWT; by default one that is right for alice@demo.test.</summary>
    public string Token(
        string? user = "alice@demo.test", string audience = "mail", string? issuer = null, string? scope = null, int fromSeconds = -10, int toSeconds = 300, SecurityKey? key = null, string algorithm = "RS256")
    {
        var claims = new Dictionary<string, object>();
        if (user is not null)
            claims["email"] = user;
        if (scope is not null)
            claims["scope"] = scope;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Url, Audience = audience, Claims = claims, IssuedAt = DateTime.UtcNow.AddSeconds(fromSeconds), NotBefore = DateTime.UtcNow.AddSeconds(fromSeconds),
            Expires = DateTime.UtcNow.AddSeconds(toSeconds), SigningCredentials = new SigningCredentials(key ?? _key, algorithm),
        });
    }

    /// <summary>It is away from now on; tokens can still be made.</summary>
    public Task StopAsync() => _web.StopAsync();

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();

    public static RsaSecurityKey NewKey(string id) => new(RSA.Create(2048)) { KeyId = id };
}
