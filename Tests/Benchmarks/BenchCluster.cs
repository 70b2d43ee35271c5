using System.Globalization;
using MailCluster.Tests.Support;
using Npgsql;

namespace MailCluster.Benchmarks;

/// <summary>What is measured: a private PostgreSQL with fsync on, one silo and one front end as processes of their own, or one node with all roles.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    public const string Password = TestAccounts.Password;

    private readonly PostgresFixture _postgres = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-bench-");
    private readonly List<ServerProcess> _processes = [];
    private TestAccounts _accounts = null!;

    public NodeSettings FrontEnd { get; private set; } = null!;

    public ServerProcess FrontEndProcess => _processes[^1];

    public string ConnectionString { get; private set; } = null!;

    /// <summary>The process whose children are PostgreSQL's backends.</summary>
    public int Postmaster { get; private set; }

    /// <param name="apart">A silo and a front end; otherwise one node.</param>
    /// <param name="certificate">PEM file with certificate and key: there is an IMAPS door, too.</param>
    public static async Task<BenchCluster> StartAsync(bool apart, int messageMegabytes = 50, string? certificate = null)
    {
        var cluster = new BenchCluster();
        try
        {
            await cluster.StartNodesAsync(apart, messageMegabytes, certificate);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task<string> AccountAsync() => _accounts.AddAsync();

    /// <summary>Stops the node that was started last and starts it again: nothing is in its memory any more.</summary>
    public async Task RestartAsync()
    {
        ServerProcess old = _processes[^1];
        old.Terminate();
        await old.WaitForExitAsync();
        await old.DisposeAsync();
        _processes[^1] = await ServerProcess.StartReadyAsync(["node", "--role", FrontEnd.Name, "--config", FrontEnd.Write(_directory.FullName)]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServerProcess process in _processes)
            await process.DisposeAsync();
        if (_accounts is not null)
            await _accounts.DisposeAsync();
        await _postgres.DisposeAsync();
        _directory.Delete(true);
    }

    private async Task StartNodesAsync(bool apart, int messageMegabytes, string? certificate)
    {
        ConnectionString = await _postgres.CreateDatabaseAsync();
        foreach (string role in apart ? new[] { "silo", "frontend" } : ["all"])
        {
            FrontEnd = new NodeSettings(role, ConnectionString);
            FrontEnd.Further["Limits:MessageMegabytes"] = messageMegabytes;
            // Its log stays as it is by default, a line a log-in and a delivery: other servers write theirs, too.
            // All clients come from one address here: what is measured is not its limits.
            FrontEnd.Further["Listen:TrustedNetworks:0"] = "127.0.0.0/8";
            if (certificate is not null)
            {
                FrontEnd.Further["Tls:Certificate"] = certificate;
                FrontEnd.Further["Listen:Imaps:0"] = $"127.0.0.1:{FrontEnd.ImapsPort}";
            }
            _processes.Add(await ServerProcess.StartReadyAsync(["node", "--role", role, "--config", FrontEnd.Write(_directory.FullName)]));
        }
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(ConnectionString);
        await using NpgsqlCommand command = database.CreateCommand("select pg_read_file('postmaster.pid')");
        Postmaster = int.Parse(((string)(await command.ExecuteScalarAsync())!).Split('\n')[0], CultureInfo.InvariantCulture);
        _accounts = await TestAccounts.CreateAsync(ConnectionString);
    }
}
