using System.Globalization;
using MailCluster.Storage.Private;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Private;

/// <summary>The servers that other tests break: what was acknowledged is there after each of it.</summary>
public sealed class PrivatePostgresTests : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    public PrivatePostgresTests() => Assert.SkipWhen(PostgresPrograms.Find() is null, $"PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");

    [Fact]
    public async Task A_server_comes_back_on_its_port_with_its_data_however_it_ended()
    {
        var server = await PrivatePostgres.StartAsync(_directory.FullName);
        try
        {
            var port = server.Port;
            await server.ExecuteAsync("CREATE TABLE t (n int)");
            var rows = 0;
            foreach (var end in new Func<Task>[] { () => server.StopAsync(), () => server.StopAsync(immediate: true), server.KillAsync })
            {
                await server.ExecuteAsync($"INSERT INTO t VALUES ({++rows})");
                await end();
                await Assert.ThrowsAnyAsync<NpgsqlException>(() => server.ExecuteAsync("SELECT 1"));
                await server.StartAgainAsync();
                Assert.Equal((port, rows), (server.Port, await CountAsync(server.ConnectionString())));
            }
        }
        finally
        {
            await server.StopAsync(immediate: true);
        }
    }

    [Fact]
    public async Task The_death_of_one_backend_ends_all_others()
    {
        var server = await PrivatePostgres.StartAsync(_directory.FullName);
        try
        {
            Assert.Null(await server.KillBackendAsync("nobody"));
            await using var other = new NpgsqlConnection(server.ConnectionString());
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var victim = new NpgsqlConnection(server.ConnectionString() + ";Application Name=node lane");
            await victim.OpenAsync(TestContext.Current.CancellationToken);
            Assert.Equal(victim.ProcessID, await server.KillBackendAsync());
            await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
            {
                // A warning comes first.
                while (true)
                    await other.WaitAsync(TestContext.Current.CancellationToken);
            });
        }
        finally
        {
            await server.StopAsync(immediate: true);
        }
    }

    [Fact]
    public async Task A_standby_takes_over_with_everything_that_was_acknowledged_and_the_old_primary_comes_back_as_its_standby()
    {
        var pair = await PostgresPair.StartAsync(_directory.FullName);
        try
        {
            await pair.Primary.ExecuteAsync("CREATE TABLE t (n int)");
            int[] ports = [pair.Primary.Port, pair.Standby.Port];
            for (var round = 1; round <= 2; round++)
            {
                for (var row = 0; row < 10; row++)
                    await pair.Primary.ExecuteAsync("INSERT INTO t VALUES (1)");
                await pair.FailOverAsync();
                Assert.Equal(round * 10, await CountAsync(pair.ConnectionString()));
                await pair.RejoinAsync();
                Assert.Equal(round % 2 == 0 ? ports : ports.Reverse(), [pair.Primary.Port, pair.Standby.Port]);
            }
        }
        finally
        {
            await pair.StopAsync();
        }
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(true);
        return ValueTask.CompletedTask;
    }

    private static async Task<int> CountAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand("SELECT count(*) FROM t");
        return Convert.ToInt32(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }
}
