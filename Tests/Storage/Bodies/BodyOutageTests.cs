using System.IO.Pipelines;
using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Bodies;

/// <summary>PostgreSQL goes away while bodies are stored and read.</summary>
public sealed class BodyOutageTests(PostgresFixture postgres) : BodyTest(postgres)
{
    [Fact]
    public async Task A_body_that_is_at_hand_is_stored_when_PostgreSQL_is_back_and_read_too()
    {
        var message = Message(5_000);
        await using var relay = new TcpRelay(new IPEndPoint(IPAddress.Loopback, new NpgsqlConnectionStringBuilder(ConnectionString).Port));
        await using var pool = Through(relay, 4);
        var store = new MessageBodies(pool, new IdBlocks(pool), new BodyOptions { Patience = TimeSpan.FromMinutes(1) });
        Assert.True((await StageAsync(store, message)).IsOk);

        relay.Cut();
        var staging = StageAsync(store, message);
        // It waits, and so do connections that were cut off in the pool.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => StageAsync(new MessageBodies(pool, new IdBlocks(pool), new BodyOptions { Patience = TimeSpan.Zero }), message));
        Assert.False(staging.IsCompleted);
        relay.Mend();
        var staged = await staging;

        relay.Cut();
        var reading = store.GetBodiesAsync([staged.Value!.Body], int.MaxValue, default).AsTask();
        relay.Mend();
        Assert.Equal(message, Assert.Single(await reading));
    }

    [Fact]
    public async Task An_upload_that_has_lost_a_part_in_a_crash_is_refused()
    {
        var message = Message(700_000);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var staging = Store.StageAsync(Tenant, pipe.Reader, 1, null, long.MaxValue, default).AsTask();
        await pipe.Writer.WriteAsync(message.AsMemory(0, 600_000));
        await Eventually.Async("two chunks are not stored", async () => await ScalarAsync<long>("select count(*) from mail.body_chunk") == 2);
        // As a crash forgets what nobody waited for: the last first.
        await ExecuteAsync("delete from mail.body_chunk where no = 1");
        await pipe.Writer.WriteAsync(message.AsMemory(600_000));
        await pipe.Writer.CompleteAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => staging);
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task Without_a_free_connection_it_waits_for_a_bounded_time()
    {
        await using var pool = PostgresPool.Open(ConnectionString, "test", "test", 2);
        var ids = new IdBlocks(pool);
        await ids.NextAsync();
        var (one, other) = (await pool.OpenConnectionAsync(), await pool.OpenConnectionAsync());
        var store = new MessageBodies(pool, ids, new BodyOptions { Patience = TimeSpan.Zero });
        await Assert.ThrowsAsync<StoreUnavailableException>(() => StageAsync(store, Message(500)));
        // One that comes free is taken at once.
        var staging = StageAsync(store, Message(500));
        await one.DisposeAsync();
        Assert.True((await staging).IsOk);
        await other.DisposeAsync();
    }

    private NpgsqlDataSource Through(TcpRelay relay, int size) =>
        PostgresPool.Open(new NpgsqlConnectionStringBuilder(ConnectionString) { Port = relay.Port }.ConnectionString, "test", "test", size);

    private static Task<MailResult<StagedBody>> StageAsync(MessageBodies store, byte[] message) =>
        store.StageAsync(Tenant, PipeReader.Create(new MemoryStream(message)), 1, message.Length, long.MaxValue, default).AsTask();
}
