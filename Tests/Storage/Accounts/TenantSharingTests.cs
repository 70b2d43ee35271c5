using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Maintenance;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Storage.Accounts;

/// <summary>What accounts of one tenant may do with mailboxes of another's, as the rows tell.</summary>
public sealed class TenantSharingTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly MailboxPath Work = MailboxPath.Of("Work");

    private TenantStore _tenants = null!;
    private TenantId _acme;
    private AccountId _alice;
    private AccountId _eve;
    private MailboxKey _work;

    /// <summary>Alice of acme with a mailbox Work, on which Eve of bolt has rights.</summary>
    private async Task SetUpAsync(MailRights rights = MailRights.Lookup | MailRights.Read | MailRights.Insert)
    {
        _tenants = new TenantStore(Database.Main, Ids);
        _acme = (await _tenants.AddAsync("acme")).Value;
        TenantId bolt = (await _tenants.AddAsync("bolt")).Value;
        (_alice, _eve) = (await AccountAsync("alice@acme.test", _acme.Value), await AccountAsync("eve@bolt.test", bolt.Value));
        _work = (await MailboxAsync(_alice, "Work")).Key;
        await GrantAsync(_eve, rights);
    }

    private Task GrantAsync(AccountId grantee, MailRights rights, bool negative = false) =>
        ExecuteAsync("select mail.set_acl_v1($1, $2, $3, $4, 0::smallint, $5)", _work.Account.Value, _work.Mailbox.Value, grantee.Value, negative, (int)rights);

    private async Task ShareAsync()
    {
        Assert.False((await _tenants.ShareAsync("acme", "bolt")).Value);
        Assert.True((await _tenants.ShareAsync("bolt", "acme")).Value);
    }

    private Task<MailRights> RightsAsync() => Mailboxes.RightsAsync(_work, _eve);

    private async Task<IReadOnlyList<string>> SharedAsync() => [.. (await Tree.ListSharedAsync(_eve, new ListRequest(false))).Mailboxes.Select(static m => $"{m.Mailbox.User} {m.Mailbox.Info.Path}")];

    [Fact]
    public async Task Rights_count_while_both_tenants_say_that_they_share()
    {
        await SetUpAsync();
        await Tree.SubscribeToAsync(_eve, _alice, Work, subscribed: true, 10);
        await NothingAsync();
        Assert.False((await _tenants.ShareAsync("bolt", "acme")).Value);
        await NothingAsync();
        Assert.True((await _tenants.ShareAsync("acme", "bolt")).Value);
        await EverythingAsync();
        Assert.True((await _tenants.ShareAsync("acme", "bolt")).Value);
        Assert.Equal([("acme", "bolt", true), ("bolt", "acme", true)], (await _tenants.ListSharingAsync(null, null, 10)).Select(static s => (s.Tenant, s.With, s.Mutual)));
        Assert.True((await _tenants.UnshareAsync("bolt", "acme")).IsOk);
        await NothingAsync();
        Assert.Equal([("acme", "bolt", false)], (await _tenants.ListSharingAsync("bolt", null, 10)).Select(static s => (s.Tenant, s.With, s.Mutual)));
        // What was given before counts again.
        Assert.True((await _tenants.ShareAsync("bolt", "acme")).Value);
        await EverythingAsync();

        async Task NothingAsync()
        {
            Assert.Equal(MailRights.None, await RightsAsync());
            Assert.Empty(await SharedAsync());
            Assert.Empty((await Tree.ListSharedAsync(_eve, new ListRequest(false))).Subscriptions);
            Assert.Equal(AclStanding.Suspended, await Mailboxes.StandingAsync(_eve, _acme));
            Assert.Equal(AclStanding.Suspended, Assert.Single((await Mailboxes.AclAsync(_work)).Entries).Standing);
            Assert.Null(await Tree.FindAccountAsync(_acme, _alice, "eve@bolt.test"));
            Assert.Empty((await Tree.RightsAsync(_work, _alice)).Entries);
            Assert.Equal(DeleteOutcome.NonExistent, (await Tree.DeleteAsync(_alice, NextOperation(), Work, viewer: _eve)).Outcome);
            // Operators see what waits.
            Assert.Equal(("eve@bolt.test", false), (await new AclStore(Database.Main).ListAsync(_work)).Select(static l => (l.Line.Name, l.Counts)).Single());
        }

        async Task EverythingAsync()
        {
            Assert.Equal(MailRights.Lookup | MailRights.Read | MailRights.Insert, await RightsAsync());
            Assert.Equal(["alice@acme.test Work"], await SharedAsync());
            Assert.Single((await Tree.ListSharedAsync(_eve, new ListRequest(false))).Subscriptions);
            Assert.Equal(AclStanding.Sharing, Assert.Single((await Mailboxes.AclAsync(_work)).Entries).Standing);
            Assert.Equal(_eve, await Tree.FindAccountAsync(_acme, _alice, "eve@bolt.test"));
            Assert.Equal("eve@bolt.test", Assert.Single((await Tree.RightsAsync(_work, _alice)).Entries).Name);
            Assert.Equal(DeleteOutcome.NotPermitted, (await Tree.DeleteAsync(_alice, NextOperation(), Work, viewer: _eve)).Outcome);
        }
    }

    [Fact]
    public async Task Anyone_is_everybody_of_the_mailboxes_own_tenant()
    {
        await SetUpAsync(MailRights.Read);
        await ShareAsync();
        AccountId bob = await AccountAsync("bob@acme.test", _acme.Value);
        await GrantAsync(MailboxAcl.Anyone, MailRights.All);
        await GrantAsync(MailboxAcl.Anyone, MailRights.Read, negative: true);
        Assert.Equal(MailRights.Read, await RightsAsync());
        Assert.Equal(MailRights.All & ~MailRights.Read, await Mailboxes.RightsAsync(_work, bob));
        MailboxAcl acl = await Mailboxes.AclAsync(_work);
        Assert.Equal((MailRights.Read, MailRights.All & ~MailRights.Read), (acl.RightsOf(_eve, foreign: true), acl.RightsOf(bob)));
        await GrantAsync(_eve, MailRights.None);
        Assert.Equal((MailRights.None, MailRights.None), (await RightsAsync(), (await Mailboxes.AclAsync(_work)).RightsOf(_eve, foreign: true)));
        Assert.Empty(await SharedAsync());
        Assert.Equal(CreateOutcome.NotPermitted, (await Tree.CreateAsync(_alice, NextOperation(), MailboxPath.Parse("Work/Sub", '/'), [], await Ids.NextAsync(2), 100, _eve)).Outcome);
        await GrantAsync(_eve, MailRights.Lookup | MailRights.Create);
        Assert.Equal(CreateOutcome.Done, (await Tree.CreateAsync(_alice, NextOperation(), MailboxPath.Parse("Work/Sub", '/'), [], await Ids.NextAsync(2), 100, _eve)).Outcome);
        await GrantAsync(_eve, MailRights.Lookup | MailRights.Create | MailRights.Delete);
        Assert.Equal(DeleteOutcome.Done, (await Tree.DeleteAsync(_alice, NextOperation(), Work, viewer: _eve)).Outcome);
    }

    /// <summary>Who may change a list knows of accounts of tenants that share with his own and with the mailbox's, and of no others.</summary>
    [Fact]
    public async Task Names_are_found_where_all_three_share()
    {
        await SetUpAsync();
        TenantId core = (await _tenants.AddAsync("core")).Value;
        AccountId carl = await AccountAsync("carl@core.test", core.Value);
        await ShareAsync();
        Assert.False((await _tenants.ShareAsync("acme", "core")).Value);
        Assert.True((await _tenants.ShareAsync("core", "acme")).Value);
        await GrantAsync(carl, MailRights.Read);
        Assert.Equal(carl, await Tree.FindAccountAsync(_acme, _alice, "carl@core.test"));
        Assert.Null(await Tree.FindAccountAsync(_acme, _eve, "carl@core.test"));
        Assert.Equal(_alice, await Tree.FindAccountAsync(_acme, _eve, "alice@acme.test"));
        Assert.Equal(["carl@core.test", "eve@bolt.test"], (await Tree.RightsAsync(_work, _alice)).Entries.Select(static e => e.Name));
        Assert.Equal(["eve@bolt.test"], (await Tree.RightsAsync(_work, _eve)).Entries.Select(static e => e.Name));
    }

    /// <summary>Owners of exactly the mailboxes that it is about lose their claims, however many statements that takes.</summary>
    [Fact]
    public async Task Owners_are_told_when_what_lines_count_for_changes()
    {
        await SetUpAsync();
        Owned work = await ClaimAsync(_work), inbox = await MailboxAsync(_alice);
        Assert.False((await _tenants.ShareAsync("acme", "bolt")).Value);
        await DoneAsync(await AppendOfAsync(work, 1));
        Assert.True((await _tenants.ShareAsync("bolt", "acme")).Value);
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(await AppendOfAsync(work, 1))).Status);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.change c join mail.mailbox m on m.id = c.mailbox_id and m.highest_modseq = c.modseq where c.mailbox_id = $1 and c.session = 'sharing'", _work.Mailbox.Value));
        work = await ClaimAsync(_work);
        Assert.Equal(AclStanding.Sharing, Assert.Single((await LoadAsync(work)).Sharing.Acl.Entries).Standing);
        Assert.True((await _tenants.UnshareAsync("acme", "bolt")).IsOk);
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(await AppendOfAsync(work, 1))).Status);
        await DoneAsync(await AppendOfAsync(inbox, 1));
        // A page at a time, in order.
        for (int i = 0; i < 3; i++)
            await ExecuteAsync("insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights) values ($1, $2, $3, $4, false, 3)", _eve.Value, 100L + i, await ScalarAsync<long>("select id from directory.tenant where name = 'bolt'"), _alice.Value);
        var told = new List<long>();
        (long Account, long Mailbox)? last = (0, 0);
        while ((last = await NextAsync(last.Value.Account, last.Value.Mailbox)) is { } next)
            told.Add(next.Mailbox);
        Assert.Equal((long[])[100, 101, 102, _work.Mailbox.Value], told.Order());

        async Task<(long Account, long Mailbox)?> NextAsync(long after, long behind)
        {
            await using var command = Database.Main.CreateCommand("select account_id, mailbox_id from mail.tell_sharing_v1($1, (select id from directory.tenant where name = 'bolt'), $2, $3, 1)");
            foreach (long value in (long[])[_acme.Value, after, behind])
                command.Parameters.AddWithValue(value);
            await using var reader = await command.ExecuteReaderAsync();
            return await reader.ReadAsync() ? (reader.GetInt64(0), reader.GetInt64(1)) : null;
        }
    }

    /// <summary>A copy in another tenant refers to the same body, which stays as long as one of them is there; each is charged where it is.</summary>
    [Fact]
    public async Task A_body_stays_for_the_copy_in_another_tenant()
    {
        await SetUpAsync();
        await ShareAsync();
        Owned work = await ClaimAsync(_work), inbox = await MailboxAsync(_eve);
        await DoneAsync(await HeldAppendOfAsync(work, 1, size: 100));
        await DoneAsync(new CommitOperation
        {
            Kind = CommitKind.Copy, Mailbox = inbox.Key, Source = work.Key, Epoch = inbox.Epoch, Tenant = inbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = Uids(1), SourceViewer = _eve,
        });
        Assert.Equal((100L, 100L), (await BytesAsync("acme"), await BytesAsync("bolt")));
        var collector = new Collector(Database.Main, new() { StagedFor = TimeSpan.Zero, MarkedFor = TimeSpan.Zero, ExpungedFor = TimeSpan.Zero }, NullLogger<Collector>.Instance);
        await ExecuteAsync("select mail.delete_account_v1($1)", _alice.Value);
        await ExecuteAsync("insert into mail.account_gone (account_id) values ($1)", _alice.Value);
        await collector.RunAsync(default);
        await collector.RunAsync(default);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.email e join mail.body b on b.id = e.body_id join mail.body_chunk c on c.body_id = b.id"));
        Assert.Equal((0L, 100L), (await BytesAsync("acme"), await BytesAsync("bolt")));
        await DoneAsync(RemoveOf(inbox, Uids(1)));
        await collector.RunAsync(default);
        await collector.RunAsync(default);
        Assert.Equal(0L, await ScalarAsync<long>("select (select count(*) from mail.body) + (select count(*) from mail.body_chunk) + (select count(*) from mail.email)"));

        Task<long> BytesAsync(string tenant) =>
            ScalarAsync<long>("select coalesce(sum(a.bytes), 0)::bigint from mail.account a join directory.tenant t on t.id = a.tenant_id where t.name = $1", tenant);
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_and_a_tenant_that_goes_takes_along_what_was_said_of_it()
    {
        await SetUpAsync();
        Assert.Equal(MailErrorCode.Cannot, (await _tenants.ShareAsync("acme", "acme")).Error!.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await _tenants.ShareAsync("acme", "nobody")).Error!.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await _tenants.UnshareAsync("nobody", "acme")).Error!.Code);
        await ExecuteAsync("insert into directory.front_end (node, code_version, version_seen, seen) values ('old', 161, now(), now())");
        await ExecuteAsync("update directory.front_end set version_seen = seen");
        Assert.Equal(MailErrorCode.InUse, (await _tenants.ShareAsync("acme", "bolt")).Error!.Code);
        await ExecuteAsync("delete from directory.front_end");
        await ShareAsync();
        Assert.True((await _tenants.AddAsync("core")).IsOk);
        Assert.False((await _tenants.ShareAsync("core", "acme")).Value);
        Assert.False((await _tenants.ShareAsync("bolt", "core")).Value);
        Assert.True((await _tenants.DeleteAsync("core")).IsOk);
        Assert.Equal(["acme", "bolt"], (await _tenants.ListSharingAsync(null, null, 10)).Select(static s => s.Tenant));
        Assert.Equal(["bolt"], (await _tenants.ListSharingAsync(null, "acme/bolt", 1)).Select(static s => s.Tenant));
    }
}
