using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Accounts;

/// <summary>The tree of an account's mailboxes, and the UIDVALIDITY of its names.</summary>
public sealed class TreeTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private AccountId _alice;

    private async Task<(CreateOutcome Outcome, MailboxId Id)> CreateAsync(string name, OperationId? operation = null, int max = 1000, params string[] use)
    {
        var path = MailboxPath.Parse(name, '/');
        return await Tree.CreateAsync(_alice, operation ?? NextOperation(), path, use, await Ids.NextAsync(path.Segments.Count), max);
    }

    private async Task<(RenameOutcome Outcome, IReadOnlyList<MailboxId> Ended)> RenameAsync(string from, string to, OperationId? operation = null)
    {
        var path = MailboxPath.Parse(to, '/');
        return await Tree.RenameAsync(_alice, operation ?? NextOperation(), MailboxPath.Parse(from, '/'), path, await Ids.NextAsync(path.Segments.Count));
    }

    private Task<(DeleteOutcome Outcome, MailboxId? Id)> DeleteAsync(string name, OperationId? operation = null) =>
        Tree.DeleteAsync(_alice, operation ?? NextOperation(), MailboxPath.Parse(name, '/'));

    private async Task<MailboxInfo?> FindAsync(string name) => await Tree.FindAsync(_alice, MailboxPath.Parse(name, '/'));

    private async Task<uint> ValidityAsync(string name) => (await FindAsync(name))!.Status!.UidValidity;

    private async Task<string> NamesAsync() => string.Join(' ', (await Tree.ListAsync(_alice, false)).Mailboxes.Select(static m => m.Path.ToString()));

    [Fact]
    public async Task Create_makes_parents_once_and_within_the_limit()
    {
        _alice = await AccountAsync();
        OperationId operation = NextOperation();
        (CreateOutcome outcome, MailboxId id) = await CreateAsync("a/b/c", operation);
        Assert.Equal(CreateOutcome.Done, outcome);
        Assert.Equal((CreateOutcome.Exists, id), await CreateAsync("a/b/c"));
        Assert.Equal("INBOX a a/b a/b/c", await NamesAsync());
        Assert.Equal(RenameOutcome.Done, (await RenameAsync("a/b/c", "z")).Outcome);
        // The retry of the first CREATE, late: it was done, with this id, and makes nothing.
        Assert.Equal((CreateOutcome.Done, id), await CreateAsync("a/b/c", operation));
        Assert.Equal("INBOX a a/b z", await NamesAsync());

        Assert.Equal(CreateOutcome.Done, (await CreateAsync("a/d", max: 5)).Outcome);
        Assert.Equal(CreateOutcome.TooMany, (await CreateAsync("a/e", max: 5)).Outcome);
        Assert.Equal(CreateOutcome.Done, (await CreateAsync("Trash", use: "\\Trash")).Outcome);
        Assert.Equal(CreateOutcome.SpecialUseTaken, (await CreateAsync("Bin", use: "\\Trash")).Outcome);
        _alice = new AccountId(1);
        Assert.Equal(CreateOutcome.NoAccount, (await CreateAsync("x")).Outcome);
    }

    [Fact]
    public async Task Subscriptions_need_no_mailbox_and_are_limited()
    {
        _alice = await AccountAsync();
        AccountId bob = await AccountAsync("bob@a.test");
        // To INBOX it is from the beginning.
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(i < 2, await Tree.SubscribeAsync(_alice, MailboxPath.Of($"n{i}"), true, most: 3));
            Assert.Equal(i < 2, await Tree.SubscribeToAsync(_alice, bob, MailboxPath.Of($"n{i}"), true, most: 2));
        }
        // What there is already is no more.
        Assert.True(await Tree.SubscribeAsync(_alice, MailboxPath.Of("n1"), true, most: 3));
        Assert.True(await Tree.SubscribeToAsync(_alice, bob, MailboxPath.Of("n1"), true, most: 2));
        Assert.True(await Tree.SubscribeAsync(_alice, MailboxPath.Of("n0"), false, most: 3));
        Assert.True(await Tree.SubscribeAsync(_alice, MailboxPath.Of("n2"), true, most: 3));
        Assert.True(await Tree.SubscribeToAsync(_alice, bob, MailboxPath.Of("n0"), false, most: 2));
        Assert.True(await Tree.SubscribeToAsync(_alice, bob, MailboxPath.Of("n2"), true, most: 2));
        Assert.Equal(["INBOX", "n1", "n2"], (await Tree.ListAsync(_alice, false)).Subscriptions.Select(static p => p.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(["n1", "n2"], (await Tree.ListSharedAsync(_alice, new ListRequest(false))).Subscriptions.Select(static s => s.Path.ToString()).Order());
        Assert.Equal((true, 0), (await Tree.SubscribeAsync(bob, MailboxPath.Of("x"), true, most: 2), (await Tree.ListSharedAsync(bob, new ListRequest(false))).Subscriptions.Count));
    }

    [Fact]
    public async Task Delete_leaves_children_and_gives_the_quota_back()
    {
        _alice = await AccountAsync();
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, max_bytes) values (1, true, 100000)");
        Owned child = await MailboxAsync(_alice, "a/b"), parent = await MailboxAsync(_alice, "a");
        await DoneAsync(await AppendOfAsync(parent, 3, keywords: ["Work"]));
        await DoneAsync(await AppendOfAsync(child, 1));
        OperationId operation = NextOperation();
        Assert.Equal((DeleteOutcome.Done, parent.Key.Mailbox), await DeleteAsync("a", operation));
        Assert.Equal((DeleteOutcome.Done, parent.Key.Mailbox), await DeleteAsync("a", operation));
        Assert.Equal(DeleteOutcome.OnlyChildren, (await DeleteAsync("a")).Outcome);
        Assert.Equal(DeleteOutcome.NonExistent, (await DeleteAsync("none")).Outcome);
        Assert.Equal("INBOX a/b", await NamesAsync());
        await CountersAreRightAsync();
        Assert.Equal(100L, await ScalarAsync<long>("select bytes from mail.tenant"));

        // Its rows go in slices, and can be restored for a while.
        Assert.Equal(2, await ScalarAsync<int>("select mail.purge_deleted_v2(2)"));
        Assert.Equal(1, await ScalarAsync<int>("select mail.purge_deleted_v2(2)"));
        Assert.Equal(0, await ScalarAsync<int>("select mail.purge_deleted_v2(2)"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.message"));
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.message_flags"));
        Assert.Equal(3L, await ScalarAsync<long>("select count(*) from mail.expunged where keywords = '{Work}'"));
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.keyword"));
    }

    [Fact]
    public async Task Rename_takes_the_tree_along_and_INBOX_stays_where_it_is()
    {
        _alice = await AccountAsync();
        foreach (string name in (string[])["a/b", "a/b/c", "ab", "INBOX/x"])
            await CreateAsync(name);
        Assert.Equal(RenameOutcome.Done, (await RenameAsync("a", "p/q")).Outcome);
        Assert.Equal("INBOX INBOX/x ab p p/q p/q/b p/q/b/c", await NamesAsync());
        Assert.Equal(RenameOutcome.BelowItself, (await RenameAsync("p", "p/z")).Outcome);
        Assert.Equal(RenameOutcome.Exists, (await RenameAsync("ab", "p/q")).Outcome);
        Assert.Equal(RenameOutcome.NonExistent, (await RenameAsync("none", "other")).Outcome);

        Owned inbox = await MailboxAsync(_alice);
        await DoneAsync(await AppendOfAsync(inbox, 2));
        uint validity = await ValidityAsync("INBOX");
        OperationId operation = NextOperation();
        Assert.Equal(RenameOutcome.Done, (await RenameAsync("INBOX", "old/mail", operation)).Outcome);
        Assert.Equal(RenameOutcome.Done, (await RenameAsync("INBOX", "old/mail", operation)).Outcome);
        Assert.Equal("INBOX INBOX/x ab old old/mail p p/q p/q/b p/q/b/c", await NamesAsync());
        Assert.Equal((inbox.Key.Mailbox, 2L), ((await FindAsync("old/mail"))!.Id, (await FindAsync("old/mail"))!.Status!.Messages));
        Assert.Equal(0L, (await FindAsync("INBOX"))!.Status!.Messages);
        Assert.True(await ValidityAsync("INBOX") > validity);
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Rename_onto_a_name_that_had_a_larger_UIDVALIDITY_gives_a_new_one_and_says_so_again_to_a_retry()
    {
        _alice = await AccountAsync();
        MailboxId old = (await CreateAsync("old")).Id;
        await CreateAsync("new");
        uint had = await ValidityAsync("new");
        await DeleteAsync("new");
        Owned claimed = await ClaimAsync(new MailboxKey(_alice, old));
        OperationId operation = NextOperation();
        for (int i = 0; i < 2; i++)
        {
            (RenameOutcome outcome, IReadOnlyList<MailboxId> ended) = await RenameAsync("old", "new", operation);
            Assert.Equal(RenameOutcome.Done, outcome);
            Assert.Equal([old], ended);
        }
        Assert.True(await ValidityAsync("new") > had);
        // Who owned it under the old UIDVALIDITY hears of it.
        Assert.Equal(CommitStatus.Fenced, (await CommitAsync(await AppendOfAsync(claimed, 1))).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_UIDVALIDITY_of_a_name_only_rises_whatever_happens(int seed)
    {
        var random = new Random(seed);
        string[] names = ["a", "b", "a/b", "b/a", "c", "INBOX"];
        var last = new Dictionary<string, (uint Validity, MailboxId Id)>();
        string user = "alice@a.test";
        _alice = await AccountAsync(user);
        for (int i = 0; i < 120; i++)
        {
            string name = names[random.Next(names.Length)];
            switch (i % 40 == 39 ? 3 : random.Next(3))
            {
                case 0:
                    await CreateAsync(name);
                    break;
                case 1 when name != "INBOX":
                    await DeleteAsync(name);
                    break;
                case 2:
                    await RenameAsync(name, names[random.Next(5)]);
                    break;
                case 3:
                    await ExecuteAsync("select mail.delete_account_v1($1)", _alice.Value);
                    _alice = await AccountAsync(user);
                    break;
            }
            foreach (MailboxInfo mailbox in (await Tree.ListAsync(_alice, true)).Mailboxes)
            {
                (uint Validity, MailboxId Id) now = (mailbox.Status!.UidValidity, mailbox.Id);
                if (last.TryGetValue(mailbox.Path.ToString(), out var before))
                    Assert.True(now == before || now.Validity > before.Validity, $"{mailbox.Path}: {before} then {now} at step {i}");
                last[mailbox.Path.ToString()] = now;
            }
        }
    }

    [Fact]
    public async Task Renames_of_large_trees_and_commits_into_them_do_not_lock_each_other_out()
    {
        _alice = await AccountAsync();
        List<Owned> mailboxes = [];
        for (int i = 0; i < 40; i++)
            mailboxes.Add(await MailboxAsync(_alice, $"a/{i}"));
        Task renames = Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
                Assert.Equal(RenameOutcome.Done, (await RenameAsync(i % 2 == 0 ? "a" : "b", i % 2 == 0 ? "b" : "a")).Outcome);
        });
        // A name that comes back gives a new UIDVALIDITY and fences the owner: claim again.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(n => Task.Run(async () =>
        {
            Owned mailbox = mailboxes[n];
            for (int i = 0; i < 10; i++)
            {
                CommitOperation append = await AppendOfAsync(mailbox, 1);
                while ((await CommitAsync(append)).Status != CommitStatus.Done)
                    append = Again(append, (mailbox = await ClaimAsync(mailbox.Key)).Epoch);
            }
        })));
        await renames;
        await CountersAreRightAsync();
        Assert.Equal(400L, await ScalarAsync<long>("select count(*) from mail.message"));
    }
}
