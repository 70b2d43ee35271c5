using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

public sealed class AccountStoreTests(PostgresFixture postgres) : DirectoryTest(postgres)
{
    [Fact]
    public async Task A_new_account_has_the_folders_of_its_tenant_with_their_uses()
    {
        await AddAsync("alice@a.test");
        var folders = (await Accounts.ListMailboxesAsync("alice@a.test"))!;
        Assert.Equal(["Archive \\Archive", "Drafts \\Drafts", "INBOX ", "Junk \\Junk", "Sent \\Sent", "Trash \\Trash"],
            folders.Select(f => $"{string.Join('/', f.Path)} {string.Join(',', f.SpecialUse)}"));
        Assert.Equal(6, await ScalarAsync<long>("select count(*) from mail.subscription"));
        await ExecuteAsync("""update directory.tenant set folders = '[{"path": ["INBOX"]}, {"path": ["Gesendet"], "use": "\\Sent"}]'""");
        await AddAsync("bob@a.test");
        Assert.Equal(["Gesendet", "INBOX"], (await Accounts.ListMailboxesAsync("bob@a.test"))!.Select(f => f.Path.Single()));
        Assert.Null(await Accounts.ListMailboxesAsync("nobody@a.test"));
    }

    [Fact]
    public async Task What_cannot_be_added_is_refused()
    {
        await AddAsync("alice@a.test");
        Ok(await Tenants.SetAliasAsync("sales@a.test", ["alice@a.test"]));
        Refused(MailErrorCode.AlreadyExists, await Accounts.AddAsync("Alice@a.test", null));
        Refused(MailErrorCode.AlreadyExists, await Accounts.AddAsync("sales@a.test", null));
        Refused(MailErrorCode.NonExistent, await Accounts.AddAsync("alice@b.test", null));
        Refused(MailErrorCode.Cannot, await Accounts.AddAsync("alice", null));
        Refused(MailErrorCode.AlreadyExists, await Tenants.SetAliasAsync("alice@a.test", ["sales@a.test"]));
    }

    [Fact]
    public async Task Of_several_who_add_the_same_account_one_succeeds()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Accounts.AddAsync("alice@a.test", null)));
        Assert.Single(results, r => r.IsOk);
        Assert.Equal(1, await ScalarAsync<long>("select count(*) from mail.account"));
    }

    [Fact]
    public async Task Thousands_are_imported_and_each_that_cannot_be_is_told()
    {
        await AddAsync("user7@a.test");
        var refused = new List<(int, MailErrorCode)>();
        var lines = Enumerable.Range(0, 2_000).Select(i => new ImportedAccount(i switch { 3 => "nonsense", 4 => "x@other.test", 5 => "user1@a.test", _ => $"user{i}@a.test" }, $"secret{i}"));
        Assert.Equal(1_996, await Accounts.ImportAsync(lines, (place, error) => refused.Add((place, error.Code))));
        Assert.Equal([(3, MailErrorCode.Cannot), (4, MailErrorCode.NonExistent), (5, MailErrorCode.AlreadyExists), (7, MailErrorCode.AlreadyExists)], refused);
        Assert.Equal(1_997 * 6, await ScalarAsync<long>("select count(*) from mail.mailbox"));
        var account = await Directory.GetAccountAsync((await Directory.FindUserAsync("user1999@a.test"))!.Account);
        Assert.True(ScramVerifier.Verify("secret1999", account!.Verifier!));
    }

    [Fact]
    public async Task Lists_come_in_pages()
    {
        Ok(await Tenants.AddAsync("other"));
        Ok(await Tenants.AddDomainAsync("b.test", "other"));
        for (var i = 0; i < 5; i++)
            await AddAsync($"u{i}@{(i == 2 ? "b" : "a")}.test");
        Assert.Equal(["u0@a.test", "u1@a.test"], (await Accounts.ListAsync("acme", null, 2)).Select(a => a.User));
        Assert.Equal(["u3@a.test", "u4@a.test"], (await Accounts.ListAsync("acme", "u1@a.test", 2)).Select(a => a.User));
        Assert.Equal(["u2@b.test", "u3@a.test"], (await Accounts.ListAsync(null, "u1@a.test", 2)).Select(a => a.User));
        Assert.Equal("b.test", Assert.Single(await Tenants.ListDomainsAsync("other", null, 9)).Name);
        Assert.Equal(["acme", "other"], (await Tenants.ListAsync(null, 9)).Select(t => t.Name));
        Assert.Equal(4, (await Tenants.FindAsync("acme"))!.Accounts);
        Assert.Null(await Tenants.FindAsync("nobody"));
    }

    [Fact]
    public async Task A_deleted_account_made_again_has_only_larger_uidvalidities()
    {
        await AddAsync("alice@a.test");
        await ExecuteAsync("update mail.mailbox set uidvalidity = 4000000000 where path = '{INBOX}'");
        Ok(await Accounts.DeleteAsync("alice@a.test"));
        Assert.Null(await Directory.FindUserAsync("alice@a.test"));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.mailbox where deleted_at is null"));
        await AddAsync("alice@a.test");
        Assert.True(await ScalarAsync<bool>("select min(uidvalidity) > 4000000000 from mail.mailbox where deleted_at is null"));
        Refused(MailErrorCode.NonExistent, await Accounts.DeleteAsync("nobody@a.test"));
    }

    [Fact]
    public async Task A_renamed_account_keeps_its_mail_and_neither_name_sees_a_smaller_uidvalidity()
    {
        var id = await AddAsync("alice@a.test");
        await AddAsync("carol@a.test");
        await ExecuteAsync($"update mail.mailbox set uidvalidity = 4000000000 where account_id <> {id} and path = '{{INBOX}}'");
        var sent = await ScalarAsync<long>($"select uidvalidity from mail.mailbox where account_id = {id} and path = '{{Sent}}'");
        Ok(await Accounts.DeleteAsync("carol@a.test"));
        await ExecuteAsync("delete from mail.name_history where path <> '{INBOX}'");
        Ok(await Accounts.RenameAsync("alice@a.test", "Carol@a.test"));
        Assert.Equal(id, (await Directory.FindUserAsync("carol@a.test"))!.Account);
        Assert.True(await ScalarAsync<long>($"select uidvalidity from mail.mailbox where account_id = {id} and path = '{{INBOX}}'") > 4_000_000_000);
        Assert.Equal(sent, await ScalarAsync<long>($"select uidvalidity from mail.mailbox where account_id = {id} and path = '{{Sent}}'"));
        await AddAsync("alice@a.test");
        Assert.True(await ScalarAsync<bool>($"select min(uidvalidity) > {sent} from mail.mailbox m join mail.account a using (account_id) where a.user_name = 'alice@a.test' and m.path = '{{Sent}}'"));
        Refused(MailErrorCode.AlreadyExists, await Accounts.RenameAsync("alice@a.test", "carol@a.test"));
        Refused(MailErrorCode.NonExistent, await Accounts.RenameAsync("nobody@a.test", "x@a.test"));
        Refused(MailErrorCode.NonExistent, await Accounts.RenameAsync("alice@a.test", "x@b.test"));
    }

    [Fact]
    public async Task What_is_in_use_is_not_deleted()
    {
        await AddAsync("alice@a.test");
        Refused(MailErrorCode.InUse, await Tenants.DeleteDomainAsync("a.test"));
        Refused(MailErrorCode.InUse, await Tenants.DeleteAsync("acme"));
        Ok(await Accounts.DeleteAsync("alice@a.test"));
        Ok(await Tenants.SetAliasAsync("sales@a.test", ["alice@a.test"]));
        Refused(MailErrorCode.InUse, await Tenants.DeleteDomainAsync("a.test"));
        Ok(await Tenants.DeleteAliasAsync("sales@a.test"));
        Ok(await Tenants.DeleteDomainAsync("A.test"));
        Ok(await Tenants.DeleteAsync("acme"));
        Assert.Equal(0, await ScalarAsync<long>("select (select count(*) from directory.tenant) + (select count(*) from mail.tenant)"));
        Refused(MailErrorCode.NonExistent, await Tenants.DeleteAsync("acme"));
        Refused(MailErrorCode.NonExistent, await Tenants.DeleteDomainAsync("a.test"));
        Refused(MailErrorCode.NonExistent, await Tenants.DeleteAliasAsync("sales@a.test"));
    }
}
