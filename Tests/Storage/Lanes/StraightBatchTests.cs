using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>The straight ways of commits: they leave what <c>mail.commit_v3</c> leaves, and nothing at all where anything is out of the ordinary.</summary>
public sealed class StraightBatchTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    public async Task What_they_leave_is_what_the_general_way_leaves(int together, bool share)
    {
        string[] straight = await LeftAsync(Straight, 1, together, share), general = await LeftAsync(General, 2, together, share);
        Assert.NotEmpty(straight);
        Assert.Equal(general, straight);
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task They_do_nothing_where_anything_is_out_of_the_ordinary(bool many)
    {
        AccountId alice = await AccountAsync(), bob = await AccountAsync("bob@b.test", tenant: 2);
        Owned inbox = await MailboxAsync(alice), others = await MailboxAsync(bob), gone = await MailboxAsync(alice, "Gone"), moved = await MailboxAsync(alice, "Moved"), other = await MailboxAsync(alice, "Other");
        var delivery = Guid.NewGuid();
        CommitOperation appended = await AppendOfAsync(inbox, 1), stored = StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen), delivered = await AppendAsync(inbox, delivery: delivery);
        foreach (CommitOperation o in new[] { appended, stored, delivered })
            await DoneAsync(o);
        await ClaimAsync(moved.Key);
        await Tree.DeleteAsync(alice, NextOperation(), MailboxPath.Parse("Gone", '/'));
        await ExecuteAsync("update mail.account set max_bytes = bytes + 150, max_messages = 1000 where account_id = $1", alice.Value);
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, messages, max_messages) values (2, true, 0, 0)");
        CommitOperation[] odd =
        [
            Again(appended), Again(stored), await AppendAsync(inbox, delivery: delivery), await AppendOfAsync(moved, 1), StoreOf(moved, Uids(1), StoreMode.Add, SystemFlags.Seen),
            await AppendOfAsync(gone, 1), StoreOf(gone, Uids(1), StoreMode.Add, SystemFlags.Seen), await AppendAsync(inbox, size: 151), await AppendOfAsync(others, 1),
            await AppendAsync(inbox, path: MailboxPath.Of("Moved")), await AppendOfAsync(inbox, Message(new BodyId(await Ids.NextAsync()))),
        ];
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        string before = await AllAsync();
        foreach (CommitOperation o in odd)
        {
            CommitOperation beside = o.Kind == CommitKind.Append ? await AppendAsync(other, held: true, size: 10) : StoreOf(inbox, Uids(2), StoreMode.Add, SystemFlags.Flagged);
            StraightBatch? batch = StraightBatch.Of(many ? [beside, o] : [o], Held);
            Assert.NotNull(batch);
            Assert.Null(batch.Execute(connection));
            Assert.Equal(before, await AllAsync());
        }
        await CountersAreRightAsync();
        // Nor are their claims gone.
        await ExecuteAsync("update mail.tenant set max_messages = 1, max_bytes = 100 where tenant_id = 2");
        await DoneAsync(odd[8]);
        await CountersAreRightAsync();
        await ExecuteAsync("update mail.tenant set max_messages = 3, max_bytes = 300 where tenant_id = 2");
        Assert.NotNull(StraightBatch.Of([await AppendOfAsync(others, 1), await AppendAsync(others, held: true)], Held)!.Execute(connection));
        await CountersAreRightAsync();

        // What a commit could change, in the order of its writing; the claims that the attempts brought along apart.
        Task<string> AllAsync() => ScalarAsync<string>(
            """
            select concat_ws('|', (select string_agg(m::text, ',' order by m.id) from mail.mailbox m), (select string_agg(a::text, ',' order by a.account_id) from mail.account a),
                (select string_agg(t::text, ',') from mail.tenant t), (select count(*) from mail.message), (select string_agg(f::text, ',' order by f.uid) from mail.message_flags f),
                (select count(*) from mail.email), (select count(*) from mail.body), (select count(*) from mail.body_chunk), (select count(*) from mail.content), (select count(*) from mail.thread),
                (select count(*) from mail.change), (select count(*) from mail.operation), (select count(*) from mail.delivery))
            """);
    }

    [Fact]
    public async Task What_has_to_do_with_another_of_its_batch_goes_the_general_way()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        CommitOperation one = await AppendOfAsync(inbox, 1), store = StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen);
        Owned later = inbox with { Epoch = inbox.Epoch + 1 };
        BodyId body = await StageAsync(4);
        Assert.NotNull(StraightBatch.Of([one], Held));
        Assert.NotNull(StraightBatch.Of([store], Held));
        CommitOperation[][] general =
        [
            [one, Again(one)], [store, Again(store)], [one, store], [await AppendOfAsync(inbox, 2)], [StoreOf(inbox, Uids(1, 2), StoreMode.Add, SystemFlags.Seen)],
            [store, StoreOf(inbox, Uids(1), StoreMode.Remove, SystemFlags.Seen)], [await AppendOfAsync(inbox, 1, keywords: ["Work"])], [StoreOf(inbox, Uids(1), StoreMode.Add, SystemFlags.Seen, ["Work"])],
            [await AppendOfAsync(inbox, Message(body)), await AppendOfAsync(inbox, Message(body))],
            [await AppendOfAsync(inbox, Message(body, 1, threads: [5])), await AppendOfAsync(inbox, Message(body, 2, threads: [5]))], [ExpungeOf(inbox)],
            [await AppendAsync(inbox, delivery: new Guid(1, 2, 3, new byte[8])), await AppendAsync(inbox, delivery: new Guid(1, 2, 3, new byte[8]))],
            [await AppendOfAsync(inbox, 1), await AppendOfAsync(later, 1)], [store, StoreOf(later, Uids(2), StoreMode.Add, SystemFlags.Seen)],
            [await AppendAsync(inbox, path: MailboxPath.Inbox), await AppendAsync(inbox, path: MailboxPath.Of("Work"))],
        ];
        Assert.All(general, batch => Assert.Null(StraightBatch.Of(batch, Held)));
    }

    private CommitOutcome[] General(CommitOperation[] batch, NpgsqlConnection connection)
    {
        SharedBodies.Of(batch, Held)?.Stage(connection);
        return new CommitBatch(batch, Held).Execute(connection);
    }

    private CommitOutcome[] Straight(CommitOperation[] batch, NpgsqlConnection connection) =>
        StraightBatch.Of(batch, Held)!.Execute(connection) ?? throw new InvalidOperationException("Nothing was done.");

    /// <summary>What a series of batches answers and leaves in the tables of a tenant of its own, ids and times apart.</summary>
    /// <param name="share">The messages of a batch have one body.</param>
    private async Task<string[]> LeftAsync(Func<CommitOperation[], NpgsqlConnection, CommitOutcome[]> commit, long tenant, int together, bool share)
    {
        AccountId alice = await AccountAsync($"alice@{tenant}.test", tenant), bob = await AccountAsync($"bob@{tenant}.test", tenant);
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, max_messages) values ($1, true, 1000)", tenant);
        await ExecuteAsync("update mail.account set max_messages = 500, max_bytes = 1000000 where account_id = $1", alice.Value);
        Owned[] mailboxes = [await MailboxAsync(alice), await MailboxAsync(alice, "Work"), await MailboxAsync(bob)];
        // One message has a keyword, which a replacement of its flags takes away.
        await DoneAsync(await AppendOfAsync(mailboxes[0], 1, SystemFlags.Flagged, ["Work"]));
        var left = new List<string>();
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        for (int round = 0; round < 6; round++)
        {
            var appends = new List<CommitOperation>();
            BodyId shared = share ? await HoldAsync(claims: together) : default;
            for (int i = 0; i < together; i++)
            {
                int n = (round * together) + i;
                NewMessage message = Message(share ? shared : await StageAsync(), share ? i : 0, (uint)(100 + n), (SystemFlags)(n % 32), null, n % 3 == 0 ? [] : n % 3 == 1 ? [n, 1000 + n] : [n, n - together]);
                CommitOperation o = await AppendOfAsync(mailboxes[n % 3], message);
                appends.Add(With(o, n % 4 == 0 ? new Guid(n, 0, 0, new byte[8]) : null, n % 2 == 0 ? PathOf(n % 3) : null, n % 5 == 0 ? n : null));
            }
            Tell(commit([.. appends], connection));
            var stores = new List<CommitOperation>();
            for (int i = 0; i < together; i++)
            {
                // Some messages are not there, some have a later modseq, some have these flags already.
                CommitOperation o = StoreOf(mailboxes[i % 3], Uids((uint)((i / 3) + 1)), (StoreMode)((round + i) % 3), (SystemFlags)((round * 7 + i * 3) % 32), null, i % 4 == 3 ? 3 : null);
                stores.Add(o);
            }
            Tell(commit([.. stores], connection));
        }
        foreach (string sql in new[]
        {
            """
            select concat_ws(' ', b.path, b.uidnext, b.highest_modseq, b.messages, b.unseen, b.deleted, b.bytes, b.first_recent) from mail.mailbox b join mail.account a using (account_id)
            where a.tenant_id = $1 order by a.user_name, b.path
            """,
            "select concat_ws(' ', a.messages, a.bytes) from mail.account a where a.tenant_id = $1 order by a.user_name",
            "select concat_ws(' ', t.messages, t.bytes) from mail.tenant t where t.tenant_id = $1",
            """
            select concat_ws(' ', m.uid, m.size, m.zone, m.internal_date, e.size, encode(e.prefix, 'hex'), e.internal_date, f.flags, f.keywords, f.modseq, m.thread_id = m.email_id, e.thread_id = m.thread_id,
                (select t.uid from mail.message t where t.account_id = m.account_id and t.email_id = m.thread_id))
            from mail.message m join mail.account a using (account_id) join mail.mailbox b on b.account_id = m.account_id and b.id = m.mailbox_id
            join mail.email e on e.account_id = m.account_id and e.id = m.email_id
            join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid where a.tenant_id = $1 order by a.user_name, b.path, m.uid
            """,
            """
            select concat_ws(' ', c.modseq, c.kind, c.uids, c.actor, c.session, c.address) from mail.change c join mail.account a using (account_id)
            join mail.mailbox b on b.account_id = c.account_id and b.id = c.mailbox_id where a.tenant_id = $1 order by a.user_name, b.path, c.modseq
            """,
            "select concat_ws(' ', o.status, o.modseq, o.src_modseq, o.uids, o.src_uids) from mail.operation o join mail.account a using (account_id) where a.tenant_id = $1 order by a.user_name, o.counter",
            "select concat_ws(' ', d.hash) from mail.delivery d join mail.account a using (account_id) where a.tenant_id = $1 order by d.hash",
            "select concat_ws(' ', t.key) from mail.thread t join mail.account a using (account_id) where a.tenant_id = $1 order by a.user_name, t.key",
        })
        {
            await using NpgsqlCommand command = Database.Main.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant });
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                left.Add(reader.GetString(0));
        }
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.body_staged"));
        return [.. left];

        void Tell(CommitOutcome[] outcomes) => left.AddRange(outcomes.Select(static o => $"{o.Status} {o.ModSeq} {o.Uids} {o.Modified}"));

        static MailboxPath PathOf(int mailbox) => mailbox == 1 ? MailboxPath.Of("Work") : MailboxPath.Inbox;
    }

    private async Task<CommitOperation> AppendAsync(Owned mailbox, bool held = false, Guid? delivery = null, MailboxPath? path = null, uint size = 100) =>
        With(held ? await HeldAppendOfAsync(mailbox, 1, size: size) : await AppendOfAsync(mailbox, 1, size: size), delivery, path, null);

    private static CommitOperation With(CommitOperation o, Guid? delivery, MailboxPath? path, long? firstRecent) => new()
    {
        Kind = o.Kind, Mailbox = o.Mailbox, Epoch = o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages, Emails = o.Emails, Delivery = delivery, Path = path, FirstRecent = firstRecent,
    };
}
