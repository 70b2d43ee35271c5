using System.Net;
using MailCluster.Contracts;
using MailCluster.Grains;
using MailCluster.Storage;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Protocol.Grains;

/// <summary>A silo in this process on a database of its own, without doors: its owners are called directly. One for the tests of a class, which use accounts of their own.</summary>
public sealed class MailSilo(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Actor _actor = new("alice@a.test", "session-1", null);
    private IHost _host = null!;
    public IdBlocks Ids { get; private set; } = null!;
    private long _operations;

    public MailDatabase Database { get; private set; } = null!;
    /// <summary>Whether the silo has its read lease.</summary>
    public volatile bool MayRead = true;

    public VersionWatch Versions => _host.Services.GetRequiredService<VersionWatch>();

    public ILocalMailboxes Local { get; private set; } = null!;
    public ILocalAccounts LocalAccounts => _host.Services.GetRequiredService<ILocalAccounts>();

    public MailboxStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = new MailDatabase(await postgres.CreateDatabaseAsync(), "test");
        (int silo, int gateway) = (FreePorts.Next(), FreePorts.Next());
        _host = new HostBuilder()
            .UseOrleans(o => o.UseLocalhostClustering(silo, gateway, new IPEndPoint(IPAddress.Loopback, silo)))
            .ConfigureServices(services =>
            {
                services.AddSingleton(_ => Database);
                services.AddSingleton(s => s.GetRequiredService<MailDatabase>().Main);
                services.AddSingleton(TimeProvider.System);
                services.AddSingleton<IdBlocks>();
                services.AddSingleton<ILocalMailboxes>(_ => new LocalMailboxes(() => MayRead));
                services.AddMailOwners();
                // What is answered from memory is, however busy the machine.
                services.Configure<AccountOptions>(static o => o.DirectoryAge = TimeSpan.FromMinutes(10));
            })
            .Build();
        await _host.StartAsync();
        Ids = _host.Services.GetRequiredService<IdBlocks>();
        Local = _host.Services.GetRequiredService<ILocalMailboxes>();
        Store = _host.Services.GetRequiredService<MailboxStore>();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IMailboxGrain Owner(MailboxKey mailbox) => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<IMailboxGrain>(mailbox.ToString());

    public IAccountGrain Owner(AccountId account) => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<IAccountGrain>(account.Value);

    public IOperatorGrain Operator(string name) => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<IOperatorGrain>(name);

    public OperationId NextOperation() => new(7, Interlocked.Increment(ref _operations));

    /// <summary>A new account with the mailboxes INBOX and Work, in which all others may do everything.</summary>
    public async Task<(MailboxKey Inbox, MailboxKey Work)> AccountAsync()
    {
        long[] ids = await Ids.NextAsync(3);
        await ExecuteAsync("select mail.provision_v1(array[$1], array[1::bigint], array[$2], '[{\"path\": [\"INBOX\"]}, {\"path\": [\"Work\"]}]', array[$3, $4])",
            ids[0], $"user{ids[0]}@a.test", ids[1], ids[2]);
        await ExecuteAsync("insert into mail.acl (account_id, mailbox_id, tenant_id, grantee_id, negative, rights) select $1, m, 1, 0, false, 2047 from unnest(array[$2, $3]) m", ids[0], ids[1], ids[2]);
        return (new MailboxKey(new AccountId(ids[0]), new MailboxId(ids[1])), new MailboxKey(new AccountId(ids[0]), new MailboxId(ids[2])));
    }

    public async Task<AppendRequest> AppendOfAsync(int count = 1, SystemFlags flags = SystemFlags.None, params string[] keywords)
    {
        long body = await Ids.NextAsync();
        await ExecuteAsync("insert into mail.body_staged (body_id, claim) select $1, c from generate_series(0, $2 - 1) c", body, count);
        return new AppendRequest(NextOperation(), _actor, [.. Enumerable.Range(0, count).Select(i => new NewMessage(
            new BodyId(body), i, [], 100, 1_700_000_000, 0, new FlagList(flags, keywords), []))]);
    }

    public StoreRequest StoreOf(UidSet uids, StoreMode mode, SystemFlags flags, params string[] keywords) =>
        new(NextOperation(), _actor, uids, mode, new FlagList(flags, keywords));

    public CopyRequest CopyOf(MailboxKey source, UidSet uids, bool move) => new(NextOperation(), _actor, source, uids, move);

    public RemoveRequest RemoveOf(UidSet uids) => new(NextOperation(), _actor, uids);

    public async Task<ReplaceRequest> ReplaceOfAsync(MailboxKey source, uint uid, SystemFlags flags = SystemFlags.None)
    {
        AppendRequest append = await AppendOfAsync(1, flags);
        return new ReplaceRequest(append.Operation, append.Actor, append.Messages[0], source, uid);
    }

    /// <summary>A move as the lane of another silo commits it, of which nobody here is told.</summary>
    public async Task MoveAsync(MailboxKey source, long sourceEpoch, MailboxKey destination, long epoch, UidSet uids)
    {
        CommitOutcome outcome = await _host.Services.GetRequiredService<CommitLanes>().CommitAsync(new CommitOperation
        {
            Kind = CommitKind.Move, Mailbox = destination, Epoch = epoch, Tenant = new TenantId(1), Id = NextOperation(), Actor = _actor, Source = source, Uids = uids,
        });
        Assert.Equal((CommitStatus.Done, sourceEpoch), (outcome.Status, outcome.SourceEpoch));
    }

    public ExpungeRequest ExpungeOf(UidSet? uids = null) => new(NextOperation(), _actor, uids);

    /// <summary>Calls until there is an answer other than that of an outage, as a front end does.</summary>
    public static async Task<T> UntilDoneAsync<T>(Func<ValueTask<MailResult<T>>> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            MailResult<T> result = await call();
            if (result.IsOk)
                return result.Value;
            Assert.True(attempt < 1000 && result.Error.Code is MailErrorCode.Unavailable or MailErrorCode.StaleEpoch, $"{result.Error} after {attempt} tries");
        }
    }

    /// <summary>A copy of the owner's version, as a front end elsewhere makes it.</summary>
    public async Task<MailboxSnapshot> CopyAsync(MailboxKey mailbox, int chunksPerPage = 16)
    {
        SyncReply reply = await UntilDoneAsync(() => Owner(mailbox).Sync(0, 0, null));
        var chunks = new List<MessageChunk>();
        KeywordTable keywords = KeywordTable.Empty;
        while (chunks.Count < reply.Reload)
        {
            SnapshotPage page = Ok(await Owner(mailbox).GetChunks(reply.Epoch, reply.ModSeq, chunks.Count, chunksPerPage));
            Assert.InRange(page.Chunks.Count, 1, chunksPerPage);
            chunks.AddRange(page.Chunks);
            keywords = page.Keywords;
        }
        return MailboxSnapshot.Of(reply.Epoch, reply.ModSeq, reply.UidNext, keywords, chunks);
    }

    /// <summary>What the owner has in memory is what is in the rows.</summary>
    public async Task MemoryIsRightAsync(MailboxKey mailbox)
    {
        MailboxSnapshot memory = await CopyAsync(mailbox);
        MailboxSnapshot rows = (await Store.LoadAsync(mailbox, memory.Epoch))!.Value.Snapshot;
        Assert.Equal((rows.ModSeq, rows.UidNext), (memory.ModSeq, memory.UidNext));
        Assert.Equal(Texts(rows), Texts(memory));
    }

    public static List<string> Texts(MailboxSnapshot snapshot) =>
        [.. snapshot.Messages().Select(static m => $"{m.Uid} {m.Email} {m.Size} {m.SystemFlags} {string.Join(' ', m.Keywords)} {m.ModSeq} {m.Thread} {m.SaveDate}")];

    public static T Ok<T>(MailResult<T> result)
    {
        Assert.Null(result.Error);
        return result.Value!;
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using NpgsqlCommand command = Command(sql, parameters);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using NpgsqlCommand command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        NpgsqlCommand command = Database.Main.CreateCommand(sql);
        foreach (object value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
