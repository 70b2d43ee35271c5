using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;

namespace MailCluster.Benchmarks;

/// <summary>What is measured: a private PostgreSQL with fsync on, one silo and one front end as processes of their own, or one node with all roles.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    public const string Password = "benchmark";

    private readonly PostgresFixture _postgres = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-bench-");
    private readonly List<ServerProcess> _processes = [];
    private MailDatabase _database = null!;
    private AccountStore _accounts = null!;
    private int _users;

    public NodeSettings FrontEnd { get; private set; } = null!;

    public ServerProcess FrontEndProcess => _processes[^1];

    public string ConnectionString { get; private set; } = null!;

    /// <summary>The process whose children are PostgreSQL's backends.</summary>
    public int Postmaster { get; private set; }

    public static async Task<BenchCluster> StartAsync(bool apart, int messageMegabytes = 50)
    {
        var cluster = new BenchCluster();
        try
        {
            await cluster.StartNodesAsync(apart, messageMegabytes);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<string> AccountAsync()
    {
        string user = $"user{++_users}@bench.example";
        Expect(await _accounts.AddAsync(user, ScramVerifier.Create(Password)));
        return user;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServerProcess process in _processes)
            await process.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        _directory.Delete(true);
    }

    private async Task StartNodesAsync(bool apart, int messageMegabytes)
    {
        ConnectionString = await _postgres.CreateDatabaseAsync();
        foreach (string role in apart ? new[] { "silo", "frontend" } : ["all"])
        {
            FrontEnd = new NodeSettings(role, ConnectionString);
            FrontEnd.Further["Limits:MessageMegabytes"] = messageMegabytes;
            FrontEnd.Further["Log:Level"] = "Warning";
            _processes.Add(await ServerProcess.StartReadyAsync(["node", "--role", role, "--config", FrontEnd.Write(_directory.FullName)]));
        }
        _database = new MailDatabase(ConnectionString, "benchmark", 4);
        await using (NpgsqlCommand command = _database.Main.CreateCommand("select pg_read_file('postmaster.pid')"))
            Postmaster = int.Parse(((string)(await command.ExecuteScalarAsync())!).Split('\n')[0], CultureInfo.InvariantCulture);
        var ids = new IdBlocks(_database.Main);
        var tenants = new TenantStore(_database.Main, ids);
        _accounts = new AccountStore(_database.Main, ids);
        Expect(await tenants.AddAsync("bench"));
        Expect(await tenants.AddDomainAsync("bench.example", "bench"));
    }

    private static void Expect<T>(MailResult<T> result)
    {
        if (result.Error is { } error)
            throw new InvalidOperationException(error.Text);
    }
}
