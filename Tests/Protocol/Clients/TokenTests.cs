using System.Text;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Pop3;
using MailKit.Security;
using Xunit;
using MailKitClient = MailKit.Net.Imap.ImapClient;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>MailKit logs in with tokens of a tenant's issuer, by IMAP and POP3.</summary>
[Collection(nameof(LoginWays))]
public sealed class TokenTests(LoginWays ways)
{
    [Theory]
    [InlineData("OAUTHBEARER")]
    [InlineData("XOAUTH2")]
    public async Task Signed_tokens_open_their_user_s_mail_also_after_the_issuer_has_changed_its_key(string mechanism)
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        string tenant = "tokens-" + mechanism.ToLowerInvariant(), user = await ways.Server.AccountAsync(tenant: tenant), other = await ways.Server.AccountAsync(tenant: tenant);
        Assert.True((await ways.Server.Tenants.SetIssuerAsync(tenant, new TokenIssuer(default, issuer.Url, "mail", null, null, null, null, null, "email", null, 60))).IsOk);
        string token = issuer.Token(user);
        await OpenImapAsync(mechanism, user, token);
        await OpenPop3Async(mechanism, user, token);
        // Another's token, and one for another service: refused, and the connection goes on.
        await RefusedAsync(mechanism, other, token, user, token);
        await RefusedAsync(mechanism, user, issuer.Token(user, audience: "calendar"), user, token);
        Assert.Equal(1, issuer.KeysAsked);
        issuer.ChangeKey("next");
        string next = issuer.Token(user);
        await OpenImapAsync(mechanism, user, next);
        await OpenPop3Async(mechanism, user, next);
        await RefusedAsync(mechanism, user, token, user, next);
        Assert.Equal(2, issuer.KeysAsked);
        await ways.Server.Process.WaitForLineAsync($"login ok user={user} protocol=pop3 mechanism={mechanism}");
        Assert.DoesNotContain(token.Split('.')[2], ways.Server.Process.Output);
        Assert.DoesNotContain(next.Split('.')[1], ways.Server.Process.Output);
    }

    [Theory]
    [InlineData("OAUTHBEARER")]
    [InlineData("XOAUTH2")]
    public async Task The_issuer_is_asked_about_tokens_that_only_it_can_read(string mechanism)
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        string tenant = "asked-" + mechanism.ToLowerInvariant(), user = await ways.Server.AccountAsync(tenant: tenant);
        Assert.True((await ways.Server.Tenants.SetIssuerAsync(
            tenant, new TokenIssuer(default, issuer.Url, "mail", null, null, issuer.Url + "/introspect", "mail:store", "s/cret", "username", "mail", 60))).IsOk);
        issuer.Opaque = $$"""{"active":true,"username":"{{user}}","aud":"mail","scope":"mail"}""";
        await OpenImapAsync(mechanism, user, "opaque");
        await OpenPop3Async(mechanism, user, "opaque");
        await RefusedAsync(mechanism, user, "unknown", user, "opaque");
        // Taken back: the next log-in fails.
        issuer.Opaque = """{"active":false}""";
        using MailKitClient client = await ConnectAsync();
        await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsync(Of(mechanism, user, "opaque")));
    }

    [Fact]
    public async Task A_refusal_does_not_tell_who_exists()
    {
        await using TestIssuer issuer = await TestIssuer.StartAsync();
        string user = await ways.Server.AccountAsync(tenant: "told");
        Assert.True((await ways.Server.Tenants.SetIssuerAsync("told", new TokenIssuer(default, issuer.Url, "mail", null, null, null, null, null, "email", "mail", 60))).IsOk);
        string told = await ToldAsync(user);
        Assert.Contains("openid-configuration", told);
        Assert.Equal(told, await ToldAsync("nobody@told.example"));

        async Task<string> ToldAsync(string name)
        {
            await using ImapClient client = await ImapClient.ConnectAsync(ways.Server.Imap);
            await client.Send("a AUTHENTICATE OAUTHBEARER " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"n,a={name},\u0001auth=Bearer rubbish\u0001\u0001")));
            return Encoding.UTF8.GetString(Convert.FromBase64String((await client.Line())[2..]));
        }
    }

    private async Task OpenImapAsync(string mechanism, string user, string token)
    {
        using MailKitClient client = await ConnectAsync();
        Assert.Contains(mechanism, client.AuthenticationMechanisms);
        await client.AuthenticateAsync(Of(mechanism, user, token));
        await client.Inbox!.OpenAsync(FolderAccess.ReadOnly);
        await client.DisconnectAsync(true);
    }

    private async Task OpenPop3Async(string mechanism, string user, string token)
    {
        using var client = new Pop3Client { Timeout = 60_000, ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await client.ConnectAsync("127.0.0.1", ways.Server.Pop3s.Port, SecureSocketOptions.SslOnConnect);
        Assert.Contains(mechanism, client.AuthenticationMechanisms);
        await client.AuthenticateAsync(Of(mechanism, user, token));
        Assert.Equal(0, client.Count);
        await client.DisconnectAsync(true);
    }

    private async Task RefusedAsync(string mechanism, string user, string token, string rightUser, string right)
    {
        using MailKitClient client = await ConnectAsync();
        await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsync(Of(mechanism, user, token)));
        await client.AuthenticateAsync(Of(mechanism, rightUser, right));
    }

    private static SaslMechanism Of(string mechanism, string user, string token) =>
        mechanism == "XOAUTH2" ? new SaslMechanismOAuth2(user, token) : new SaslMechanismOAuthBearer(user, token);

    private async Task<MailKitClient> ConnectAsync()
    {
        var client = new MailKitClient { Timeout = 60_000, ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await client.ConnectAsync("127.0.0.1", ways.Server.Imaps.Port, SecureSocketOptions.SslOnConnect);
        return client;
    }
}
