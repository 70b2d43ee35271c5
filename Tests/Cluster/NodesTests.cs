using System.Net;
using System.Text.Json;
using MailCluster.Server.Configuration;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class NodesTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task Silos_and_a_front_end_find_each_other_through_the_database()
    {
        var database = await postgres.CreateDatabaseAsync();
        var (a, b, f) = (new NodeSettings("silo-a", database), new NodeSettings("silo-b", database), new NodeSettings("front-a", database));
        await using var siloA = await StartAsync("silo", a);
        await using var siloB = await StartAsync("silo", b);
        await using var front = await StartAsync("frontend", f);

        await CountsAsync(f, 2);
        await CountsAsync(a, 2);

        siloB.Terminate();
        await siloB.WaitForExitAsync();
        Assert.Equal(0, siloB.ExitCode);
        // A planned end is no reason to wake anybody.
        Assert.DoesNotContain(" crit: ", siloB.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("The membership can't be read", siloB.Output, StringComparison.Ordinal);
        await CountsAsync(a, 1);
        front.Terminate();
        await front.WaitForExitAsync();
        Assert.Equal(0, front.ExitCode);
    }

    [Fact]
    public async Task A_front_end_that_waits_for_its_first_silo_ends_at_SIGTERM_and_serves_when_one_comes()
    {
        var database = await postgres.CreateDatabaseAsync();
        var front = new NodeSettings("front", database).Write(_directory.FullName);
        await using var first = ServerProcess.Start(["node", "--role", "frontend", "--config", front]);
        await first.WaitForLineAsync("waiting for a silo");
        first.Terminate();
        await first.WaitForExitAsync();
        Assert.Equal(0, first.ExitCode);

        await using var second = ServerProcess.Start(["node", "--role", "frontend", "--config", front]);
        await second.WaitForLineAsync("waiting for a silo");
        await using var silo = await StartAsync("silo", new NodeSettings("silo", database));
        await second.WaitForReadyAsync();
    }

    [Fact]
    public async Task A_silo_that_was_killed_can_start_again_at_the_same_address()
    {
        var settings = new NodeSettings("silo-a", await postgres.CreateDatabaseAsync());
        await using (var first = await StartAsync("all", settings))
        {
            first.Kill();
            await first.WaitForExitAsync();
        }
        await using var second = await StartAsync("all", settings);
        await CountsAsync(settings, 1);
    }

    [Fact]
    public async Task A_silo_that_alone_cannot_reach_PostgreSQL_ends_and_leaves_its_mailboxes_to_the_others()
    {
        string database = await postgres.CreateDatabaseAsync();
        var relayed = new NpgsqlConnectionStringBuilder(database);
        await using var relay = new TcpRelay(new IPEndPoint(IPAddress.Loopback, relayed.Port));
        relayed.Port = relay.Port;
        var (a, b) = (new NodeSettings("silo-a", database), new NodeSettings("silo-b", relayed.ConnectionString));
        await using ServerProcess siloA = await StartAsync("silo", a);
        await using ServerProcess siloB = await StartAsync("silo", b);

        relay.Cut();
        await siloB.WaitForExitAsync();
        Assert.Equal(1, siloB.ExitCode);
        Assert.Contains("PostgreSQL can be reached from other silos", siloB.Output, StringComparison.Ordinal);
        await CountsAsync(a, 1);
    }

    [Fact]
    public async Task Metrics_and_health_are_served()
    {
        var settings = new NodeSettings("node", await postgres.CreateDatabaseAsync());
        await using var node = await StartAsync("all", settings);
        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{settings.HttpPort}") };
        Assert.Contains("\"ok\"", await http.GetStringAsync("/healthz"));
        Assert.Contains("orleans_", await http.GetStringAsync("/metrics"));
        Assert.True((await ReadyzAsync(settings)).Ready);
    }

    [Theory]
    [InlineData("Listen:Imapx:0", "127.0.0.1:1", "'Listen:Imapx' is unknown")]
    [InlineData("Colour", "red", "'Colour' is unknown")]
    [InlineData("Listen:Imap:0", "here", "'Listen:Imap' has a value that is not of the form address:port")]
    [InlineData("Listen:TrustedNetworks:0", "10.0.0.0/99", "'Listen:TrustedNetworks'")]
    [InlineData("Listen:Imaps:0", "127.0.0.1:1", "'Tls:Certificate' is missing")]
    [InlineData("Tls:Certificate", "/nowhere.pem", "'Tls:Certificate' names a file that can't be used: ")]
    [InlineData("Tls:Certificate", "", "'Tls:Certificate' names a file that can't be used: ")]
    [InlineData("Tls:ClientAuthorities", "/nowhere.pem", "'Tls:ClientAuthorities' names a file that can't be used: ")]
    [InlineData("Cluster:SiloPort", 70000, "'Cluster:SiloPort' is 70000; it must be from 1 to 65535")]
    [InlineData("Cluster:SiloPort", "many", "'Cluster:SiloPort' is 'many'")]
    [InlineData("Log:Level", "loud", "'Log:Level' is 'loud', but must be: one of")]
    [InlineData("Sieve:RelayTls", 7, "'Sieve:RelayTls' is '7', but must be: one of Off, WhenOffered, Required, Implicit")]
    [InlineData("Database:ConnectionString", "", "'Database:ConnectionString' is missing")]
    [InlineData("Database:ConnectionString", "Nonsense=1", "'Database:ConnectionString' can't be understood")]
    [InlineData("Database:ConnectionString", "Host=127.0.0.1;Port=1;Username=x;Password=y", "127.0.0.1:1")]
    public async Task A_bad_option_stops_the_start_with_one_sentence_that_names_it(string option, object value, string sentence)
    {
        var settings = new NodeSettings("node", "Host=127.0.0.1;Port=1") { Further = { [option] = value } };
        var (exitCode, output) = await AdminHere.RunAsync(["node", "--config", settings.Write(_directory.FullName)]);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, output);
        Assert.Single(output.Trim().Split('\n'));
    }

    [Fact]
    public void The_configurations_to_copy_have_no_option_that_is_unknown_or_bad()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(root.FullName, "cluster-config")))
        {
            root = root.Parent!;
        }
        var files = Directory.GetFiles(Path.Combine(root.FullName, "cluster-config"), "*.json", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            OptionsFile.Load(file, new() { ["Database:ConnectionString"] = "Host=127.0.0.1" });
        }
    }

    [Fact]
    public async Task A_file_that_says_nothing_of_the_database_lacks_its_connection_string()
    {
        string file = Path.Combine(_directory.FullName, "node.json");
        await File.WriteAllTextAsync(file, "{}", TestContext.Current.CancellationToken);
        Assert.Equal("The option 'Database:ConnectionString' is missing.", Assert.Throws<OptionsException>(() => OptionsFile.Load(file, [])).Message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var settings = new NodeSettings("node", "Host=127.0.0.1;Port=1") { Further = { ["Listen:Imap:0"] = $"127.0.0.1:{port}" } };
        var (exitCode, output) = await AdminHere.RunAsync(["node", "--config", settings.Write(_directory.FullName)]);
        Assert.Equal(1, exitCode);
        Assert.Contains($"Port {port} at 127.0.0.1 (option 'Listen:Imap') is taken", output);
        // By this node itself.
        var once = $"127.0.0.1:{FreePorts.Next()}";
        settings = new NodeSettings("twice", "Host=127.0.0.1;Port=1") { Further = { ["Listen:Policy"] = once, ["Listen:Socketmap"] = once } };
        (exitCode, output) = await AdminHere.RunAsync(["node", "--config", settings.Write(_directory.FullName)]);
        Assert.Equal(1, exitCode);
        Assert.Contains("(option 'Listen:Socketmap') is also that of the option 'Listen:Policy'", output);
    }

    [Theory]
    [InlineData("", "'--config' is empty")]
    [InlineData("/nowhere.json", "/nowhere.json does not exist")]
    [InlineData("{\n\"Name\":\n", "can't be read: ", "LineNumber: 2")]
    [InlineData("[]", "can't be read: ", "must be an object")]
    public async Task A_file_that_cannot_be_used_is_told(string fileOrText, params string[] sentences)
    {
        string file = fileOrText;
        if (fileOrText is ['{' or '[', ..])
        {
            file = Path.Combine(_directory.FullName, "node.json");
            await File.WriteAllTextAsync(file, fileOrText, TestContext.Current.CancellationToken);
        }
        var (exitCode, output) = await AdminHere.RunAsync(["node", "--config", file]);
        Assert.Equal(1, exitCode);
        Assert.All(sentences, s => Assert.Contains(s, output));
        Assert.Single(output.Trim().Split('\n'));
        // It is a number of no role.
        Assert.Contains("The option '--role' is '7'; it must be one of all, silo, frontend.", (await AdminHere.RunAsync(["node", "--role", "7", "--config", file])).Output);
    }

    [Fact]
    public async Task A_node_refuses_a_database_without_schema_until_the_operator_upgrades_it()
    {
        var settings = new NodeSettings("node", await postgres.CreateEmptyDatabaseAsync());
        var file = settings.Write(_directory.FullName);
        var (exitCode, output) = await ServerProcess.RunAsync("node", "--config", file);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("'mailcluster admin schema upgrade'", output);

        (exitCode, output) = await ServerProcess.RunAsync("admin", "schema", "upgrade", "--config", file);
        Assert.True(exitCode == 0, output);
        await using var node = await ServerProcess.StartReadyAsync(["node", "--config", file]);
    }

    private Task<ServerProcess> StartAsync(string role, NodeSettings settings) =>
        ServerProcess.StartReadyAsync(["node", "--role", role, "--config", settings.Write(_directory.FullName)]);

    /// <summary>Others hear a moment later of what a node has written into the membership.</summary>
    private static Task CountsAsync(NodeSettings settings, int silos) => Eventually.Async(
        $"{settings.Name} does not count {silos} silos", async () => await ReadyzAsync(settings) is (true, var membership) && membership == $"{silos} active");

    private static async Task<(bool Ready, string Membership)> ReadyzAsync(NodeSettings settings)
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync($"http://127.0.0.1:{settings.HttpPort}/readyz");
        var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        return (json.GetProperty("ready").GetBoolean() && response.StatusCode == HttpStatusCode.OK,
            json.GetProperty("membership").GetProperty("state").GetString()!);
    }
}
