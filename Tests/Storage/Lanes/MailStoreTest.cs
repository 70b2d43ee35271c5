using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>A database of its own for each test, with the stores and lanes of one silo on it.</summary>
public abstract class MailStoreTest(PostgresFixture postgres) : IAsyncLifetime
{
    public static readonly Actor Someone = new("alice@a.test", "session-1", "192.0.2.1");

    private long _operations;

    protected string ConnectionString { get; private set; } = "";
    protected HeldBodies Held { get; } = new();
    protected LaneOptions Options { get; } = new();
    protected MailDatabase Database { get; private set; } = null!;
    protected CommitLanes Lanes { get; private set; } = null!;
    protected MailboxStore Mailboxes { get; private set; } = null!;
    protected AccountTreeStore Tree { get; private set; } = null!;
    protected IdBlocks Ids { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        Database = new MailDatabase(ConnectionString, "test");
        Lanes = new CommitLanes(Database, Microsoft.Extensions.Options.Options.Create(Options), NullLogger<CommitLanes>.Instance, Held);
        (Mailboxes, Tree, Ids) = (new(Database), new(Database), new(Database.Main));
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Lanes.DisposeAsync();
        await Database.DisposeAsync();
    }

    protected OperationId NextOperation() => new(7, Interlocked.Increment(ref _operations));

    /// <summary>An account with INBOX.</summary>
    protected async Task<AccountId> AccountAsync(string user = "alice@a.test", long tenant = 1)
    {
        long[] ids = await Ids.NextAsync(2);
        await ExecuteAsync("select mail.provision_v1(array[$1], array[$2], array[$3], '[{\"path\": [\"INBOX\"]}]', array[$4])", ids[0], tenant, user, ids[1]);
        return new AccountId(ids[0]);
    }

    /// <summary>A mailbox, made where it is missing, and claimed.</summary>
    protected async Task<Owned> MailboxAsync(AccountId account, string name = "INBOX")
    {
        var path = MailboxPath.Parse(name, '/');
        if (await Tree.FindAsync(account, path) is not { } found)
        {
            (CreateOutcome outcome, MailboxId id) = await Tree.CreateAsync(account, NextOperation(), path, [], await Ids.NextAsync(path.Segments.Count), 1000);
            Assert.Equal(CreateOutcome.Done, outcome);
            return await ClaimAsync(new MailboxKey(account, id));
        }
        return await ClaimAsync(new MailboxKey(account, found.Id));
    }

    protected async Task<Owned> ClaimAsync(MailboxKey key)
    {
        MailboxClaim claim = (await Mailboxes.ClaimAsync(key, "test"))!;
        return new Owned(key, claim.Epoch, claim.Tenant);
    }

    /// <summary>A body that waits for messages, as far as a commit looks at it.</summary>
    protected async Task<BodyId> StageAsync(int claims = 1)
    {
        long body = await Ids.NextAsync();
        await ExecuteAsync("insert into mail.body_staged (body_id, claim) select $1, c from generate_series(0, $2 - 1) c", body, claims);
        return new BodyId(body);
    }

    /// <summary>A body that this process holds until a commit takes it along.</summary>
    protected async Task<BodyId> HoldAsync(int octets = 100, int claims = 1)
    {
        var body = new BodyId(await Ids.NextAsync());
        Assert.True(Held.TryAdd(new HeldBody(body, new TenantId(1), new byte[octets], 7, [1, 2], claims)));
        return body;
    }

    /// <summary>An append of messages whose bodies are held.</summary>
    protected async Task<CommitOperation> HeldAppendOfAsync(Owned mailbox, int count, SystemFlags flags = SystemFlags.None, string[]? keywords = null, uint size = 100)
    {
        var messages = new List<NewMessage>();
        while (messages.Count < count)
            messages.Add(Message(await HoldAsync((int)size), 0, size, flags, keywords));
        return await AppendOfAsync(mailbox, [.. messages]);
    }

    protected static NewMessage Message(BodyId body, int claim = 0, uint size = 100, SystemFlags flags = SystemFlags.None, string[]? keywords = null, long[]? threads = null) =>
        new(body, claim, [1, 2, 3], size, 1_700_000_000, 60, new FlagList(flags, keywords ?? []), threads ?? []);

    protected async Task<CommitOperation> AppendOfAsync(Owned mailbox, params NewMessage[] messages) => new()
    {
        Kind = CommitKind.Append, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone,
        Messages = messages, Emails = await Ids.NextAsync(messages.Length), Rows = messages.Length,
    };

    /// <summary>An append of messages with these flags, each with a body of its own.</summary>
    protected async Task<CommitOperation> AppendOfAsync(Owned mailbox, int count, SystemFlags flags = SystemFlags.None, string[]? keywords = null, uint size = 100)
    {
        BodyId body = await StageAsync(count);
        return await AppendOfAsync(mailbox, [.. Enumerable.Range(0, count).Select(i => Message(body, i, size, flags, keywords))]);
    }

    protected CommitOperation StoreOf(Owned mailbox, UidSet uids, StoreMode mode, SystemFlags flags, string[]? keywords = null, long? unchangedSince = null) => new()
    {
        Kind = CommitKind.Store, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone,
        Uids = uids, Mode = mode, Flags = new FlagList(flags, keywords ?? []), UnchangedSince = unchangedSince,
    };

    protected CommitOperation ExpungeOf(Owned mailbox, UidSet? uids = null) => new()
    {
        Kind = CommitKind.Expunge, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids ?? All,
    };

    /// <summary>Removes these whatever their flags.</summary>
    protected CommitOperation RemoveOf(Owned mailbox, UidSet uids) => new()
    {
        Kind = CommitKind.Remove, Mailbox = mailbox.Key, Epoch = mailbox.Epoch, Tenant = mailbox.Tenant, Id = NextOperation(), Actor = Someone, Uids = uids,
    };

    /// <summary>Replaces a message of one mailbox by a new one in another, or the same.</summary>
    protected async Task<CommitOperation> ReplaceOfAsync(Owned from, uint uid, Owned to, SystemFlags flags = SystemFlags.None, string[]? keywords = null, uint size = 100) => new()
    {
        Kind = CommitKind.Replace, Mailbox = to.Key, Source = from.Key, Epoch = to.Epoch, Tenant = to.Tenant, Id = NextOperation(), Actor = Someone,
        Messages = [Message(await StageAsync(), 0, size, flags, keywords)], Emails = await Ids.NextAsync(1), Uids = Uids(uid),
    };

    protected CommitOperation CopyOf(Owned from, UidSet uids, Owned to, bool move) => new()
    {
        Kind = move ? CommitKind.Move : CommitKind.Copy, Mailbox = to.Key, Source = from.Key, Epoch = to.Epoch, Tenant = to.Tenant,
        Id = NextOperation(), Actor = Someone, Uids = uids,
    };

    /// <summary>The same once more, as a retry sends it.</summary>
    protected static CommitOperation Again(CommitOperation o, long? epoch = null) => new()
    {
        Kind = o.Kind, Mailbox = o.Mailbox, Source = o.Source, Epoch = epoch ?? o.Epoch, Tenant = o.Tenant, Id = o.Id, Actor = o.Actor, Messages = o.Messages,
        Emails = o.Emails, Uids = o.Uids, Mode = o.Mode, Flags = o.Flags, UnchangedSince = o.UnchangedSince, Delivery = o.Delivery, Rows = o.Rows,
        Unfiltered = o.Unfiltered, Annotations = o.Annotations, AnnotationLimits = o.AnnotationLimits,
    };

    protected Task<CommitOutcome> CommitAsync(CommitOperation operation) => Lanes.CommitAsync(operation);

    protected async Task<CommitOutcome> DoneAsync(CommitOperation operation)
    {
        CommitOutcome outcome = await CommitAsync(operation);
        Assert.Equal(CommitStatus.Done, outcome.Status);
        return outcome;
    }

    /// <summary>All of these in one batch, as a lane would commit it.</summary>
    protected async Task<CommitOutcome[]> BatchAsync(params CommitOperation[] operations)
    {
        await using NpgsqlConnection connection = await Database.Lanes.OpenConnectionAsync();
        return StraightBatch.Commit(operations, Held, connection);
    }

    protected async Task<MailboxSnapshot> LoadAsync(Owned mailbox) => (await Mailboxes.LoadAsync(mailbox.Key, mailbox.Epoch))!.Value.Snapshot;

    protected async Task<int> ExecuteAsync(string sql, params object[] parameters)
    {
        await using NpgsqlCommand command = Database.Main.CreateCommand(sql);
        foreach (object value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync();
    }

    protected async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using NpgsqlCommand command = Database.Main.CreateCommand(sql);
        foreach (object value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The counters of every mailbox, account and charged tenant are what the rows add up to.</summary>
    protected async Task CountersAreRightAsync()
    {
        Assert.Equal(0L, await ScalarAsync<long>(
            """
            select count(*) from mail.mailbox b left join lateral (
                select count(*) as n, count(*) filter (where f.flags & 1 = 0) as unseen, count(*) filter (where f.flags & 8 <> 0) as deleted,
                    coalesce(sum(m.size), 0) as bytes, coalesce(max(f.modseq), 0) as modseq, coalesce(max(m.uid), 0) as uid, count(f.uid) as flags
                from mail.message m left join mail.message_flags f on (f.account_id, f.mailbox_id, f.uid) = (m.account_id, m.mailbox_id, m.uid)
                where m.account_id = b.account_id and m.mailbox_id = b.id) s on true
            where b.deleted_at is null and ((b.messages, b.unseen, b.deleted, b.bytes, s.n) is distinct from (s.n, s.unseen, s.deleted, s.bytes, s.flags)
                or b.highest_modseq < s.modseq or b.uidnext <= s.uid)
            """));
        Assert.Equal(0L, await ScalarAsync<long>(
            """
            select count(*) from mail.account a cross join lateral (
                select coalesce(sum(b.messages), 0) as messages, coalesce(sum(b.bytes), 0) as bytes
                from mail.mailbox b where b.account_id = a.account_id and b.deleted_at is null) s
            where (a.messages, a.bytes) is distinct from (s.messages, s.bytes)
            """));
        Assert.Equal(0L, await ScalarAsync<long>(
            """
            select count(*) from mail.tenant t cross join lateral (
                select coalesce(sum(a.messages), 0) as messages, coalesce(sum(a.bytes), 0) as bytes from mail.account a where a.tenant_id = t.tenant_id) s
            where t.charged and (t.messages, t.bytes) is distinct from (s.messages, s.bytes)
            """));
    }

    protected static UidSet All { get; } = UidSet.FromRanges([new UidRange(1, uint.MaxValue)]);

    protected static UidSet Uids(params uint[] uids) => UidSet.FromUids(uids);

    /// <summary>What a step of a mailbox looks like to its owner.</summary>
    protected static MailboxDelta Delta(CommitOperation o, CommitOutcome outcome, long epoch) => new(epoch, outcome.ModSeq - 1, outcome.ModSeq, o.Kind switch
    {
        CommitKind.Append or CommitKind.Replace => [new MessagesAdded(outcome.ModSeq, [.. o.Messages.Select((m, i) => new MessageRow(
            (uint)(outcome.Uids[0].First + i), new EmailId(o.Emails[i]), m.Size, m.InternalDate, m.ZoneMinutes, outcome.SaveDate, m.Flags, outcome.ModSeq, outcome.Threads[i]))])],
        CommitKind.Store => [new FlagsChanged(outcome.ModSeq, outcome.Uids, o.Mode, o.Flags)],
        CommitKind.Expunge or CommitKind.Remove => [new MessagesExpunged(outcome.ModSeq, outcome.Uids)],
        _ => [new MessagesAdded(outcome.ModSeq, outcome.Added)],
    });

    protected sealed record Owned(MailboxKey Key, long Epoch, TenantId Tenant);
}
