using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using MailKit.Security;
using Xunit;
using MailKitClient = MailKit.Net.Imap.ImapClient;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>MailKit's ways to log in.</summary>
public sealed class MailKitSaslTests(MailServer server)
{
    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-256-PLUS")]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Logs_in(string mechanism)
    {
        string user = await server.AccountAsync();
        using MailKitClient client = await ConnectAsync();
        Assert.Contains(mechanism, client.AuthenticationMechanisms);
        await client.AuthenticateAsync(Of(mechanism, user, MailServer.Password));
        Assert.True(client.IsAuthenticated);
        await client.Inbox!.OpenAsync(MailKit.FolderAccess.ReadWrite);
        await client.DisconnectAsync(true);
    }

    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-256-PLUS")]
    public async Task A_wrong_password_and_an_unknown_user_get_the_same_answer(string mechanism)
    {
        string user = await server.AccountAsync();
        using MailKitClient client = await ConnectAsync();
        var wrong = await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsync(Of(mechanism, user, "wrong")));
        var unknown = await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsync(Of(mechanism, "nobody@test.example", "wrong")));
        Assert.Equal(wrong.Message, unknown.Message);
        await client.AuthenticateAsync(Of(mechanism, user, MailServer.Password));
    }

    [Fact]
    public async Task An_operator_acts_as_a_user()
    {
        string user = await server.AccountAsync();
        Assert.Null((await server.Operators.SetAsync("helpdesk", ScramVerifier.Create("hands"), ["test"])).Error);
        using MailKitClient client = await ConnectAsync();
        await client.AuthenticateAsync(new SaslMechanismPlain("helpdesk", "hands") { AuthorizationId = user });
        Assert.True(client.IsAuthenticated);
        await server.Process.WaitForLineAsync($"login ok user={user} operator=helpdesk protocol=imap mechanism=PLAIN");
        // So do administrators see him, beside the user's own session.
        using MailKitClient own = await ConnectAsync();
        await own.AuthenticateAsync(Of("PLAIN", user, MailServer.Password));
        await Eventually.Async("Both sessions are listed", async () =>
            (await server.SessionTable.ListAsync(user, null, null, null, "", "", 10)).Select(static s => s.Operator).Order().SequenceEqual([null, "helpdesk"]));
        using MailKitClient other = await ConnectAsync();
        await Assert.ThrowsAsync<AuthenticationException>(() => other.AuthenticateAsync(new SaslMechanismPlain("helpdesk", "hands") { AuthorizationId = "nobody@test.example" }));
        Assert.DoesNotContain("hands", server.Process.Output);
    }

    private static SaslMechanism Of(string mechanism, string user, string password) => mechanism switch
    {
        "SCRAM-SHA-256" => new SaslMechanismScramSha256(user, password),
        "SCRAM-SHA-256-PLUS" => new SaslMechanismScramSha256Plus(user, password),
        "PLAIN" => new SaslMechanismPlain(user, password),
        _ => new SaslMechanismLogin(user, password),
    };

    private async Task<MailKitClient> ConnectAsync()
    {
        await server.AccountAsync();
        var client = new MailKitClient { Timeout = 60_000, ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await client.ConnectAsync("127.0.0.1", server.Imaps.Port, SecureSocketOptions.SslOnConnect);
        return client;
    }
}
