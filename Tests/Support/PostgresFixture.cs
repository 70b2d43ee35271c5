using System.Diagnostics;
using System.Security.Cryptography;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Support;

/// <summary>
/// A private PostgreSQL for tests (real fsync), started by the first test that wants a database and gone at the end. All fixtures of a test program mean the same server: to make one
/// and its schema takes as long as many a test.
/// Use: <c>[assembly: AssemblyFixture(typeof(PostgresFixture))]</c> and take it as a test class's constructor argument.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private static readonly TestPostgres _shared = new();

    private readonly TestPostgres _server;

    public PostgresFixture()
        : this(_shared)
    {
    }

    private PostgresFixture(TestPostgres server) => _server = server;

    /// <summary>A server of its own, for tests that change how all of it works.</summary>
    public static PostgresFixture OfItsOwn() => new(new TestPostgres());

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A connection string for a fresh database with all migrations applied, seen by nobody else.</summary>
    public Task<string> CreateDatabaseAsync() => _server.CreateAsync(this, migrated: true);

    /// <summary>A connection string for a fresh and empty database.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => _server.CreateAsync(this, migrated: false);

    /// <summary>A data source on a fresh migrated database; the caller disposes of it.</summary>
    public async Task<NpgsqlDataSource> CreateDataSourceAsync() => NpgsqlDataSource.Create(await CreateDatabaseAsync());

    /// <summary>Stops the server that has a database already, in order, and starts it again.</summary>
    public Task RestartAsync() => _server.RestartAsync();

    public async ValueTask DisposeAsync() => await _server.LeaveAsync(this);
}

/// <summary>What fixtures mean together: it runs while there are fixtures that have a database of it.</summary>
internal sealed class TestPostgres
{
    private const string Template = "migrated";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private string? _directory;
    private PrivatePostgres? _postgres;
    private bool _hasTemplate;
    private int _databases;
    private readonly HashSet<PostgresFixture> _users = [];

    public async Task LeaveAsync(PostgresFixture user)
    {
        await _gate.WaitAsync();
        try
        {
            if (!_users.Remove(user) || _users.Count > 0)
            {
                return;
            }
            NpgsqlConnection.ClearAllPools();
            if (_postgres is not null)
            {
                await _postgres.StopAsync(immediate: true);
            }
            if (_directory is not null)
            {
                // Some hundred databases of some hundred files each: nobody waits for the end of them, nor for a program that has its output open.
                var delete = new ProcessStartInfo("nice", ["-n", "19", "rm", "-rf", _directory]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
                Process.Start(delete)!.Dispose();
            }
            (_postgres, _directory, _hasTemplate) = (null, null, false);
        }
        finally
        {
            _gate.Release();
        }
    }

    public Task RestartAsync() => _postgres!.RestartAsync(immediate: false);

    // One at a time: a database can't be copied while another session looks at it.
    public async Task<string> CreateAsync(PostgresFixture user, bool migrated)
    {
        await _gate.WaitAsync();
        try
        {
            _users.Add(user);
            var postgres = _postgres ??= await StartAsync();
            if (migrated && !_hasTemplate)
            {
                await ExecuteAsync(postgres, $"CREATE DATABASE {Template}");
                await using (var dataSource = NpgsqlDataSource.Create(postgres.ConnectionString(Template) + ";Pooling=false"))
                {
                    await SchemaMigrator.MigrateAsync(dataSource);
                }
                _hasTemplate = true;
            }
            var name = $"test_{++_databases}";
            await ExecuteAsync(postgres, $"CREATE DATABASE {name}" + (migrated ? $" TEMPLATE {Template}" : ""));
            return postgres.ConnectionString(name);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<PrivatePostgres> StartAsync()
    {
        if (PostgresPrograms.Find() is null)
        {
            throw new InvalidOperationException($"$XunitDynamicSkip$PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");
        }
        _directory = Directory.CreateTempSubdirectory("mailcluster-test-").FullName;
        PrivatePostgres postgres = await PrivatePostgres.StartAsync(_directory, ["max_connections=600"]);
        await ExecuteAsync(postgres, $"ALTER ROLE CURRENT_USER PASSWORD '{QuickVerifier(postgres)}'");
        return postgres;
    }

    // Of the same password, and of one iteration: tests make connections by the thousand, and nobody guesses.
    private static string QuickVerifier(PrivatePostgres postgres)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(16);
        string password = new NpgsqlConnectionStringBuilder(postgres.ConnectionString()).Password!;
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, 1, HashAlgorithmName.SHA256, 32);
        byte[] storedKey = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)), serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256$1:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}";
    }

    private static async Task ExecuteAsync(PrivatePostgres postgres, string sql)
    {
        await using var dataSource = NpgsqlDataSource.Create(postgres.ConnectionString() + ";Pooling=false");
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
