using System.Net;
using MailCluster.Storage.Membership;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Runtime;
using Xunit;

namespace MailCluster.Tests.Storage.Membership;

/// <summary>A silo's read lease, and news of the others.</summary>
public sealed class MembershipWatchTests(PostgresFixture postgres)
{
    private static readonly SiloAddress _self = SiloAddress.New(IPAddress.Parse("10.0.0.1"), 11111, 5);
    private static readonly SiloAddress _other = SiloAddress.New(IPAddress.Parse("10.0.0.2"), 11111, 7);

    [Fact]
    public async Task A_silo_may_read_while_its_row_says_that_it_lives_and_never_again_once_it_says_Dead()
    {
        string database = await postgres.CreateDatabaseAsync();
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(database);
        await using MembershipWatch watch = Watch(database, _self);
        var died = new TaskCompletionSource();
        watch.SelfDied += died.SetResult;
        watch.Start();
        Assert.False(watch.MayRead);
        await PutAsync(source, _self, SiloStatus.Active);
        await Eventually.Async("the silo has no lease", () => Task.FromResult(watch.MayRead));
        await PutAsync(source, _self, SiloStatus.Dead);
        await died.Task;
        Assert.False(watch.MayRead);
        // A dead silo does not come back to life.
        await PutAsync(source, _self, SiloStatus.Active);
        Assert.False(watch.MayRead);
    }

    [Fact]
    public async Task Without_PostgreSQL_the_lease_ends_and_it_comes_back_with_it()
    {
        string database = await postgres.CreateDatabaseAsync();
        var settings = new NpgsqlConnectionStringBuilder(database);
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(database);
        await using var relay = new TcpRelay(new IPEndPoint(IPAddress.Loopback, settings.Port));
        settings.Port = relay.Port;
        await PutAsync(source, _self, SiloStatus.Active);
        await using MembershipWatch watch = Watch(settings.ConnectionString, _self);
        var regained = new TaskCompletionSource();
        watch.Regained += () => regained.TrySetResult();
        watch.SelfDied += () => regained.TrySetException(new InvalidOperationException("It took an outage for its death."));
        watch.Start();
        await Eventually.Async("the silo has no lease", () => Task.FromResult(watch.MayRead));
        relay.Cut();
        await Eventually.Async("the lease outlives PostgreSQL", () => Task.FromResult(!watch.MayRead));
        relay.Mend();
        await regained.Task;
        await Eventually.Async("the lease has not come back", () => Task.FromResult(watch.MayRead));
    }

    [Fact]
    public async Task Time_in_which_the_process_stood_still_counts()
    {
        string database = await postgres.CreateDatabaseAsync();
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(database);
        await PutAsync(source, _self, SiloStatus.Active);
        var clock = new Clock();
        await using MembershipWatch watch = new(database, "c", _self, clock, NullLogger<MembershipWatch>.Instance);
        watch.Start();
        await Eventually.Async("the silo has no lease", () => Task.FromResult(watch.MayRead));
        // Again where it has looked between the two.
        TimeSpan ahead = TimeSpan.Zero;
        await Eventually.Async("the lease outlives its time", () =>
        {
            clock.Ahead = ahead += MembershipWatch.Lease;
            return Task.FromResult(!watch.MayRead);
        });
    }

    [Fact]
    public async Task Deaths_are_told_once_and_not_those_of_the_past()
    {
        string database = await postgres.CreateDatabaseAsync();
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(database);
        await PutAsync(source, _self, SiloStatus.Dead);
        await PutAsync(source, _other, SiloStatus.Active);
        // A front end: it has no silo of its own.
        await using MembershipWatch watch = Watch(database, null);
        var died = new TaskCompletionSource<IReadOnlyList<SiloAddress>>();
        watch.Died += died.SetResult;
        watch.Start();
        await Eventually.Async("it has not looked", () => Task.FromResult(watch.MayRead));
        await PutAsync(source, _other, SiloStatus.Dead);
        Assert.Equal([_other], await died.Task);
    }

    internal static async Task PutAsync(NpgsqlDataSource source, SiloAddress silo, SiloStatus status)
    {
        await using NpgsqlCommand command = source.CreateCommand(
            """
            with v as (insert into orleans.membership_version (deployment_id) values ('c')
                on conflict (deployment_id) do update set version = membership_version.version + 1 returning deployment_id)
            insert into orleans.membership (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
            select deployment_id, $1, $2, $3, 's', 'h', $4, 0, now(), now() from v
            on conflict (deployment_id, address, port, generation) do update set status = excluded.status
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = silo.Endpoint.Address.ToString() });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = silo.Endpoint.Port });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = silo.Generation });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)status });
        await command.ExecuteNonQueryAsync();
    }

    private static MembershipWatch Watch(string database, SiloAddress? self) => new(database, "c", self, TimeProvider.System, NullLogger<MembershipWatch>.Instance);

    /// <summary>The system's clock, which can be put ahead.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _ahead;

        public TimeSpan Ahead
        {
            set => Volatile.Write(ref _ahead, (long)(value.TotalSeconds * TimestampFrequency));
        }

        public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _ahead);
    }
}
