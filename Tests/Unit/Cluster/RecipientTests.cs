using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>Whom mail goes to, while the directory changes.</summary>
public sealed class RecipientTests : IAsyncDisposable
{
    private readonly FakeGrains _grains = new();
    private readonly FakeDirectory _directory = new();
    private readonly MailClusterClient _cluster;
    private readonly RecipientResolver _resolver;
    private int _lookUps;

    public RecipientTests()
    {
        _grains.Put<IDirectoryGrain>(0L, _directory);
        _directory.OnFindRecipients = _ =>
        {
            _lookUps++;
            return Task.CompletedTask;
        };
        _cluster = new MailClusterClient(_grains, new Lmtp.FakeBodies(), new LocalMailboxes(), TestCluster.Impatient);
        _resolver = new RecipientResolver(_cluster);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task An_accounts_own_name_is_looked_up_once_whoever_asks()
    {
        Add(1, "alice@demo.test");
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
        // As another wrote it it is another key.
        await ExpectAsync("ALICE@Demo.test", [1], lookUps: 2);
        await ExpectAsync("ALICE@Demo.test", [1], lookUps: 2);
        Assert.True((await new RecipientResolver(_cluster).ResolveAsync("alice@demo.test", default)).IsOk);
        Assert.Equal(2, _lookUps);
    }

    [Fact]
    public async Task Aliases_sub_addresses_and_nobody_are_looked_up_each_time()
    {
        FakeAccount alice = Add(1, "alice@demo.test");
        _directory.Aliases["team@demo.test"] = [_directory.Users["alice@demo.test"]];
        foreach (string address in new[] { "team@demo.test", "alice+detail@demo.test", "nobody@demo.test" })
        {
            _lookUps = 0;
            long[] whom = address[0] == 'n' ? [] : [1];
            await ExpectAsync(address, whom, lookUps: 1);
            await ExpectAsync(address, whom, lookUps: 2);
        }
        Assert.Equal("alice@demo.test", alice.Current.User);
    }

    [Fact]
    public async Task A_name_that_became_anothers_leads_to_him()
    {
        FakeAccount alice = Add(1, "alice@demo.test");
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
        alice.Current = alice.Current with { User = "alicia@demo.test" };
        Add(2, "alice@demo.test");
        await ExpectAsync("alice@demo.test", [2], lookUps: 2);
        await ExpectAsync("alice@demo.test", [2], lookUps: 2);
    }

    [Fact]
    public async Task A_name_whose_account_is_gone_leads_where_it_leads_now()
    {
        FakeAccount alice = Add(1, "alice@demo.test");
        Add(2, "bob@demo.test");
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
        alice.Answer = new MailError(MailErrorCode.NonExistent, "No such account.");
        _directory.Users.Remove("alice@demo.test");
        await ExpectAsync("alice@demo.test", [], lookUps: 2);
        _directory.Aliases["alice@demo.test"] = [_directory.Users["bob@demo.test"]];
        await ExpectAsync("alice@demo.test", [2], lookUps: 3);
        await ExpectAsync("alice@demo.test", [2], lookUps: 4);
    }

    [Fact]
    public async Task What_an_account_takes_is_its_owners_to_say_each_time()
    {
        FakeAccount alice = Add(1, "alice@demo.test");
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
        foreach ((DeliveryState state, MailErrorCode code) in new[] { (DeliveryState.Deferred, MailErrorCode.DeliveryDeferred), (DeliveryState.Refused, MailErrorCode.DeliveryRefused) })
        {
            alice.Current = alice.Current with { Delivery = state };
            Assert.Equal(code, (await _resolver.ResolveAsync("alice@demo.test", default)).Error?.Code);
        }
        alice.Current = alice.Current with { Delivery = DeliveryState.On };
        await ExpectAsync("alice@demo.test", [1], lookUps: 1);
    }

    private FakeAccount Add(long id, string user)
    {
        var account = new FakeAccount(FakeAccount.SettingsOf(id, 1, user));
        _grains.Put<IAccountGrain>(id, account);
        _directory.Users[user] = new AccountRef(account.Current.Account, account.Current.Tenant, user);
        return account;
    }

    /// <param name="lookUps">How often the directory was asked by then.</param>
    private async Task ExpectAsync(string address, long[] accounts, int lookUps)
    {
        MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>> found = await _resolver.ResolveAsync(address, default);
        Assert.Equal(accounts, found.Value?.Select(static a => a.Settings.Account.Value) ?? []);
        if (accounts.Length == 0)
            Assert.Equal(MailErrorCode.NonExistent, found.Error?.Code);
        Assert.Equal(lookUps, _lookUps);
    }
}
