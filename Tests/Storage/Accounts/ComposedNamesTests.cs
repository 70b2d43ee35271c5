using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Accounts;

/// <summary>One name, however a client composes its letters (RFC 9051 §5.1: names are Net-Unicode).</summary>
public sealed class ComposedNamesTests(PostgresFixture postgres)
{
    private const string Composed = "R\u00e9sum\u00e9s";
    private const string Decomposed = "Re\u0301sume\u0301s";

    [Fact]
    public async Task A_name_is_stored_and_found_composed()
    {
        await using var database = new MailDatabase(await postgres.CreateDatabaseAsync(), "test", 4);
        var ids = new IdBlocks(database.Main);
        var tenants = new TenantStore(database.Main, ids);
        await tenants.AddAsync("t");
        await tenants.AddDomainAsync("t.example", "t");
        var accounts = new AccountStore(database.Main, ids);
        await accounts.AddAsync("a@t.example", null);
        AccountId account = (await new DirectoryStore(database.Main).FindUserAsync("a@t.example"))!.Account;
        var tree = new AccountTreeStore(database);

        (CreateOutcome made, _) = await tree.CreateAsync(account, new OperationId(1, 1), MailboxPath.Of("Work", Decomposed), [], await ids.NextAsync(2), 100);
        (CreateOutcome again, _) = await tree.CreateAsync(account, new OperationId(1, 2), MailboxPath.Of("Work", Composed), [], await ids.NextAsync(2), 100);
        MailboxInfo? found = await tree.FindAsync(account, MailboxPath.Of("Work", Decomposed));

        Assert.Equal(CreateOutcome.Done, made);
        Assert.Equal(CreateOutcome.Exists, again);
        Assert.Equal(Composed, found!.Path.Leaf);
        Assert.Contains((await tree.ListAsync(account, false)).Mailboxes, m => m.Path.Leaf == Composed);
        // As administrators write it.
        Assert.Equal(found.Id, (await MailboxLookup.MailboxAsync(database.Main, "a@t.example", "Work/" + Decomposed)).Value.Mailbox);
    }
}
