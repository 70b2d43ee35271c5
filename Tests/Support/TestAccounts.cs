using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;

namespace MailCluster.Tests.Support;

/// <summary>Tenant "test", domain "test.example", and any number of accounts in it, made in the database of nodes that run.</summary>
public sealed class TestAccounts : IAsyncDisposable
{
    /// <summary>Every account's.</summary>
    public const string Password = "correct horse";

    private readonly MailDatabase _database;
    private readonly AccountStore _accounts;
    private int _users;

    private TestAccounts(MailDatabase database, AccountStore accounts) => (_database, _accounts) = (database, accounts);

    public static async Task<TestAccounts> CreateAsync(string connectionString)
    {
        // Nothing of a PostgreSQL that was restarted is kept.
        var database = new MailDatabase(connectionString + ";Pooling=false", "tests", 4);
        var ids = new IdBlocks(database.Main);
        var tenants = new TenantStore(database.Main, ids);
        Expect(await tenants.AddAsync("test"));
        Expect(await tenants.AddDomainAsync("test.example", "test"));
        return new TestAccounts(database, new AccountStore(database.Main, ids));
    }

    /// <summary>A new account with the folders that new accounts have; its log-in name.</summary>
    public async Task<string> AddAsync(long? maxBytes = null)
    {
        string user = $"user{Interlocked.Increment(ref _users)}@test.example";
        Expect(await _accounts.AddAsync(user, ScramVerifier.Create(Password)));
        if (maxBytes is not null)
            Expect(await _accounts.SetQuotaAsync(user, new Quota(null, maxBytes)));
        return user;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static void Expect<T>(MailResult<T> result)
    {
        if (result.Error is { } error)
            throw new InvalidOperationException(error.Text);
    }
}
