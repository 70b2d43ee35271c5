using System.Globalization;
using System.Diagnostics;
using MailCluster.Benchmarks.Growth;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;
using MailCluster.Tests.Support;
using Npgsql;

namespace MailCluster.Benchmarks;

/// <summary>What is measured: a private PostgreSQL with fsync on, one node with all roles, or a silo and two front ends as processes of their own.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    public const string Password = TestAccounts.Password;

    private readonly PostgresFixture _postgres = new();
    private PrivatePostgres? _kept;
    private NpgsqlDataSource? _database;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-bench-");
    private readonly List<(NodeSettings Settings, string Role, ServerProcess Process)> _nodes = [];
    private TestAccounts _accounts = null!;

    /// <summary>The node that most clients connect to.</summary>
    public NodeSettings FrontEnd => _nodes[^1].Settings;

    /// <summary>The other front end; the same where there is one node.</summary>
    public NodeSettings OtherFrontEnd => _nodes.Count > 1 ? _nodes[^2].Settings : FrontEnd;

    public ServerProcess FrontEndProcess => _nodes[^1].Process;

    /// <summary>All nodes, with what each is: silo, frontend or all.</summary>
    public IReadOnlyList<(string Role, int Process)> Processes => [.. _nodes.Select(static n => (n.Role, n.Process.Id))];

    public string ConnectionString { get; private set; } = null!;

    /// <summary>The process whose children are PostgreSQL's backends.</summary>
    public int Postmaster { get; private set; }

    /// <param name="apart">A silo and two front ends; otherwise one node.</param>
    /// <param name="certificate">PEM file with certificate and key: there is an IMAPS door, too.</param>
    /// <param name="strangers">Clients' addresses count as those of anybody.</param>
    /// <param name="data">A directory whose database stays, and is taken over by the next that names it.</param>
    public static async Task<BenchCluster> StartAsync(bool apart, int messageMegabytes = 50, string? certificate = null, string? data = null, bool strangers = false)
    {
        var cluster = new BenchCluster();
        try
        {
            await cluster.StartNodesAsync(apart, messageMegabytes, certificate, data, strangers);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task<string> AccountAsync() => _accounts.AddAsync();

    /// <summary>The tenant, and accounts by the thousand.</summary>
    public TestAccounts Accounts => _accounts;

    /// <summary>Its database, for what no client could do.</summary>
    public NpgsqlDataSource Database => _database ??= NpgsqlDataSource.Create(ConnectionString + ";Command Timeout=0");

    /// <summary>Fills the INBOX of an account that nobody has logged in to, <see cref="StoredMail"/>.</summary>
    /// <param name="bodies">Messages have them in turn.</param>
    public async Task FillAsync(string user, int messages, IEnumerable<byte[]> bodies)
    {
        long account, mailbox, tenant;
        await using (NpgsqlCommand command = Database.CreateCommand(
            "select a.account_id, m.id, a.tenant_id from mail.account a join mail.mailbox m on m.account_id = a.account_id and m.path = array['INBOX'] where a.user_name = $1"))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = user });
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            (account, mailbox, tenant) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
        }
        var mail = new StoredMail(Database);
        await mail.AddMessagesAsync([new FilledMailbox(account, mailbox, messages)], await mail.AddBodiesAsync(tenant, bodies));
        await mail.SettleAsync();
    }

    /// <summary>As after a repair: the claims of large mailboxes are over, their owners are told, and start anew.</summary>
    public async Task ForgetAsync()
    {
        await using NpgsqlCommand command = Database.CreateCommand(
            """
            with ended as (update mail.mailbox set epoch = epoch + 1 where messages >= 1000 and owner is not null returning account_id, id, epoch)
            select pg_notify('mailcluster_owner', json_build_object('mailbox', account_id || '/' || id, 'epoch', epoch - 1, 'end', false)::text) from ended
            """);
        await command.ExecuteNonQueryAsync();
        // The notice is on its way.
        await Task.Delay(100);
    }

    /// <summary>Stops the node that was started last and starts it again: nothing is in its memory any more.</summary>
    /// <returns>How long it took to start.</returns>
    public async Task<TimeSpan> RestartAsync()
    {
        (NodeSettings settings, string role, ServerProcess old) = _nodes[^1];
        old.Terminate();
        await old.WaitForExitAsync();
        await old.DisposeAsync();
        long began = Stopwatch.GetTimestamp();
        _nodes[^1] = (settings, role, await StartAsync(settings, role));
        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>Stops PostgreSQL in order and starts it again; the node stays, and connects anew.</summary>
    public async Task RestartPostgresAsync()
    {
        if (_kept is not null)
            await _kept.RestartAsync(immediate: false);
        else
            await _postgres.RestartAsync();
        NpgsqlConnection.ClearAllPools();
        await FindPostmasterAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, _, ServerProcess process) in _nodes)
            await process.DisposeAsync();
        if (_accounts is not null)
            await _accounts.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        if (_kept is not null)
            await _kept.StopAsync();
        _directory.Delete(true);
    }

    private async Task StartNodesAsync(bool apart, int messageMegabytes, string? certificate, string? data, bool strangers)
    {
        ConnectionString = data is null ? await _postgres.CreateDatabaseAsync() : await KeptAsync(data);
        foreach (string name in apart ? new[] { "silo", "frontend-2", "frontend" } : ["all"])
        {
            var node = new NodeSettings(name, ConnectionString);
            node.Further["Limits:MessageMegabytes"] = messageMegabytes;
            // Its log stays as it is by default, a line a log-in and a delivery: other servers write theirs, too.
            // All clients come from one address here: what is measured is not its limits.
            if (!strangers)
                node.Further["Listen:TrustedNetworks:0"] = "127.0.0.0/8";
            node.Further["Limits:AccountConnections"] = 2000;
            if (certificate is not null)
            {
                node.Further["Tls:Certificate"] = certificate;
                node.Further["Listen:Imaps:0"] = $"127.0.0.1:{node.ImapsPort}";
            }
            string role = name.Split('-')[0];
            _nodes.Add((node, role, await StartAsync(node, role)));
        }
        await FindPostmasterAsync();
        _accounts = await TestAccounts.CreateAsync(ConnectionString);
    }

    private async Task FindPostmasterAsync()
    {
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false");
        await using NpgsqlCommand command = database.CreateCommand("select pg_read_file('postmaster.pid')");
        Postmaster = int.Parse(((string)(await command.ExecuteScalarAsync())!).Split('\n')[0], CultureInfo.InvariantCulture);
    }

    private Task<ServerProcess> StartAsync(NodeSettings node, string role) =>
        ServerProcess.StartReadyAsync(["node", "--role", role, "--config", node.Write(_directory.FullName)]);

    private async Task<string> KeptAsync(string data)
    {
        _kept = await PrivatePostgres.StartAsync(data, ["max_connections=300"]);
        await using NpgsqlDataSource server = NpgsqlDataSource.Create(_kept.ConnectionString() + ";Pooling=false");
        await using (NpgsqlCommand find = server.CreateCommand("select 1 from pg_database where datname = 'bench'"))
        {
            if (await find.ExecuteScalarAsync() is null)
            {
                await using NpgsqlCommand create = server.CreateCommand("create database bench");
                await create.ExecuteNonQueryAsync();
            }
        }
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(_kept.ConnectionString("bench") + ";Pooling=false");
        await SchemaMigrator.MigrateAsync(database);
        return _kept.ConnectionString("bench");
    }
}
