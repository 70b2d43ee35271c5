using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

public sealed class DirectoryStoreTests(PostgresFixture postgres) : DirectoryTest(postgres)
{
    [Fact]
    public async Task A_user_is_found_whatever_the_case()
    {
        var id = await AddAsync("Alice@A.Test");
        Assert.Equal(id, (await Directory.FindUserAsync("aLICE@a.tEST"))!.Account);
        Assert.Equal("alice@a.test", (await Directory.FindUserAsync("alice@a.test"))!.User);
        Assert.Null(await Directory.FindUserAsync("alice+x@a.test"));
        Assert.Null(await Directory.FindUserAsync("alice"));
        Assert.Null(await Directory.FindUserAsync("bob@a.test"));
    }

    [Fact]
    public async Task A_decoy_is_nobody_whoever_s_row_is_read_in_its_place()
    {
        Assert.Null(await Directory.GetAccountAsync(new(-5)));
        await AddAsync("alice@a.test");
        Assert.Null(await Directory.GetAccountAsync(new(-5)));
        Ok(await Accounts.DeleteAsync("alice@a.test"));
        Assert.Null(await Directory.GetAccountAsync(new(-5)));
        AccountId bob = await AddAsync("bob@a.test");
        Assert.Null(await Directory.GetAccountAsync(new(-5)));
        Assert.Equal("bob@a.test", (await Directory.GetAccountAsync(bob))!.Settings.User);
    }

    [Fact]
    public async Task The_token_issuer_is_that_of_the_user_s_domain_whether_he_exists_or_not()
    {
        var logins = new LoginStore(Database);
        await AddAsync("alice@a.test");
        Ok(await Tenants.SetIssuerAsync("acme", new TokenIssuer(default, "https://issuer.test", "mail", null, null, null, null, null, "email", null, 60)));
        foreach (string user in new[] { "alice@a.test", "nobody@A.test" })
            Assert.Equal("https://issuer.test", Assert.Single(await logins.FindIssuersAsync(user, null)).Issuer);
        Assert.Single(await logins.FindIssuersAsync(null, "https://issuer.test"));
        foreach (string user in new[] { "alice@b.test", "alice", "al\0ice@a.test", "" })
            Assert.Empty(await logins.FindIssuersAsync(user, null));
    }

    [Fact]
    public async Task A_sub_address_is_the_detail_unless_the_whole_is_an_address()
    {
        await AddAsync("alice@a.test");
        await AddAsync("alice+own@a.test");
        Assert.Equal(["alice@a.test "], await FindAsync("alice@a.test"));
        Assert.Equal(["alice@a.test lists"], await FindAsync("ALICE+lists@a.test"));
        Assert.Equal(["alice@a.test a+b"], await FindAsync("alice+a+b@a.test"));
        Assert.Equal(["alice+own@a.test "], await FindAsync("alice+own@a.test"));
        Assert.Empty(await FindAsync("+x@a.test"));
        Assert.Empty(await FindAsync("nobody@a.test"));
    }

    [Fact]
    public async Task Aliases_lead_through_aliases_to_each_account_once()
    {
        foreach (var user in new[] { "alice@a.test", "bob@a.test", "carol@a.test" })
            await AddAsync(user);
        Ok(await Tenants.SetAliasAsync("all@a.test", ["sales@a.test", "bob@a.test", "carol@a.test", "far@away.example"]));
        Ok(await Tenants.SetAliasAsync("sales@a.test", ["alice@a.test", "bob+sales@a.test", "all@a.test"]));
        Assert.Equal(["alice@a.test ", "bob@a.test ", "carol@a.test "], await FindAsync("all@a.test"));
        Assert.Equal(["alice@a.test x", "bob@a.test sales", "carol@a.test x"], await FindAsync("sales+x@a.test"));
    }

    [Fact]
    public async Task A_chain_of_aliases_that_is_too_long_leads_nowhere()
    {
        await AddAsync("end@a.test");
        for (var i = 0; i < 12; i++)
            Ok(await Tenants.SetAliasAsync($"l{i}@a.test", [i == 0 ? "end@a.test" : $"l{i - 1}@a.test"]));
        Assert.Single(await FindAsync("l7@a.test"));
        Assert.Empty(await FindAsync("l11@a.test"));
    }

    [Fact]
    public async Task Settings_come_from_the_account_else_from_its_tenant()
    {
        var id = await AddAsync("alice@a.test");
        await ExecuteAsync("update directory.tenant set delimiter = '.', prefix = 'INBOX.'");
        Ok(await Accounts.SetQuotaAsync("alice@a.test", new(10, 1000)));
        var account = (await Directory.GetAccountAsync(id))!;
        Assert.Equal(('.', "INBOX.", DeliveryState.On, 10L, 1000L, true),
            (account.Settings.Delimiter, account.Settings.Prefix, account.Settings.Delivery, account.Settings.MaxMessages, account.Settings.MaxBytes, account.Login));
        await ExecuteAsync("update directory.account set delimiter = '/', prefix = ''");
        Assert.Equal(('/', ""), ((await Directory.GetAccountAsync(id))!.Settings.Delimiter, (await Directory.GetAccountAsync(id))!.Settings.Prefix));
        Assert.Null(await Directory.GetAccountAsync(new(1)));
    }

    [Fact]
    public async Task Each_state_is_its_own_and_a_disabled_tenant_is_off()
    {
        var id = await AddAsync("alice@a.test");
        Ok(await Accounts.SetStateAsync("alice@a.test", login: false, null));
        Assert.Equal((false, DeliveryState.On), await StateAsync());
        Ok(await Accounts.SetStateAsync("alice@a.test", login: true, DeliveryState.Refused));
        Assert.Equal((true, DeliveryState.Refused), await StateAsync());
        Ok(await Tenants.SetEnabledAsync("acme", false));
        Assert.Equal((false, DeliveryState.Refused), await StateAsync());
        Ok(await Accounts.SetStateAsync("alice@a.test", null, DeliveryState.On));
        Assert.Equal((false, DeliveryState.Deferred), await StateAsync());

        async Task<(bool, DeliveryState)> StateAsync() => (await Directory.GetAccountAsync(id)) is { } a ? (a.Login, a.Settings.Delivery) : throw new InvalidOperationException();
    }

    [Fact]
    public async Task The_last_log_in_is_noted_once_a_minute()
    {
        var id = await AddAsync("alice@a.test");
        await Directory.NoteLoginAsync(id, IPAddress.Parse("192.0.2.1"));
        await Directory.NoteLoginAsync(id, IPAddress.Parse("192.0.2.2"));
        var row = (await Accounts.FindAsync("alice@a.test"))!;
        Assert.NotNull(row.LastLogin);
        Assert.Equal("192.0.2.1", row.LastAddress!.ToString());
        await ExecuteAsync("update directory.account set last_login = now() - interval '61 seconds'");
        await Directory.NoteLoginAsync(id, null);
        Assert.Null((await Accounts.FindAsync("alice@a.test"))!.LastAddress);
    }

    [Theory]
    [InlineData("Jos\u00e9@B\u00fccher.example", "jos\u00e9@xn--bcher-kva.example")]
    [InlineData("a@b", "a@b")]
    [InlineData("a b@c.test", null)]
    [InlineData("@c.test", null)]
    [InlineData("a@", null)]
    [InlineData("a@c..test", null)]
    [InlineData("a\n@c.test", null)]
    [InlineData("a@c test", null)]
    public void Addresses_have_one_form(string text, string? parsed) => Assert.Equal(parsed, MailAddress.Parse(text)?.ToString());

    private async Task<IEnumerable<string>> FindAsync(string address) =>
        (await Directory.FindRecipientsAsync(address)).Select(r => $"{r.Account.User} {r.Detail}").Order(StringComparer.Ordinal);
}
