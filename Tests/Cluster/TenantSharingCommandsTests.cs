using System.Text.Json;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster;

/// <summary><c>admin tenant sharing …</c>, and what <c>admin mailbox acl</c> makes of it.</summary>
public sealed class TenantSharingCommandsTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private string _config = "";

    public async ValueTask InitializeAsync()
    {
        _config = new NodeSettings("admin", await postgres.CreateDatabaseAsync()).Write(_directory.FullName);
        foreach (string tenant in (string[])["acme", "bolt"])
        {
            await DoneAsync("tenant", "add", tenant);
            await DoneAsync("domain", "add", $"{tenant}.test", "--tenant", tenant);
        }
        await DoneAsync("account", "add", "ann@acme.test");
        await DoneAsync("account", "add", "ben@bolt.test");
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Consents_are_given_listed_and_taken_back()
    {
        string[] grant = ["mailbox", "acl", "set", "ann@acme.test", "INBOX", "ben@bolt.test", "lrs"];
        await RefusedAsync("have no account 'ben@bolt.test'", grant);
        Assert.Contains("once that says so, too", await DoneAsync("tenant", "sharing", "add", "acme", "bolt"));
        await RefusedAsync("have no account 'ben@bolt.test'", grant);
        Assert.Equal([("acme", "bolt", false)], await ListAsync());
        Assert.Contains("tenants bolt and acme share", await DoneAsync("tenant", "sharing", "add", "bolt", "acme"));
        await DoneAsync(grant);
        Assert.Equal([("acme", "bolt", true), ("bolt", "acme", true)], await ListAsync("acme"));
        Assert.True(await CountsAsync());
        await DoneAsync("tenant", "sharing", "delete", "acme", "bolt");
        Assert.False(await CountsAsync());
        // What waits can be taken away.
        await DoneAsync("mailbox", "acl", "delete", "ann@acme.test", "INBOX", "ben@bolt.test");
        Assert.Empty(await JsonAsync("mailbox", "acl", "list", "ann@acme.test", "INBOX", "--json"));
        await RefusedAsync("no tenant 'core'", "tenant", "sharing", "add", "acme", "core");
        await RefusedAsync("share in any case", "tenant", "sharing", "add", "acme", "acme");
    }

    private async Task<List<(string?, string?, bool)>> ListAsync(params string[] of) =>
        [.. (await JsonAsync(["tenant", "sharing", "list", .. of, "--json"])).Select(static s => (s.GetProperty("tenant").GetString(), s.GetProperty("with").GetString(), s.GetProperty("mutual").GetBoolean()))];

    private async Task<bool> CountsAsync() => Assert.Single(await JsonAsync("mailbox", "acl", "list", "ann@acme.test", "INBOX", "--json")).GetProperty("counts").GetBoolean();

    private async Task<string> DoneAsync(params string[] arguments)
    {
        (int exitCode, string output) = await AdminAsync(arguments);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private async Task RefusedAsync(string sentence, params string[] arguments)
    {
        (int exitCode, string output) = await AdminAsync(arguments);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output);
    }

    private async Task<List<JsonElement>> JsonAsync(params string[] arguments) => [.. JsonDocument.Parse(await DoneAsync(arguments)).RootElement.EnumerateArray()];

    private Task<(int ExitCode, string Output)> AdminAsync(string[] arguments) => AdminHere.RunAsync(["admin", .. arguments, "--config", _config], null);
}
