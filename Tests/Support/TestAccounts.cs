using System.Collections.Concurrent;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Filters;
using MailCluster.Storage.Ids;

namespace MailCluster.Tests.Support;

/// <summary>Tenant "test", domain "test.example", and any number of accounts in it, made in the database of nodes that run.</summary>
public sealed class TestAccounts : IAsyncDisposable
{
    /// <summary>Every account's.</summary>
    public const string Password = "correct horse";

    private readonly MailDatabase _database;
    private readonly ConcurrentDictionary<string, Lazy<Task>> _tenants = new();
    private int _users;

    private TestAccounts(MailDatabase database)
    {
        _database = database;
        var ids = new IdBlocks(database.Main);
        Tenants = new TenantStore(database.Main, ids);
        Accounts = new AccountStore(database.Main, ids);
    }

    /// <summary>Tenants, domains and aliases.</summary>
    public TenantStore Tenants { get; }

    public AccountStore Accounts { get; }

    /// <summary>Filters of accounts and of the tenant.</summary>
    public ScriptStore Scripts => new(_database.Main);

    public OperatorStore Operators => new(_database.Main);

    /// <summary>Who is logged in, as administrators see it.</summary>
    public SessionTable Sessions => new(_database.Main);

    /// <summary>What administrators tell the nodes.</summary>
    public DirectoryEvents Events => new(_database.Main);

    public static async Task<TestAccounts> CreateAsync(string connectionString)
    {
        // Nothing of a PostgreSQL that was restarted is kept.
        var made = new TestAccounts(new MailDatabase(connectionString + ";Pooling=false", "tests", 4));
        // In a database that was kept they are there.
        if (await made.Tenants.AddAsync("test") is { Error.Code: not MailErrorCode.AlreadyExists } tenant)
            Expect(tenant);
        if (await made.Tenants.AddDomainAsync("test.example", "test") is { Error.Code: not MailErrorCode.AlreadyExists } domain)
            Expect(domain);
        return made;
    }

    /// <summary>A new account with the folders that new accounts have; its log-in name.</summary>
    /// <param name="maxBytes">Its quota; null: none.</param>
    /// <param name="tenant">Another tenant's, for what all accounts of a tenant see; its domain is TENANT.example.</param>
    public async Task<string> AddAsync(long? maxBytes = null, string tenant = "test")
    {
        if (tenant != "test")
            await _tenants.GetOrAdd(tenant, name => new Lazy<Task>(() => AddTenantAsync(name))).Value;
        string user = $"user{Interlocked.Increment(ref _users)}@{tenant}.example";
        Expect(await Accounts.AddAsync(user, ScramVerifier.Create(Password)));
        if (maxBytes is not null)
            Expect(await Accounts.SetQuotaAsync(user, new Quota(null, maxBytes)));
        return user;
    }

    /// <summary>Makes a filter the active one of an account.</summary>
    public async Task FilterAsync(string user, string script)
    {
        AccountRef account = await new DirectoryStore(_database.Main).FindUserAsync(user) ?? throw new InvalidOperationException(user);
        if (await Scripts.PutAsync(account.Account, "test", System.Text.Encoding.UTF8.GetBytes(script), new ScriptQuota(100, 1 << 20), default) is { } refused)
            throw new InvalidOperationException(refused.ToString());
        await Scripts.SetActiveAsync(account.Account, "test", default);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task AddTenantAsync(string tenant)
    {
        Expect(await Tenants.AddAsync(tenant));
        Expect(await Tenants.AddDomainAsync($"{tenant}.example", tenant));
    }

    private static void Expect<T>(MailResult<T> result)
    {
        if (result.Error is { } error)
            throw new InvalidOperationException(error.Text);
    }
}
