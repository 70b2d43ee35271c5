using System.Text;
using System.Text.Json;
using MailCluster.Contracts;
using MailCluster.Sasl;
using MailCluster.Tests.Support;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>OAUTHBEARER and XOAUTH2 against an issuer of a few lines. alice@demo.test is of tenant 1.</summary>
public sealed class BearerTests : IAsyncLifetime
{
    private readonly SaslStage _stage = new(new SaslOptions { Mechanisms = SaslOptions.Known });
    private TestIssuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _stage.Directory.Issuers.Add(Trusted());
    }

    public async ValueTask DisposeAsync()
    {
        await _stage.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Theory]
    [InlineData("OAUTHBEARER", "n,a=alice@demo.test,\u0001host=mail.demo.test\u0001port=143\u0001auth=Bearer {0}\u0001\u0001")]
    [InlineData("OAUTHBEARER", "n,,\u0001auth=bearer {0}\u0001\u0001")]
    [InlineData("OAUTHBEARER", "y,a=ALICE@demo.test,\u0001auth=Bearer {0}\u0001\u0001")]
    [InlineData("XOAUTH2", "user=alice@demo.test\u0001auth=Bearer {0}\u0001\u0001")]
    public async Task A_token_opens_its_user_s_mail(string mechanism, string message)
    {
        SaslStep step = await _stage.RunAsync(mechanism, Encoding.UTF8.GetBytes(string.Format(message, _issuer.Token())));
        Assert.IsType<SaslSuccess>(step);
        Assert.Equal("token", _stage.Alice.Asked?.Verified);
        Assert.Null(_stage.Alice.Asked?.Password);
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_is_told_as_the_RFC_has_it()
    {
        foreach (string token in new[]
        {
            _issuer.Token(toSeconds: -120, fromSeconds: -400), _issuer.Token(fromSeconds: 120), _issuer.Token(audience: "another"), _issuer.Token(issuer: "https://evil.test"), _issuer.Token(user: null),
            _issuer.Token(key: TestIssuer.NewKey("one")), _issuer.Token(key: new SymmetricSecurityKey(new byte[64]) { KeyId = "one" }, algorithm: "HS256"), "rubbish", Unsigned(),
        })
        {
            await using SaslExchange exchange = _stage.Server.Begin("OAUTHBEARER", SaslStage.Secure).Exchange!;
            var challenge = Assert.IsType<SaslChallenge>(await exchange.NextAsync(Message(token), default));
            JsonElement told = JsonDocument.Parse(challenge.Bytes).RootElement;
            Assert.Equal(("invalid_token", _issuer.Url + "/.well-known/openid-configuration"), (told.GetProperty("status").GetString(), told.GetProperty("openid-configuration").GetString()));
            var failure = Assert.IsType<SaslFailure>(await exchange.NextAsync([1], default));
            Assert.Equal(MailErrorCode.AuthenticationFailed, failure.Error.Code);
        }
        Assert.DoesNotContain(_stage.Log.Lines, l => l.Contains("eyJ") || l.Contains("rubbish"));
        Assert.Null(_stage.Alice.Asked);

        string Unsigned() => $"{Convert.ToBase64String("""{"alg":"none"}"""u8).TrimEnd('=')}.{Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"iss":"{{_issuer.Url}}","aud":"mail","email":"alice@demo.test","exp":99999999999}""")).TrimEnd('=')}.";
    }

    [Fact]
    public async Task Clocks_may_differ_by_what_is_allowed()
    {
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(fromSeconds: -300, toSeconds: -20))));
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(fromSeconds: 20))));
    }

    [Fact]
    public async Task A_scope_can_be_needed()
    {
        _stage.Directory.Issuers[0] = Trusted() with { Scope = "mail" };
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(scope: "calendar mail"))));
        var challenge = Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(scope: "calendar"))));
        JsonElement told = JsonDocument.Parse(challenge.Bytes).RootElement;
        Assert.Equal(("insufficient_scope", "mail"), (told.GetProperty("status").GetString(), told.GetProperty("scope").GetString()));
        challenge = Assert.IsType<SaslChallenge>(await _stage.RunAsync("XOAUTH2", Encoding.UTF8.GetBytes($"user=alice@demo.test\u0001auth=Bearer {_issuer.Token()}\u0001\u0001")));
        Assert.Equal("403", JsonDocument.Parse(challenge.Bytes).RootElement.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_token_opens_nobody_else_s_mail()
    {
        var refused = Assert.IsType<SaslFailure>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(user: "carol@demo.test"))));
        Assert.Equal(MailErrorCode.AuthorizationFailed, refused.Error.Code);
        // The issuer of one tenant names a user of another.
        _stage.Directory.Users["victim@other.test"] = new AccountRef(new AccountId(1), new TenantId(2), "victim@other.test");
        var challenge = Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {_issuer.Token(user: "victim@other.test")}\u0001\u0001")));
        Assert.Contains("invalid_token", Encoding.UTF8.GetString(challenge.Bytes.Span));
        Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Encoding.UTF8.GetBytes($"n,a=victim@other.test,\u0001auth=Bearer {_issuer.Token(user: "victim@other.test")}\u0001\u0001")));
        Assert.Null(_stage.Alice.Asked);
    }

    /// <summary>PostgreSQL has no text with a NUL: it must not be asked about one.</summary>
    [Fact]
    public async Task An_issuer_with_a_NUL_in_its_name_is_none()
    {
        _stage.Directory.Issuers.Add(Trusted() with { Issuer = "https://is\0suer.test" });
        var challenge = Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {_issuer.Token(issuer: "https://is\0suer.test")}\u0001\u0001")));
        Assert.DoesNotContain("suer.test", Encoding.UTF8.GetString(challenge.Bytes.Span));
    }

    [Fact]
    public async Task Keys_are_kept()
    {
        for (int i = 0; i < 5; i++)
            Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token())));
        Assert.Equal(1, _issuer.KeysAsked);
        // Tokens that name keys which nobody has do not make us ask each time.
        for (int i = 0; i < 5; i++)
            await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(key: TestIssuer.NewKey("no such " + i))));
        Assert.InRange(_issuer.KeysAsked, 1, 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_the_issuer_changes_to_is_asked_for_by_the_first_token_that_names_it(bool jwks)
    {
        if (jwks)
            _stage.Directory.Issuers[0] = Trusted() with { Jwks = _issuer.Url + "/keys" };
        string before = _issuer.Token();
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(before)));
        _issuer.ChangeKey("two");
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token())));
        Assert.Equal(2, _issuer.KeysAsked);
        // What the old key has signed is nobody's, and does not make us ask for it.
        Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Message(before)));
        Assert.Equal(2, _issuer.KeysAsked);
    }

    [Fact]
    public async Task Keys_that_are_known_serve_while_the_issuer_is_away()
    {
        string token = _issuer.Token();
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(token)));
        await _issuer.StopAsync();
        Assert.IsType<SaslChallenge>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token(key: TestIssuer.NewKey("no such")))));
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(token)));
    }

    [Fact]
    public async Task Keys_without_a_discovery_document()
    {
        _stage.Directory.Issuers[0] = Trusted() with { Jwks = _issuer.Url + "/keys" };
        Assert.IsType<SaslSuccess>(await _stage.RunAsync("OAUTHBEARER", Message(_issuer.Token())));
    }

    [Theory]
    [InlineData("opaque", true, """{"active":true,"username":"alice@demo.test","aud":["mail","web"],"scope":"mail calendar"}""")]
    [InlineData("another", false, "{}")]
    [InlineData("opaque", false, """{"active":true,"username":"alice@demo.test"}""")]
    [InlineData("opaque", false, """{"active":true,"username":"alice@demo.test","aud":"web","scope":"mail"}""")]
    [InlineData("opaque", false, """{"active":true,"username":"alice@demo.test","aud":"mail","scope":"web"}""")]
    [InlineData("opaque", false, """{"active":true,"username":"alice@demo.test","aud":"mail","scope":"mail","exp":1000}""")]
    [InlineData("opaque", false, """{"active":"true","username":"alice@demo.test","aud":"mail","scope":"mail"}""")]
    [InlineData("opaque", false, "[]")]
    public async Task Introspection(string token, bool right, string answer)
    {
        _issuer.Opaque = answer;
        _stage.Directory.Issuers[0] = Trusted() with { Introspection = _issuer.Url + "/introspect", ClientId = "mail:store", ClientSecret = "s/cret", UserClaim = "username", Scope = "mail" };
        SaslStep step = await _stage.RunAsync("OAUTHBEARER", Message(token));
        Assert.Equal(right, step is SaslSuccess);
        Assert.Equal(!right, step is SaslChallenge);
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_is_an_outage()
    {
        _stage.Directory.Issuers[0] = Trusted() with { Introspection = "http://127.0.0.1:9/introspect" };
        Assert.Equal(MailErrorCode.Unavailable, Assert.IsType<SaslFailure>(await _stage.RunAsync("OAUTHBEARER", Message("opaque"))).Error.Code);
        _stage.Directory.Issuers[0] = Trusted() with { Introspection = _issuer.Url + "/introspect", ClientId = "mail:store", ClientSecret = "wrong" };
        Assert.Equal(MailErrorCode.Unavailable, Assert.IsType<SaslFailure>(await _stage.RunAsync("OAUTHBEARER", Message("opaque"))).Error.Code);
    }

    [Theory]
    [InlineData("n,a=alice@demo.test,\u0001auth=Bearer x\u0001")]
    [InlineData("n,a=alice@demo.test,\u0001auth=Basic x\u0001\u0001")]
    [InlineData("n,a=alice@demo.test,\u0001\u0001")]
    [InlineData("n,a=ali\0ce@demo.test,\u0001auth=Bearer x\u0001\u0001")]
    [InlineData("p=tls-exporter,,\u0001auth=Bearer x\u0001\u0001")]
    [InlineData("")]
    public async Task What_is_no_message(string message) =>
        Assert.Equal(SaslFailureKind.Malformed, Assert.IsType<SaslFailure>(await _stage.RunAsync("OAUTHBEARER", Encoding.UTF8.GetBytes(message))).Kind);

    private TokenIssuer Trusted() => new(new TenantId(1), _issuer.Url, "mail", null, null, null, null, null, "email", null, 60);

    private static byte[] Message(string token) => Encoding.UTF8.GetBytes($"n,a=alice@demo.test,\u0001auth=Bearer {token}\u0001\u0001");
}
