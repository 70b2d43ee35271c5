using System.Text.Json;
using MailCluster.Contracts;
using MailCluster.Server.Commands.Admin;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

/// <summary>The admin commands of an operator, on a migrated database without any node.</summary>
public sealed class AdminTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private string _database = "";
    private string _config = "";

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _config = new NodeSettings("node", _database).Write(_directory.FullName);
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Tenants_domains_accounts_and_aliases_are_made_listed_changed_and_deleted()
    {
        await DoneAsync("tenant", "add", "acme");
        await RefusedAsync("already", "tenant", "add", "acme");
        await DoneAsync("domain", "add", "Acme.Test", "--tenant", "acme");
        await RefusedAsync("'nobody'", "domain", "add", "other.test", "--tenant", "nobody");
        await DoneAsync("account", "add", "ann@acme.test");
        await DoneAsync("account", "quota", "ann@acme.test", "--bytes", "10M");
        await DoneAsync("account", "quota", "ann@acme.test", "--messages", "500");
        await DoneAsync("account", "state", "ann@acme.test", "--login", "off", "--delivery", "deferred");
        await DoneAsync("alias", "set", "info@acme.test", "ann@acme.test", "far@away.test");

        var account = Assert.Single(await JsonAsync("account", "list", "--tenant", "acme", "--json"));
        Assert.Equal("ann@acme.test", account.GetProperty("user").GetString());
        Assert.Equal(10 << 20, account.GetProperty("maxBytes").GetInt64());
        Assert.Equal(500, account.GetProperty("maxMessages").GetInt64());
        Assert.False(account.GetProperty("login").GetBoolean());
        Assert.Equal("deferred", account.GetProperty("delivery").GetString());
        Assert.Equal(JsonValueKind.Null, account.GetProperty("lastLogin").ValueKind);
        Assert.Equal(2, Assert.Single(await JsonAsync("alias", "list", "--json")).GetProperty("targets").GetArrayLength());
        Assert.Contains("INBOX", (await JsonAsync("mailbox", "list", "ann@acme.test", "--json")).Select(m => m.GetProperty("path")[0].GetString()));

        await DoneAsync("account", "rename", "ann@acme.test", "anna@acme.test");
        await RefusedAsync("no account", "account", "delete", "ann@acme.test");
        await DoneAsync("account", "delete", "anna@acme.test");
        await DoneAsync("alias", "delete", "info@acme.test");
        await DoneAsync("domain", "delete", "acme.test");
        await DoneAsync("tenant", "delete", "acme");
        Assert.Empty(await JsonAsync("tenant", "list", "--json"));
    }

    [Fact]
    public async Task A_tenant_has_settings_and_folders_of_its_own()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await RefusedAsync("delimiter", "tenant", "set", "acme", "--delimiter", "!");
        await RefusedAsync("'\\Pets'", "tenant", "set", "acme", "--folders", @"Cats=\Pets");
        await DoneAsync("tenant", "set", "acme", "--delimiter", ".", "--prefix", "INBOX.", "--folders", @"Gesendet=\Sent,Projekte/Alt", "--deduplicate", "false");
        await DoneAsync("account", "add", "ann@acme.test");

        var paths = (await JsonAsync("mailbox", "list", "ann@acme.test", "--json")).Select(m => string.Join('/', m.GetProperty("path").EnumerateArray()));
        Assert.Equal(["Gesendet", "INBOX", "Projekte/Alt"], paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Accounts_come_from_a_file_and_bad_lines_are_named()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        // Thousands are the store's (AccountStoreTests).
        var csv = Path.Combine(_directory.FullName, "accounts.csv");
        await File.WriteAllLinesAsync(csv, Enumerable.Range(0, 200).Select(i => $"user{i:0000}@acme.test,secret-{i}")
            .Append("user0000@acme.test,again").Append("no password").Append("\"quoted@acme.test\",\"with,comma\""));
        var (exitCode, output) = await AdminAsync("account", "import", csv);
        Assert.Equal(1, exitCode);
        Assert.Contains("201 made, 2 refused", output);
        Assert.Contains("line 201: ", output);
        Assert.Contains("line 202: ", output);

        (_, output) = await AdminAsync("account", "list", "--limit", "3", "--after", "user0009@acme.test");
        Assert.Contains("user0010@acme.test", output);
        Assert.Contains("user0012@acme.test", output);
        Assert.DoesNotContain("user0013@acme.test", output);
        Assert.Contains("more: --after user0012@acme.test", output);
    }

    [Fact]
    public async Task A_password_comes_from_standard_input_and_an_empty_one_is_refused()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await RefusedAsync("Standard input has no password", "account", "add", "ann@acme.test", "--password-stdin");
        Assert.Empty(await JsonAsync("account", "list", "--json"));
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_by_a_sentence_that_names_it()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await DoneAsync("account", "add", "ann@acme.test");
        foreach (var limit in new[] { "0", "-1", "x", "" })
        {
            await RefusedAsync($"'--limit' is '{limit}'; it must be a number from 1 to", "tenant", "list", "--limit", limit);
            await RefusedAsync($"'--limit' is '{limit}'; it must be a number from 1 to", "sieve", "waiting", "--limit", limit);
        }
        await RefusedAsync("'--delivery' is '7'; it must be one of on, deferred, refused", "account", "state", "ann@acme.test", "--delivery", "7");
        await RefusedAsync("FILE is empty", "account", "import", "");
        await RefusedAsync("FILE is empty", "mailbox", "import-uidl", "ann@acme.test", "");
        await RefusedAsync("FILE is empty", "sieve", "put", "ann@acme.test", "main", "");
        // Not a file with further arguments.
        await RefusedAsync("'@acme.test' is no address", "account", "add", "@acme.test");
        await RefusedAsync("'--mechanisms' names nothing", "tenant", "policy", "acme", "--mechanisms", "");
        await RefusedAsync("'--protocols' names nothing", "tenant", "policy", "acme", "--protocols", ",");
        await RefusedAsync("a new one needs a password", "operator", "set", "helpdesk", "--tenants", "acme");
        // What PostgreSQL refuses is told as its sentence, too.
        _config = new NodeSettings("node", _database + ";Options=-c default_transaction_read_only=on").Write(_directory.FullName);
        await RefusedAsync(" can't be used: 25006: ", "tenant", "quota", "acme", "--bytes", "1M");
        _config = new NodeSettings("node", new NpgsqlConnectionStringBuilder(_database) { Password = null, Passfile = "/nowhere.pass" }.ConnectionString).Write(_directory.FullName);
        await RefusedAsync("'/nowhere.pass'", "tenant", "list");
        _config = new NodeSettings("node", "Nonsense=1").Write(_directory.FullName);
        await RefusedAsync("'Database:ConnectionString' can't be understood", "tenant", "list");
    }

    [Theory]
    [InlineData("--port-offset", "61346", "'--port-offset' is '61346'; it must be a number from 0 to 61345")]
    [InlineData("--port-offset", "x", "'--port-offset' is 'x'")]
    [InlineData("--data", "", "'--data' is empty")]
    [InlineData("--data", "/dev/null/x", "/dev/null/x (option '--data') can't be made")]
    public async Task A_demo_that_cannot_be_is_refused(string option, string value, string sentence)
    {
        var (exitCode, output) = await AdminHere.RunAsync(["demo", option, value]);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output);
    }

    [Fact]
    public async Task One_of_many_is_shown()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await DoneAsync("account", "add", "ann@acme.test");
        Assert.Equal("acme", Assert.Single(await JsonAsync("tenant", "show", "acme", "--json")).GetProperty("name").GetString());
        Assert.Equal("acme", Assert.Single(await JsonAsync("account", "show", "Ann@acme.test", "--json")).GetProperty("tenant").GetString());
        await RefusedAsync("no tenant 'x'", "tenant", "show", "x");
        await RefusedAsync("no account 'x'", "account", "show", "x");
    }

    [Fact]
    public async Task A_database_without_schema_is_told_from_one_that_is_not_there()
    {
        Assert.All(await JsonAsync("schema", "status", "--json"), m => Assert.Equal(JsonValueKind.String, m.GetProperty("applied").ValueKind));
        _config = new NodeSettings("node", await postgres.CreateEmptyDatabaseAsync()).Write(_directory.FullName);
        await RefusedAsync("admin schema upgrade", "tenant", "list");
        await RefusedAsync("admin schema upgrade", "schema", "status");
        await DoneAsync("schema", "upgrade");
        await DoneAsync("schema", "status");
        _config = new NodeSettings("node", "Host=127.0.0.1;Port=1;Username=nobody;Timeout=2").Write(_directory.FullName);
        await RefusedAsync("PostgreSQL at 127.0.0.1:1 can't be used: ", "tenant", "list");
    }

    [Fact]
    public async Task Nothing_is_taken_from_a_schema_while_older_nodes_are_members()
    {
        await DoneAsync("schema", "upgrade", "--contract");
        await SqlAsync("""
            insert into orleans.membership_version (deployment_id) values ('c');
            insert into orleans.membership (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
            values ('c', '192.0.2.1', 1, 7, 'silo-1', 'h', 3, 0, now(), now() - interval '1 day'), ('c', '192.0.2.1', 2, 7, 'silo-2', 'h', 3, 0, now(), now()),
                ('c', '192.0.2.1', 3, 7, 'silo-3', 'h', 3, 0, now(), now()), ('c', '192.0.2.1', 4, 7, 'silo-4', 'h', 6, 0, now(), now());
            insert into directory.silo (address, node, code_version) values ('192.0.2.1:2@7', 'silo-2', 9), ('192.0.2.1:3@7', 'silo-3', 1000000), ('192.0.2.1:1@6', 'silo-1', 1000000);
            insert into directory.front_end (node, code_version, version_seen) values ('front-1', 1000000, now() - interval '5 s'), ('front-2', 1000000, now());
            """);
        var (exitCode, output) = await AdminAsync("schema", "upgrade", "--contract");
        Assert.Equal(1, exitCode);
        // What an earlier generation of a silo, or an earlier program of a front end, has told is no longer true.
        foreach (var older in new[] { "silo-1 (silo, of a release that", "silo-2 (silo, code version 9", "front-1 (front end, of a release that" })
            Assert.Contains(older, output);
        foreach (var current in new[] { "silo-3", "silo-4", "front-2" })
            Assert.DoesNotContain(current, output);
        await DoneAsync("schema", "upgrade");
        await SqlAsync("update orleans.membership set status = 6 where silo_name <> 'silo-3'; delete from directory.front_end where node = 'front-1'");
        await DoneAsync("schema", "upgrade", "--contract");
    }

    [Fact]
    public async Task Filters_are_put_listed_activated_and_deleted()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await DoneAsync("account", "add", "ann@acme.test");
        string file = Path.Combine(_directory.FullName, "filter.sieve");
        await File.WriteAllTextAsync(file, "keep \"x\";");
        await RefusedAsync("line 1, column 1: 'keep' takes 0 arguments", "sieve", "put", "ann@acme.test", "main", file);
        await File.WriteAllTextAsync(file, "redirect \"b@elsewhere.test\";");
        await DoneAsync("sieve", "put", "ann@acme.test", "main", file, "--activate");
        var (exitCode, output) = await AdminAsync("sieve", "list", "ann@acme.test");
        Assert.True(exitCode == 0 && output.Contains("* main  28 octets"), output);
        // Octets, for which it has a stream of its own.
        Assert.Contains("redirect", (await ServerProcess.RunAsync("admin", "sieve", "get", "ann@acme.test", "main", "--config", _config)).Output);
        await RefusedAsync("is active", "sieve", "delete", "ann@acme.test", "main");
        await RefusedAsync("There is no script 'other'", "sieve", "activate", "ann@acme.test", "other");
        await RefusedAsync("There is no account", "sieve", "list", "bob@acme.test");
        await SqlAsync("insert into mail.outbox (account_id, operation, ordinal, tenant_id, kind, sender, recipients, head, utf8, required, error) "
            + "select account_id, gen_random_uuid(), 0, tenant_id, 1, 's@x.test', '{b@elsewhere.test}', '', false, false, '451 later' from mail.account");
        Assert.Contains("redirect  ann@acme.test  from <s@x.test> to b@elsewhere.test: attempt 1 at", (await AdminAsync("sieve", "waiting")).Output);
        Assert.Equal("451 later", Assert.Single(await JsonAsync("sieve", "waiting", "--json")).GetProperty("error").GetString());
        await DoneAsync("sieve", "activate", "ann@acme.test");
        await DoneAsync("sieve", "delete", "ann@acme.test", "main");
        await DoneAsync("sieve", "put", "acme", "before", file, "--tenant");
        Assert.Contains("before", (await AdminAsync("sieve", "list", "acme", "--tenant", "--json")).Output);
        await DoneAsync("sieve", "delete", "acme", "before", "--tenant");
        await RefusedAsync("is no http or https address", "junk", "set", "acme", "--spam-url", "x", "--ham-url", "y");
        await DoneAsync("junk", "set", "acme", "--spam-url", "http://127.0.0.1:1/spam", "--ham-url", "http://127.0.0.1:1/ham");
        await DoneAsync("junk", "off", "acme");
        await RefusedAsync("has no reports", "junk", "off", "acme");
    }

    [Fact]
    public async Task Sessions_are_listed_with_the_operators_who_act_in_them()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await DoneAsync("account", "add", "ann@acme.test");
        await using var database = NpgsqlDataSource.Create(_database + ";Pooling=false");
        var (table, since) = (new SessionTable(database), new DateTimeOffset(2026, 2, 1, 10, 0, 0, TimeSpan.Zero));
        long tenant = (await new TenantStore(database, new IdBlocks(database)).FindAsync("acme"))!.Id.Value;
        ListedSession Session(string id, string? by) => new(
            "front-1", id, new AccountId(1), new TenantId(tenant), "ann@acme.test", "imap", "192.0.2.1", since, Operator: by);
        await table.UpdateAsync("front-1", [Session("s1", null), Session("s2", "ops")], []);
        var (exitCode, output) = await AdminAsync("session", "list");
        Assert.Equal((0, """
            NODE     SESSION  USER           OPERATOR  PROTOCOL  ADDRESS    SINCE
            front-1  s1       ann@acme.test  -         imap      192.0.2.1  2026-02-01 10:00:00
            front-1  s2       ann@acme.test  ops       imap      192.0.2.1  2026-02-01 10:00:00

            """), (exitCode, output));
        Assert.Equal(["", "ops"], (await JsonAsync("session", "list", "--tenant", "acme", "--json")).Select(static s => s.GetProperty("operator").ToString()));
    }

    [Fact]
    public async Task Unique_ids_of_another_server_are_imported_by_a_file()
    {
        await DoneAsync("tenant", "add", "acme");
        await DoneAsync("domain", "add", "acme.test", "--tenant", "acme");
        await DoneAsync("account", "add", "ann@acme.test");
        string file = Path.Combine(_directory.FullName, "uidl");
        foreach (var (text, sentence) in new[]
        {
            ("1 abc\n", "UID 1: 'abc' can't be given: there is no such message."), ("\n1,abc\n", "UID 1: 'abc' can't be given"), ("abc\n", "line 1 is not of the form UID UIDL"),
            ("1 a\nx y\n", "line 2 is not of the form UID UIDL"), ("1 17.4\n", "has the form of this server's own"),
        })
        {
            await File.WriteAllTextAsync(file, text);
            await RefusedAsync(sentence, "mailbox", "import-uidl", "ann@acme.test", file);
        }
        await RefusedAsync("no account", "mailbox", "import-uidl", "bob@acme.test", file);
        await File.WriteAllTextAsync(file, "\n");
        var (exitCode, output) = await AdminAsync("mailbox", "import-uidl", "ann@acme.test", file);
        Assert.True(exitCode == 0 && output.Contains("0 unique-ids given", StringComparison.Ordinal), output);
        await DoneAsync("tenant", "set", "acme", "--pop3-lock", "false");
    }

    [Fact]
    public async Task Without_a_cluster_the_command_says_what_is_missing()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("admin", "tenant", "list");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("--config FILE", output);
    }

    private Task<(int ExitCode, string Output)> AdminAsync(params string[] arguments) => AdminHere.RunAsync(["admin", .. arguments, "--config", _config]);

    private async Task SqlAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(_database + ";Pooling=false");
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task DoneAsync(params string[] arguments)
    {
        var (exitCode, output) = await AdminAsync(arguments);
        Assert.True(exitCode == 0, output);
    }

    private async Task RefusedAsync(string sentence, params string[] arguments)
    {
        var (exitCode, output) = await AdminAsync(arguments);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output);
    }

    private async Task<List<JsonElement>> JsonAsync(params string[] arguments)
    {
        var (exitCode, output) = await AdminAsync(arguments);
        Assert.True(exitCode == 0, output);
        return [.. JsonDocument.Parse(output).RootElement.EnumerateArray()];
    }
}
