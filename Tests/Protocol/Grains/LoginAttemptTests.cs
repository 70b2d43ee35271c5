using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>The owner of an account, called again by a front end that had no answer in time.</summary>
public sealed class LoginAttemptTests(MailSilo silo) : IClassFixture<MailSilo>
{
    [Fact]
    public async Task A_repeated_call_joins_the_log_in_under_way_and_is_no_further_guess()
    {
        IAccountGrain owner = await OwnerAsync("alice");
        LoginRequest Wrong(long attempt) => new($"s{attempt}", "wrong", "imap", "PLAIN", "192.0.2.1", "front", Trusted: false, attempt);
        // Many calls of one attempt are one guess: did they count, the next log-in would wait for 8 s by now.
        for (int i = 0; i < 20; i++)
        {
            ValueTask<MailResult<AccountSession>>[] calls = [owner.Authenticate(Wrong(1)), owner.Authenticate(Wrong(1))];
            foreach (ValueTask<MailResult<AccountSession>> call in calls)
                Assert.Equal(MailErrorCode.AuthenticationFailed, (await call).Error?.Code);
        }
        Assert.True((await owner.Authenticate(Wrong(2) with { Password = "right" })).IsOk);
        Assert.True((await owner.Authenticate(Wrong(2) with { Password = "right" })).IsOk);
        Assert.Equal("s2", Assert.Single(await owner.Sessions()).SessionId);
    }

    private async Task<IAccountGrain> OwnerAsync(string user)
    {
        var tenants = new TenantStore(silo.Database.Main, silo.Ids);
        var accounts = new AccountStore(silo.Database.Main, silo.Ids);
        Assert.Null((await tenants.AddAsync("test")).Error);
        Assert.Null((await tenants.AddDomainAsync("test.example", "test")).Error);
        Assert.Null((await accounts.AddAsync($"{user}@test.example", ScramVerifier.Create("right"))).Error);
        return silo.Owner(new AccountId(await silo.ScalarAsync<long>("select account_id from mail.account where user_name = $1", $"{user}@test.example")));
    }
}
