using System.Net;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Support;

/// <summary>One node of <see cref="MailNodes"/>: its configuration, and the process that runs it now.</summary>
public sealed class MailNode(NodeSettings settings, string role)
{
    public NodeSettings Settings { get; } = settings;

    public string Role { get; } = role;

    /// <summary>Null until it is started for the first time.</summary>
    public ServerProcess? Process { get; internal set; }

    public bool Runs => Process is { HasExited: false };

    public IPEndPoint Imap => new(IPAddress.Loopback, Settings.ImapPort);

    public IPEndPoint Pop3 => new(IPAddress.Loopback, Settings.Pop3Port);

    public IPEndPoint Lmtp => new(IPAddress.Loopback, Settings.LmtpPort);

    public Uri Http => new($"http://127.0.0.1:{Settings.HttpPort}");
}

/// <summary>
/// A cluster of processes, two front ends and two silos, over one private PostgreSQL that has pg_stat_statements. Stories may kill nodes:
/// the next one begins with <see cref="WholeAsync"/>.
/// </summary>
public sealed class MailNodes : IAsyncLifetime
{
    private static readonly string[] _postgresSettings = ["max_connections=300", "shared_preload_libraries=pg_stat_statements"];

    private readonly bool _paired;

    public MailNodes()
    {
    }

    private MailNodes(bool paired) => _paired = paired;

    /// <summary>A cluster of one test's own, over a primary with a synchronous standby.</summary>
    public static MailNodes OverPair() => new(paired: true);

    /// <summary>With <see cref="OverPair"/>, once it runs.</summary>
    public PostgresPair? Pair { get; private set; }

    private PrivatePostgres? _postgres;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    /// <summary>The one that takes writes.</summary>
    public PrivatePostgres Postgres => Pair?.Primary ?? _postgres!;

    public IReadOnlyList<MailNode> FrontEnds { get; private set; } = [];

    public IReadOnlyList<MailNode> Silos { get; private set; } = [];

    public TestAccounts Accounts { get; private set; } = null!;

    public string ConnectionString => Pair?.ConnectionString("cluster") ?? Postgres.ConnectionString("cluster");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts what does not run, and returns when all nodes serve and know of each other.</summary>
    public async Task WholeAsync()
    {
        if (FrontEnds.Count == 0)
            await BeginAsync();
        // Silos first, so that no front end waits for one.
        await Task.WhenAll(Silos.Where(static n => !n.Runs).Select(StartAsync));
        await Task.WhenAll(FrontEnds.Where(static n => !n.Runs).Select(StartAsync));
        foreach (MailNode node in Silos.Concat(FrontEnds))
            await KnowsAsync(node, Silos.Count);
    }

    /// <summary>Waits until a node serves and counts so many silos as alive.</summary>
    public static Task KnowsAsync(MailNode node, int silos) => Eventually.Async($"{node.Settings.Name} does not know of {silos} silos", async () =>
    {
        using var http = new HttpClient { BaseAddress = node.Http };
        return (await http.GetStringAsync("/readyz")).Contains($"\"{silos} active\"", StringComparison.Ordinal);
    });

    public async ValueTask DisposeAsync()
    {
        foreach (MailNode node in FrontEnds.Concat(Silos))
        {
            if (node.Process is { } process)
                await process.DisposeAsync();
        }
        if (Accounts is not null)
            await Accounts.DisposeAsync();
        if (Pair is not null)
            await Pair.StopAsync();
        if (_postgres is not null)
            await _postgres.StopAsync(immediate: true);
        _directory.Delete(true);
    }

    private async Task BeginAsync()
    {
        if (PostgresPrograms.Find() is null)
            throw new InvalidOperationException($"$XunitDynamicSkip$PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");
        if (_paired)
            Pair = await PostgresPair.StartAsync(_directory.FullName, _postgresSettings);
        else
            _postgres = await PrivatePostgres.StartAsync(_directory.FullName, _postgresSettings);
        await ExecuteAsync("postgres", "CREATE DATABASE cluster");
        await using (var dataSource = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false"))
            await SchemaMigrator.MigrateAsync(dataSource);
        await ExecuteAsync("cluster", "CREATE EXTENSION pg_stat_statements SCHEMA public");
        Accounts = await TestAccounts.CreateAsync(ConnectionString);
        Silos = [.. new[] { "silo-1", "silo-2" }.Select(name => new MailNode(Settings(name), "silo"))];
        FrontEnds = [.. new[] { "front-1", "front-2" }.Select(name => new MailNode(Settings(name), "frontend"))];
    }

    private NodeSettings Settings(string name) => new(name, ConnectionString) { Further = { ["Shutdown:DrainSeconds"] = 10, ["Limits:SessionLeaseSeconds"] = 9 } };

    private async Task StartAsync(MailNode node)
    {
        if (node.Process is { } before)
            await before.DisposeAsync();
        node.Process = await ServerProcess.StartReadyAsync(["node", "--role", node.Role, "--config", node.Settings.Write(_directory.FullName)]);
    }

    private async Task ExecuteAsync(string database, string sql)
    {
        await using var dataSource = NpgsqlDataSource.Create(Postgres.ConnectionString(database) + ";Pooling=false");
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
