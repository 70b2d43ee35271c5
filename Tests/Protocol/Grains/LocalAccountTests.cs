using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Directories;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>Log-ins, and whom mail goes to, by what an account's owner in the same process remembers.</summary>
public sealed class LocalAccountTests(MailSilo silo) : IClassFixture<MailSilo>
{
    private static int _tenants;

    [Fact]
    public async Task What_the_owner_would_grant_from_memory_needs_no_call_and_counts_as_any_log_in()
    {
        (AccountId account, IAccountGrain owner) = await AccountAsync();
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s0")));
        Assert.False(silo.LocalAccounts.TryEnd(account, "s0"));
        Assert.True((await owner.Authenticate(Request("s1"))).IsOk);

        AccountSession session = Assert.IsType<AccountSession>(silo.LocalAccounts.TryLogIn(account, Request("s2")));
        Assert.Equal(("s2", account), (session.SessionId, session.Settings.Account));
        Assert.Equal(["s1", "s2"], (await owner.Sessions()).Select(static s => s.SessionId).Order());

        Assert.True(silo.LocalAccounts.TryEnd(account, "s1"));
        Assert.Equal("s2", Assert.Single(await owner.Sessions()).SessionId);
    }

    [Fact]
    public async Task Everything_else_is_left_to_the_owner()
    {
        (AccountId account, IAccountGrain owner) = await AccountAsync();
        Assert.True((await owner.Authenticate(Request("s1"))).IsOk);
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s2") with { Password = "wrong" }));
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s2") with { Password = null }));

        silo.MayRead = false;
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s2")));
        silo.MayRead = true;

        // After a wrong password the right one waits as well, at the same address.
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Request("s2") with { Password = "wrong" })).Error?.Code);
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s2")));
        Assert.True((await owner.Authenticate(Request("s2") with { Attempt = 2 })).IsOk);
        Assert.NotNull(silo.LocalAccounts.TryLogIn(account, Request("s3")));

        for (int i = 4; i <= 50; i++)
            Assert.NotNull(silo.LocalAccounts.TryLogIn(account, Request($"s{i}")));
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s51")));
        Assert.Equal(MailErrorCode.Limit, (await owner.Authenticate(Request("s51"))).Error?.Code);
        Assert.NotNull(silo.LocalAccounts.TryLogIn(account, Request("s51") with { Trusted = true }));

        await owner.Changed();
        Assert.Null(silo.LocalAccounts.TryLogIn(account, Request("s52") with { Trusted = true }));
        Assert.Equal(51, (await owner.Sessions()).Count);
    }

    [Fact]
    public async Task Mail_goes_to_whom_has_the_name_now_through_front_ends_that_knew_another()
    {
        (AccountId alice, IAccountGrain owner) = await AccountAsync();
        string name = (await owner.Settings()).Value!.User, other = "alicia" + name[name.IndexOf('@')..];
        var tenants = new TenantStore(silo.Database.Main, silo.Ids);
        var accounts = new AccountStore(silo.Database.Main, silo.Ids);
        var bodies = new MessageBodies(silo.Database.Main, silo.Ids);
        await using var here = new MailClusterClient(silo.Grains, bodies, silo.Local, accounts: silo.LocalAccounts);
        await using var elsewhere = new MailClusterClient(silo.Grains, bodies, new LocalMailboxes());
        await ExpectAsync(name, alice);

        Assert.Null((await accounts.RenameAsync(name, other)).Error);
        // As each node does at the news.
        await owner.Changed();
        await ExpectAsync(name, null);
        await ExpectAsync(other, alice);

        AccountId next = (await accounts.AddAsync(name, ScramVerifier.Create("right"))).Value;
        await ExpectAsync(name, next);
        Assert.Null((await accounts.DeleteAsync(name)).Error);
        await silo.Owner(next).Changed();
        await ExpectAsync(name, null);
        Assert.Null((await tenants.SetAliasAsync(name, [other])).Error);
        await ExpectAsync(name, alice);

        Assert.Null((await accounts.SetStateAsync(other, login: null, DeliveryState.Refused)).Error);
        await owner.Changed();
        foreach (MailClusterClient door in new[] { here, elsewhere })
            Assert.Equal(MailErrorCode.DeliveryRefused, (await new RecipientResolver(door).ResolveAsync(other, default)).Error?.Code);

        // Asked twice: looked up, and remembered.
        async Task ExpectAsync(string address, AccountId? account)
        {
            foreach (MailClusterClient door in new[] { here, here, elsewhere, elsewhere })
            {
                MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>> found = await new RecipientResolver(door).ResolveAsync(address, default);
                Assert.Equal(account, found.Value?.Single().Settings.Account);
                Assert.Equal(account is null ? MailErrorCode.NonExistent : null, found.Error?.Code);
            }
        }
    }

    private static LoginRequest Request(string session) => new(session, "right", "imap", "PLAIN", "192.0.2.1", "front", Trusted: false, 1);

    private async Task<(AccountId Account, IAccountGrain Owner)> AccountAsync()
    {
        int number = Interlocked.Increment(ref _tenants);
        var tenants = new TenantStore(silo.Database.Main, silo.Ids);
        var accounts = new AccountStore(silo.Database.Main, silo.Ids);
        Assert.Null((await tenants.AddAsync($"local{number}")).Error);
        Assert.Null((await tenants.AddDomainAsync($"local{number}.example", $"local{number}")).Error);
        Assert.Null((await accounts.AddAsync($"alice@local{number}.example", ScramVerifier.Create("right"))).Error);
        var account = new AccountId(await silo.ScalarAsync<long>("select account_id from mail.account where user_name = $1", $"alice@local{number}.example"));
        return (account, silo.Owner(account));
    }
}
