using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>What the owner of an account decides log-ins by: hashes of other systems, application passwords, the tenant's policy, proofs.</summary>
public sealed class LoginWaysTests(MailSilo silo) : IClassFixture<MailSilo>
{
    private AccountStore Accounts => new(silo.Database.Main, silo.Ids);

    private TenantStore Tenants => new(silo.Database.Main, silo.Ids);

    [Fact]
    public async Task Another_system_s_hash_gives_way_to_a_verifier_with_the_salt_that_was_told_before()
    {
        (IAccountGrain owner, string user) = await OwnerAsync(StoredPassword.Of("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0"));
        ScramParameters before = (await owner.BeginScram(user, ScramHash.Sha256)).Value!;
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("wrong"))).Error?.Code);
        Assert.StartsWith("{SSHA}", await VerifierAsync(user));
        Assert.True((await owner.Authenticate(Password("secret", 2))).IsOk);
        string verifier = await VerifierAsync(user);
        Assert.True(ScramVerifier.IsVerifier(verifier) && ScramVerifier.Verify("secret", verifier));
        ScramParameters after = (await owner.BeginScram(user, ScramHash.Sha256)).Value!;
        Assert.Equal((Convert.ToBase64String(before.Salt), before.Iterations), (Convert.ToBase64String(after.Salt), after.Iterations));
        Assert.True((await owner.Authenticate(Password("secret", 3))).IsOk);
    }

    [Fact]
    public async Task Names_that_nobody_has_get_a_salt_that_stays_and_is_theirs()
    {
        IAccountGrain decoy = silo.Owner(new AccountId(-7)), other = silo.Owner(new AccountId(-8));
        ScramParameters one = (await decoy.BeginScram("nobody@test.example", ScramHash.Sha256)).Value!;
        Assert.Equal(one.Salt, (await other.BeginScram("Nobody@TEST.example", ScramHash.Sha256)).Value!.Salt);
        Assert.NotEqual(one.Salt, (await decoy.BeginScram("nobody2@test.example", ScramHash.Sha256)).Value!.Salt);
        Assert.Equal((16, 4096), (one.Salt.Length, one.Iterations));
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await decoy.Authenticate(Password("secret"))).Error?.Code);
    }

    [Fact]
    public async Task An_application_password_opens_what_it_is_for()
    {
        (IAccountGrain owner, string user) = await OwnerAsync(StoredPassword.Of("secret"));
        string password = AppPassword.Generate();
        Assert.Null((await Accounts.AddAppPasswordAsync(user, "phone", AppPassword.HashOf(password), ["imap"], [IPNetwork.Parse("192.0.2.0/24")])).Error);
        Assert.Equal(MailErrorCode.AlreadyExists, (await Accounts.AddAppPasswordAsync(user, "phone", AppPassword.HashOf("x"), null, null)).Error?.Code);
        Assert.Equal("phone", (await owner.Authenticate(Password(password.Replace("-", ""), 1))).Value!.AppPassword);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password(password, 2) with { Protocol = "pop3" })).Error?.Code);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password(password, 3) with { Address = "198.51.100.1" })).Error?.Code);
        Assert.Null((await owner.Authenticate(Password("secret", 4))).Value!.AppPassword);
        await Support.Eventually.Async("The use of an application password was not noted", async () => (await Accounts.ListAppPasswordsAsync(user))!.Single().LastUsed is not null);
        Assert.Equal("192.0.2.1", (await Accounts.ListAppPasswordsAsync(user))!.Single().LastAddress?.ToString());
        Assert.Null((await Accounts.RemoveAppPasswordAsync(user, "phone")).Error);
        await owner.Changed();
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password(password, 5))).Error?.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await Accounts.RemoveAppPasswordAsync(user, "phone")).Error?.Code);
    }

    [Fact]
    public async Task A_tenant_says_what_is_allowed()
    {
        (IAccountGrain owner, string user) = await OwnerAsync(StoredPassword.Of("secret"));
        string tenant = user[(user.IndexOf('@') + 1)..];
        async Task<MailErrorCode?> With(LoginPolicy policy, LoginRequest request)
        {
            Assert.Null((await Tenants.SetPolicyAsync(tenant, policy)).Error);
            await owner.Changed();
            return (await owner.Authenticate(request)).Error?.Code;
        }
        var all = new LoginPolicy { Mechanisms = ["SCRAM-SHA-256"], Protocols = ["imap"], Tls = true };
        Assert.Equal(all.ToJson(), (await SetAndGetAsync(tenant, all)).ToJson());
        Assert.Equal(MailErrorCode.AuthorizationFailed, await With(new LoginPolicy { Mechanisms = ["SCRAM-SHA-256"] }, Password("secret", 1)));
        Assert.Null(await With(new LoginPolicy { Mechanisms = ["PLAIN"] }, Password("secret", 2) with { Mechanism = "LOGIN" }));
        Assert.Equal(MailErrorCode.AuthorizationFailed, await With(new LoginPolicy { Protocols = ["pop3"] }, Password("secret", 3)));
        Assert.Equal(MailErrorCode.AuthorizationFailed, await With(new LoginPolicy { Tls = true }, Password("secret", 4)));
        Assert.Null(await With(new LoginPolicy { Tls = true }, Password("secret", 5) with { Secure = true }));
        Assert.Equal(MailErrorCode.AuthorizationFailed, await With(new LoginPolicy(), Password("", 6) with { Verified = "certificate", Mechanism = "EXTERNAL" }));
        Assert.Null(await With(new LoginPolicy { Mechanisms = ["EXTERNAL"] }, Password("", 7) with { Verified = "certificate", Mechanism = "EXTERNAL" }));
        // A wrong password is told as one, whatever the policy.
        Assert.Equal(MailErrorCode.AuthenticationFailed, await With(new LoginPolicy { Protocols = ["pop3"] }, Password("wrong", 8)));
        Assert.Equal(MailErrorCode.AuthenticationFailed, await With(new LoginPolicy { AppPasswordsOnly = true }, Password("secret", 9)));
        // Operators are the provider's.
        Assert.Null(await With(new LoginPolicy { Protocols = ["pop3"] }, Password("", 10) with { Verified = "operator", Operator = "ops" }));
        Assert.Contains(await owner.Sessions(), static s => s.SessionId == "s10");
    }

    [Fact]
    public async Task A_second_verifier_is_kept_where_the_tenant_wants_one()
    {
        (IAccountGrain owner, string user) = await OwnerAsync(StoredPassword.Of("secret"));
        string tenant = user[(user.IndexOf('@') + 1)..];
        Assert.Equal(0, await silo.ScalarAsync<long>("select count(verifier_sha1) from directory.account where user_name = $1", user));
        Assert.Null((await Tenants.SetPolicyAsync(tenant, new LoginPolicy { ScramSha1 = true })).Error);
        await owner.Changed();
        Assert.True((await owner.Authenticate(Password("secret"))).IsOk);
        string kept = await silo.ScalarAsync<string>("select verifier_sha1 from directory.account where user_name = $1", user);
        Assert.True(ScramVerifier.Verify("secret", kept));
        Assert.Null((await Accounts.SetPasswordAsync(user, StoredPassword.Of("another"))).Error);
        Assert.True(ScramVerifier.Verify("another", await silo.ScalarAsync<string>("select verifier_sha1 from directory.account where user_name = $1", user)));
        Assert.Null((await Accounts.AddAsync("second@" + tenant, StoredPassword.Of("third"))).Error);
        Assert.True(ScramVerifier.Verify("third", await silo.ScalarAsync<string>("select verifier_sha1 from directory.account where user_name = $1", "second@" + tenant)));
    }

    [Fact]
    public async Task Operators()
    {
        var operators = new OperatorStore(silo.Database.Main);
        Assert.Null((await Tenants.AddAsync("helped")).Error);
        Assert.Equal(MailErrorCode.NonExistent, (await operators.SetAsync("ops", ScramVerifier.Create("hands"), ["no such"])).Error?.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await operators.SetAsync("ops", null, null)).Error?.Code);
        Assert.Null((await operators.SetAsync("Ops", ScramVerifier.Create("hands"), ["helped"])).Error);
        IOperatorGrain owner = silo.Operator("ops");
        OperatorPass pass = (await owner.Authenticate(Password("hands"))).Value!;
        Assert.Equal(("ops", 1), (pass.Name, pass.Tenants!.Count));
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await owner.Authenticate(Password("wrong", 2))).Error?.Code);
        Assert.Equal(MailErrorCode.AuthenticationFailed, (await silo.Operator("?5").Authenticate(Password("hands", 3))).Error?.Code);
        OperatorRow row = Assert.Single(await operators.ListAsync(null, 10));
        Assert.Equal(["helped"], row.Tenants!);
        Assert.Null((await operators.DeleteAsync("ops")).Error);
        Assert.Equal(MailErrorCode.NonExistent, (await operators.DeleteAsync("ops")).Error?.Code);
    }

    [Fact]
    public async Task One_address_that_guesses_at_many_accounts_is_slowed_down_and_an_account_s_own_address_is_not()
    {
        (IAccountGrain owner, _) = await OwnerAsync(StoredPassword.Of("secret"));
        (IAccountGrain stranger, _) = await OwnerAsync(StoredPassword.Of("secret"));
        LoginRequest home = Password("secret") with { Address = "203.0.113.9" };
        Assert.True((await owner.Authenticate(home)).IsOk);
        // Each at another account, all at once, from the address that one of them knows.
        List<Task<MailResult<AccountSession>>> guesses = [.. Enumerable.Range(0, 400).Select(i =>
            silo.Owner(new AccountId(-1000 - i)).Authenticate(Password("guess", i + 100) with { Address = "203.0.113.9" }).AsTask())];
        // A hundred are forgiven, some wait for seconds, and the line takes nobody else.
        int wrong = 0, refused = 0;
        while (refused < 280)
        {
            Task<MailResult<AccountSession>> next = await Task.WhenAny(guesses);
            guesses.Remove(next);
            _ = (await next).Error!.Code == MailErrorCode.Limit ? refused++ : wrong++;
        }
        Assert.InRange(wrong, 1, 120);
        Assert.True((await owner.Authenticate(home with { Attempt = 2 })).IsOk);
        Assert.Equal(MailErrorCode.Limit, (await stranger.Authenticate(home with { Attempt = 3 })).Error?.Code);
        // Our own webmail is many people.
        Assert.True((await stranger.Authenticate(home with { Attempt = 4, Trusted = true })).IsOk);
    }

    private async Task<LoginPolicy> SetAndGetAsync(string tenant, LoginPolicy policy)
    {
        Assert.Null((await Tenants.SetPolicyAsync(tenant, policy)).Error);
        return (await Tenants.GetPolicyAsync(tenant))!;
    }

    private Task<string> VerifierAsync(string user) => silo.ScalarAsync<string>("select verifier from directory.account where user_name = $1", user);

    private static LoginRequest Password(string password, long attempt = 1) =>
        new($"s{attempt}", password, "imap", "PLAIN", "192.0.2.1", "front", Trusted: false, attempt);

    /// <summary>An account of a tenant of its own, which is called as its domain is.</summary>
    private async Task<(IAccountGrain Owner, string User)> OwnerAsync(NewPassword password)
    {
        string domain = $"{Guid.NewGuid():N}.example";
        Assert.Null((await Tenants.AddAsync(domain)).Error);
        Assert.Null((await Tenants.AddDomainAsync(domain, domain)).Error);
        Assert.Null((await Accounts.AddAsync("ann@" + domain, password)).Error);
        return (silo.Owner(new AccountId(await silo.ScalarAsync<long>("select account_id from mail.account where user_name = $1", "ann@" + domain))), "ann@" + domain);
    }
}
