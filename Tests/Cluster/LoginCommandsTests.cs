using System.Text.Json;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

/// <summary>What administrators do about log-ins: hashes, application passwords, policies, operators, issuers, LDAP servers.</summary>
public sealed class LoginCommandsTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private string _database = "";
    private string _config = "";

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _config = new NodeSettings("node", _database).Write(_directory.FullName);
        await DoneAsync(null, "tenant", "add", "acme");
        await DoneAsync(null, "domain", "add", "acme.test", "--tenant", "acme");
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Hashes_of_other_systems_are_taken_and_bad_ones_told()
    {
        const string hash = "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0";
        await DoneAsync(hash, "account", "add", "ann@acme.test", "--password-stdin");
        Assert.Equal(hash, await VerifierAsync("ann@acme.test"));
        await DoneAsync("{PLAIN}{odd}", "account", "password", "ann@acme.test", "--password-stdin");
        Assert.True(ScramVerifier.Verify("{odd}", await VerifierAsync("ann@acme.test")));
        await RefusedAsync("takes too long", "{BLF-CRYPT}$2y$31$Dgnj5O3WVRFP30T5XqyoaeWmSZH35OMVYTByOEi3tpbe1VzyatP/.", "account", "add", "bob@acme.test", "--password-stdin");
        string file = Path.Combine(_directory.FullName, "users.csv");
        await File.WriteAllTextAsync(file, $"carl@acme.test,{hash}\ndora@acme.test,{{X-NONE}}abc\nemil@acme.test,secret\n");
        await RefusedAsync("line 2: A password hash of the scheme {X-NONE} is not known", null, "account", "import", file);
        Assert.Equal(hash, await VerifierAsync("carl@acme.test"));
        Assert.True(ScramVerifier.Verify("secret", await VerifierAsync("emil@acme.test")));
    }

    [Fact]
    public async Task Application_passwords_are_made_shown_and_removed()
    {
        await DoneAsync("secret", "account", "add", "ann@acme.test", "--password-stdin");
        string password = (await DoneAsync(null, "account", "app-password", "add", "ann@acme.test", "phone", "--protocols", "IMAP,smtp", "--networks", "192.0.2.0/24,2001:db8::7")).Trim();
        Assert.Matches("^([a-z2-9]{5}-){4}[a-z2-9]{5}$", password);
        JsonElement shown = Assert.Single(await JsonAsync("account", "app-password", "list", "ann@acme.test", "--json"));
        Assert.Equal(("phone", "imap", "2001:db8::7/128", JsonValueKind.Null), (shown.GetProperty("name").GetString(), shown.GetProperty("protocols")[0].GetString(),
            shown.GetProperty("networks")[1].GetString(), shown.GetProperty("lastUsed").ValueKind));
        await RefusedAsync("has an application password 'phone' already", null, "account", "app-password", "add", "ann@acme.test", "phone");
        await RefusedAsync("is no network", null, "account", "app-password", "add", "ann@acme.test", "tablet", "--networks", "here");
        await DoneAsync(null, "account", "app-password", "remove", "ann@acme.test", "phone");
        await RefusedAsync("has no application password", null, "account", "app-password", "remove", "ann@acme.test", "phone");
        await RefusedAsync("no account", null, "account", "app-password", "list", "nobody@acme.test");
        await DoneAsync(null, "account", "app-password", "add", "ann@acme.test", "phone");
        await DoneAsync(null, "account", "delete", "ann@acme.test");
    }

    [Fact]
    public async Task Policies_are_shown_and_changed_piece_by_piece()
    {
        await DoneAsync(null, "tenant", "policy", "acme", "--mechanisms", "scram-sha-256,PLAIN", "--tls", "true");
        await DoneAsync(null, "tenant", "policy", "acme", "--protocols", "imap");
        JsonElement policy = Assert.Single(await JsonAsync("tenant", "policy", "acme", "--json"));
        Assert.Equal((2, "imap", true, false), (policy.GetProperty("mechanisms").GetArrayLength(), policy.GetProperty("protocols")[0].GetString(), policy.GetProperty("tls").GetBoolean(),
            policy.GetProperty("appPasswordsOnly").GetBoolean()));
        await DoneAsync(null, "tenant", "policy", "acme", "--mechanisms", "default", "--protocols", "all");
        Assert.Contains("default", await DoneAsync(null, "tenant", "policy", "acme"));
        await RefusedAsync("'CRAM-MD5' is not one of", null, "tenant", "policy", "acme", "--mechanisms", "CRAM-MD5");
        await RefusedAsync("no tenant", null, "tenant", "policy", "nobody");
    }

    [Fact]
    public async Task Operators_issuers_and_LDAP_servers_are_set_without_showing_secrets()
    {
        await RefusedAsync("There is no operator", null, "operator", "set", "ops", "--tenants", "acme");
        await RefusedAsync("no tenant of one of these names", "hands", "operator", "set", "ops", "--tenants", "nobody", "--password-stdin");
        await DoneAsync("hands", "operator", "set", "ops", "--tenants", "acme", "--password-stdin");
        await DoneAsync(null, "operator", "set", "ops", "--tenants", "all");
        Assert.Equal(JsonValueKind.Null, Assert.Single(await JsonAsync("operator", "list", "--json")).GetProperty("tenants").ValueKind);
        await DoneAsync(null, "operator", "delete", "ops");

        await RefusedAsync("Say --audience", null, "tenant", "oauth", "acme", "--issuer", "https://id.acme.test");
        await RefusedAsync("no https URL", null, "tenant", "oauth", "acme", "--issuer", "http://id.acme.test", "--audience", "mail");
        await DoneAsync("hush-1", "tenant", "oauth", "acme", "--issuer", "https://id.acme.test", "--audience", "mail", "--introspection", "https://id.acme.test/ask", "--client-id", "store", "--client-secret-stdin");
        string shown = await DoneAsync(null, "tenant", "oauth", "acme", "--json");
        Assert.Contains("https://id.acme.test/ask", shown);
        Assert.DoesNotContain("hush-1", shown);
        await DoneAsync(null, "tenant", "oauth", "acme", "--remove");
        await RefusedAsync("that takes tokens", null, "tenant", "oauth", "acme");

        await RefusedAsync("in clear", null, "tenant", "ldap", "acme", "--url", "ldap://ldap.acme.test", "--base", "dc=acme");
        await RefusedAsync("where a user's entry is", null, "tenant", "ldap", "acme", "--url", "ldaps://ldap.acme.test");
        await DoneAsync("hush-2", "tenant", "ldap", "acme", "--url", "ldaps://ldap.acme.test", "--base", "dc=acme", "--bind-dn", "cn=mail", "--bind-password-stdin");
        shown = await DoneAsync(null, "tenant", "ldap", "acme", "--json");
        Assert.Contains("dc=acme", shown);
        Assert.DoesNotContain("hush-2", shown);
        await DoneAsync(null, "tenant", "ldap", "acme", "--remove");
        await RefusedAsync("with an LDAP server", null, "tenant", "ldap", "acme");
    }

    private async Task<string> VerifierAsync(string user)
    {
        await using var database = NpgsqlDataSource.Create(_database + ";Pooling=false");
        await using var command = database.CreateCommand("select verifier from directory.account where user_name = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = user });
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private async Task<string> DoneAsync(string? input, params string[] arguments)
    {
        var (exitCode, output) = await AdminAsync(input, arguments);
        Assert.True(exitCode == 0, output);
        return output;
    }

    private async Task RefusedAsync(string sentence, string? input, params string[] arguments)
    {
        var (exitCode, output) = await AdminAsync(input, arguments);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output);
    }

    private async Task<List<JsonElement>> JsonAsync(params string[] arguments) => [.. JsonDocument.Parse(await DoneAsync(null, arguments)).RootElement.EnumerateArray()];

    private Task<(int ExitCode, string Output)> AdminAsync(string? input, string[] arguments) => AdminHere.RunAsync(["admin", .. arguments, "--config", _config], input);
}
