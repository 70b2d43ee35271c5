using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

/// <summary>A database of its own for each test, with tenant "acme" and its domain a.test.</summary>
public abstract class DirectoryTest(PostgresFixture postgres) : IAsyncLifetime
{
    protected string ConnectionString { get; private set; } = null!;
    protected NpgsqlDataSource Database { get; private set; } = null!;
    protected TenantStore Tenants { get; private set; } = null!;
    protected AccountStore Accounts { get; private set; } = null!;
    protected DirectoryStore Directory { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        Database = NpgsqlDataSource.Create(ConnectionString);
        var ids = new IdBlocks(Database);
        (Tenants, Accounts, Directory) = (new(Database, ids), new(Database, ids), new(Database));
        Ok(await Tenants.AddAsync("acme"));
        Ok(await Tenants.AddDomainAsync("A.test", "acme"));
    }

    public async ValueTask DisposeAsync() => await Database.DisposeAsync();

    protected static T Ok<T>(MailResult<T> result)
    {
        Assert.Null(result.Error);
        return result.Value!;
    }

    protected static void Refused<T>(MailErrorCode code, MailResult<T> result) => Assert.Equal(code, result.Error?.Code);

    protected async Task<AccountId> AddAsync(string user) => Ok(await Accounts.AddAsync(user, null));

    protected Task<int> ExecuteAsync(string sql) => Database.CreateCommand(sql).ExecuteNonQueryAsync();

    protected async Task<T> ScalarAsync<T>(string sql) => (T)(await Database.CreateCommand(sql).ExecuteScalarAsync())!;
}
