using System.Net;
using System.Net.Sockets;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Storage.Membership;
using MailCluster.Tests.Support;
using Npgsql;
using Orleans.Runtime;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

/// <summary>Mailboxes whose rows are locked by a silo that stands still.</summary>
public sealed class TakeoverTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly SiloAddress _frozen = SiloAddress.New(IPAddress.Parse("10.0.0.9"), 11111, 123456789);

    [Fact]
    public async Task A_dead_silo_that_does_not_read_its_results_keeps_nobody_out()
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        await MembershipWatchTests.PutAsync(Database.Main, _frozen, SiloStatus.Active);
        await using var stuck = await StuckAsync(inbox);

        // While its silo lives nobody may touch it.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Mailboxes.ClaimAsync(inbox.Key, "next"));
        Assert.Equal(1L, await BackendsAsync());

        await MembershipWatchTests.PutAsync(Database.Main, _frozen, SiloStatus.Dead);
        Owned next = await ClaimAsync(inbox.Key);
        Assert.Equal(inbox.Epoch + 1, next.Epoch);
        await Eventually.Async("the connection of the dead is still there", async () => await BackendsAsync() == 0);
        await DoneAsync(await AppendOfAsync(next, 1));
        await CountersAreRightAsync();
    }

    [Fact]
    public async Task Others_commits_that_wait_for_a_dead_silo_go_on_when_its_connections_are_ended()
    {
        AccountId alice = await AccountAsync();
        Owned inbox = await MailboxAsync(alice), work = await MailboxAsync(alice, "Work");
        await MembershipWatchTests.PutAsync(Database.Main, _frozen, SiloStatus.Dead);
        // It holds the row of the account, too.
        await using var stuck = await StuckAsync(inbox);
        Task<CommitOutcome> commit = CommitAsync(await AppendOfAsync(work, 1));
        Assert.Equal(1, await Mailboxes.EndDeadBackendsAsync());
        Assert.Equal(CommitStatus.Done, (await commit).Status);
    }

    [Fact]
    public async Task A_claim_tells_who_had_the_mailbox_before()
    {
        AccountId alice = await AccountAsync();
        MailboxKey inbox = new(alice, (await Tree.FindAsync(alice, MailboxPath.Inbox))!.Id);
        Assert.Null((await Mailboxes.ClaimAsync(inbox, "a"))!.Previous);
        Assert.Equal("a", (await Mailboxes.ClaimAsync(inbox, "b"))!.Previous);
    }

    /// <summary>
    /// A lane of the frozen silo in mid-commit: one statement, autocommit, that has its locks, has changed rows, and can't get rid of its result, because at the
    /// other end nobody reads.
    /// </summary>
    private async Task<IAsyncDisposable> StuckAsync(Owned mailbox)
    {
        var settings = new NpgsqlConnectionStringBuilder(Database.Main.ConnectionString);
        var relay = new DeafRelay(new IPEndPoint(IPAddress.Loopback, settings.Port));
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Host = "127.0.0.1", Port = relay.Port, ApplicationName = MailDatabase.LaneName(_frozen), Pooling = false, CommandTimeout = 0, CancellationTimeout = -1,
        }.ConnectionString);
        await connection.OpenAsync();
        relay.Deaf = true;
        var command = new NpgsqlCommand(
            """
            with m as (update mail.mailbox set highest_modseq = highest_modseq + 1 where account_id = $1 and id = $2 returning 1),
                a as (update mail.account set messages = messages + 1 where account_id = $1 returning 1)
            select repeat('x', 100000) from m, a, generate_series(1, 1000)
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Key.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Key.Mailbox.Value });
        Task<NpgsqlDataReader> result = command.ExecuteReaderAsync();
        _ = result.ContinueWith(static r => r.Exception, TaskScheduler.Default);
        await Eventually.Async("it does not stand still", async () => await ScalarAsync<long>(
            "select count(*) from pg_stat_activity where application_name = $1 and wait_event = 'ClientWrite'", MailDatabase.LaneName(_frozen)) == 1);
        return new Stuck(relay, connection);
    }

    private Task<long> BackendsAsync() => ScalarAsync<long>("select count(*) from pg_stat_activity where application_name = $1", MailDatabase.LaneName(_frozen));

    private sealed record Stuck(DeafRelay Relay, NpgsqlConnection Connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Relay.Dispose();
            try
            {
                await Connection.DisposeAsync();
            }
            catch (NpgsqlException)
            {
                // It broke in the middle of its result.
            }
        }
    }

    /// <summary>Passes bytes on for one connection, until it no longer reads what the server sends.</summary>
    private sealed class DeafRelay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Socket _far = new(SocketType.Stream, ProtocolType.Tcp);
        private Socket? _near;

        public DeafRelay(IPEndPoint to)
        {
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _ = PassAsync(to);
        }

        public int Port { get; }

        public volatile bool Deaf;

        public void Dispose()
        {
            _listener.Dispose();
            _near?.Dispose();
            _far.Dispose();
        }

        private async Task PassAsync(IPEndPoint to)
        {
            _near = await _listener.AcceptSocketAsync();
            await _far.ConnectAsync(to);
            await Task.WhenAll(CopyAsync(_near, _far, false), CopyAsync(_far, _near, true));
        }

        private async Task CopyAsync(Socket from, Socket into, bool mayBeDeaf)
        {
            var buffer = new byte[8192];
            try
            {
                while (!(mayBeDeaf && Deaf) && await from.ReceiveAsync(buffer) is var count and > 0)
                    await into.SendAsync(buffer.AsMemory(0, count));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
