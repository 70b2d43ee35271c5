using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>openssl's client with a certificate of an authority that the node trusts.</summary>
[Collection(nameof(LoginWays))]
public sealed class ClientCertificateTests(LoginWays ways)
{
    [Theory]
    [InlineData("-tls1_2", "certificates-2")]
    [InlineData("-tls1_3", "certificates-3")]
    public async Task EXTERNAL_logs_in_where_the_tenant_s_policy_names_it(string version, string tenant)
    {
        string user = await ways.Server.AccountAsync(tenant: tenant), other = await ways.Server.AccountAsync(tenant: tenant);
        string shown = ways.CertificateOf(user);
        Assert.Contains("a NO [AUTHORIZATIONFAILED]", await RunAsync(version, shown, "a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n"));
        Assert.Null((await ways.Server.Tenants.SetPolicyAsync(tenant, new LoginPolicy { Mechanisms = ["EXTERNAL", "PLAIN"] })).Error);
        await Eventually.Async("The policy is not in force", async () => (await RunAsync(version, shown, "a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n")).Contains("a OK [CAPABILITY "));
        string said = await RunAsync(version, shown, $"c CAPABILITY\r\nd AUTHENTICATE EXTERNAL {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(other))}\r\nb LOGOUT\r\n");
        Assert.Contains(" AUTH=EXTERNAL ", said);
        Assert.Contains("d NO [AUTHORIZATIONFAILED] The certificate is another user's.", said);
        // Without a certificate all is as before.
        said = await RunAsync(version, null, $"c CAPABILITY\r\na LOGIN {user} \"{MailServer.Password}\"\r\nb LOGOUT\r\n");
        Assert.DoesNotContain("AUTH=EXTERNAL", said);
        Assert.Contains("a OK [CAPABILITY ", said);
    }

    private Task<string> RunAsync(string version, string? shown, string commands) => Program.SucceedAsync(
        "openssl", ["s_client", "-connect", ways.Server.Imaps.ToString(), version, .. shown is null ? (string[])[] : ["-cert", shown, "-key", shown], "-brief", "-ign_eof"], commands);
}
