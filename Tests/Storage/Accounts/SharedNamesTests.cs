using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Accounts;

/// <summary>What others do to the names of an account's mailboxes is allowed, or not, at the moment at which it is done (RFC 4314 §4).</summary>
public sealed class SharedNamesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly MailboxPath Work = MailboxPath.Of("Work");

    private AccountId _alice;
    private AccountId _bob;

    [Fact]
    public async Task Each_change_needs_its_right()
    {
        MailboxKey work = await SharedAsync(MailRights.None);
        Assert.Equal(DeleteOutcome.NonExistent, await DeleteAsync());
        Assert.Equal(RenameOutcome.NonExistent, await RenameAsync("Work", "Work/Sub"));
        Assert.Equal(CreateOutcome.NotPermitted, await CreateAsync("Work/Sub"));
        Assert.Equal(CreateOutcome.NotPermitted, await CreateAsync("Top"));
        await GrantAsync(work, MailRights.Lookup | MailRights.Create);
        Assert.Equal(DeleteOutcome.NotPermitted, await DeleteAsync());
        Assert.Equal(CreateOutcome.Done, await CreateAsync("Work/Sub/Deep"));
        // What is made inherits: its names may be made below, and not changed.
        Assert.Equal(RenameOutcome.NotPermitted, await RenameAsync("Work/Sub", "Work/Other"));
        await GrantAsync(await KeyAsync("Work/Sub"), MailRights.Delete);
        Assert.Equal(RenameOutcome.Done, await RenameAsync("Work/Sub", "Work/Other"));
        Assert.Equal(RenameOutcome.NotPermitted, await RenameAsync("Work/Other", "Top"));
        Assert.Equal(RenameOutcome.Done, await RenameAsync("Work/Other", "Work/A/B"));
        // A right that is taken away, whoever grants it.
        await ExecuteAsync("select mail.set_acl_v1($1, $2, $3, true, 0::smallint, $4)", work.Account.Value, work.Mailbox.Value, _bob.Value, (int)MailRights.Create);
        Assert.Equal(CreateOutcome.NotPermitted, await CreateAsync("Work/C"));
        // Another tenant's account has none, whatever the list says.
        AccountId eve = await AccountAsync("eve@b.test", tenant: 2);
        await ExecuteAsync("insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights) values ($1, $2, 1, $3, false, 2047)", work.Account.Value, work.Mailbox.Value, eve.Value);
        Assert.Equal(DeleteOutcome.NonExistent, (await Tree.DeleteAsync(_alice, NextOperation(), Work, viewer: eve)).Outcome);
    }

    /// <summary>While one who may not waits, the name goes to a mailbox that he has no right on: that one stays.</summary>
    [Fact]
    public async Task A_name_that_goes_to_another_mailbox_takes_no_right_along()
    {
        await SharedAsync(MailRights.Lookup | MailRights.Delete);
        long[] ids = await Ids.NextAsync(2);
        await using NpgsqlConnection owner = await Database.Main.OpenConnectionAsync();
        await using NpgsqlTransaction transaction = await owner.BeginTransactionAsync();
        await using (var change = new NpgsqlCommand("select mail.rename_mailbox_v3($1, 9, 1, array['Work'], array['Old'], array[$2]::bigint[], '{}', '{}'), mail.create_mailbox_v2($1, 9, 2, array['Work'], '{}', array[$3]::bigint[], 100)", owner, transaction))
        {
            foreach (long value in (long[])[_alice.Value, ids[0], ids[1]])
                change.Parameters.Add(new NpgsqlParameter<long> { TypedValue = value });
            await change.ExecuteNonQueryAsync();
        }
        Task<DeleteOutcome> deleting = DeleteAsync();
        Task<RenameOutcome> renaming = RenameAsync("Work", "Old/Stolen");
        await transaction.CommitAsync();
        Assert.Equal(DeleteOutcome.NonExistent, await deleting);
        Assert.Equal(RenameOutcome.NonExistent, await renaming);
        Assert.NotNull(await Tree.FindAsync(_alice, Work));
    }

    /// <summary>A repeated change finds nothing any more that it could have rights on, and is done all the same.</summary>
    [Fact]
    public async Task A_retry_is_answered_as_before()
    {
        MailboxKey work = await SharedAsync(MailRights.Lookup | MailRights.Create | MailRights.Delete);
        OperationId create = NextOperation(), rename = NextOperation(), delete = NextOperation();
        (CreateOutcome Outcome, MailboxId Id) made = await MakeAsync();
        Assert.Equal(CreateOutcome.Done, made.Outcome);
        Assert.Equal(RenameOutcome.Done, (await MoveAsync()).Outcome);
        Assert.Equal(DeleteOutcome.Done, (await Tree.DeleteAsync(_alice, delete, MailboxPath.Parse("Work/B", '/'), viewer: _bob)).Outcome);
        await GrantAsync(work, MailRights.None);
        Assert.Equal(made, await MakeAsync());
        Assert.Equal(RenameOutcome.Done, (await MoveAsync()).Outcome);
        Assert.Equal((DeleteOutcome.Done, made.Id), await Tree.DeleteAsync(_alice, delete, MailboxPath.Parse("Work/B", '/'), viewer: _bob));
        Assert.Equal(CreateOutcome.NotPermitted, await CreateAsync("Work/A"));

        async Task<(CreateOutcome Outcome, MailboxId Id)> MakeAsync() => await Tree.CreateAsync(_alice, create, MailboxPath.Parse("Work/A", '/'), [], await Ids.NextAsync(2), 100, _bob);

        async Task<(RenameOutcome Outcome, IReadOnlyList<MailboxId> Ended)> MoveAsync() =>
            await Tree.RenameAsync(_alice, rename, MailboxPath.Parse("Work/A", '/'), MailboxPath.Parse("Work/B", '/'), await Ids.NextAsync(2), viewer: _bob);
    }

    private async Task<MailboxKey> SharedAsync(MailRights rights)
    {
        (_alice, _bob) = (await AccountAsync(), await AccountAsync("bob@a.test"));
        (_, MailboxId id) = await Tree.CreateAsync(_alice, NextOperation(), Work, [], await Ids.NextAsync(1), 100);
        var work = new MailboxKey(_alice, id);
        await GrantAsync(work, rights);
        return work;
    }

    private Task GrantAsync(MailboxKey mailbox, MailRights rights) =>
        ExecuteAsync("select mail.set_acl_v1($1, $2, $3, false, 0::smallint, $4)", mailbox.Account.Value, mailbox.Mailbox.Value, _bob.Value, (int)rights);

    private async Task<MailboxKey> KeyAsync(string name) => new(_alice, (await Tree.FindAsync(_alice, MailboxPath.Parse(name, '/')))!.Id);

    private async Task<CreateOutcome> CreateAsync(string name)
    {
        var path = MailboxPath.Parse(name, '/');
        return (await Tree.CreateAsync(_alice, NextOperation(), path, [], await Ids.NextAsync(path.Segments.Count), 100, _bob)).Outcome;
    }

    private async Task<DeleteOutcome> DeleteAsync() => (await Tree.DeleteAsync(_alice, NextOperation(), Work, viewer: _bob)).Outcome;

    private async Task<RenameOutcome> RenameAsync(string from, string to)
    {
        var path = MailboxPath.Parse(to, '/');
        return (await Tree.RenameAsync(_alice, NextOperation(), MailboxPath.Parse(from, '/'), path, await Ids.NextAsync(path.Segments.Count), viewer: _bob)).Outcome;
    }
}
