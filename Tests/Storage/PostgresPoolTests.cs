using MailCluster.Storage;
using MailCluster.Storage.Private;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage;

/// <summary>Connections that follow the primary, and that notice when it is gone.</summary>
public sealed class PostgresPoolTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_server_that_is_gone_without_a_word_is_noticed_in_seconds()
    {
        await using var pool = PostgresPool.Open(await postgres.CreateEmptyDatabaseAsync(), "test", "test", 2);
        await using var connection = await pool.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var socket = PostgresPool.SocketOf(connection);
        Assert.NotNull(socket);
        // Large values are read through it where there is no TLS in between.
        Assert.Same(socket, PostgresPool.PlainSocketOf(connection));
        var limit = new byte[4];
        Assert.Equal(4, socket.GetRawSocketOption(6, 18, limit));
        Assert.Equal(PostgresPool.UnacknowledgedMilliseconds, BitConverter.ToInt32(limit));
        await using var command = new NpgsqlCommand("SELECT current_setting('tcp_user_timeout') || ' ' || current_setting('tcp_keepalives_idle')", connection);
        Assert.Equal("3000 2", await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_blocking_connection_waits_in_the_kernel_and_nobody_else_watches_its_socket()
    {
        await using var pool = PostgresPool.Open(await postgres.CreateEmptyDatabaseAsync(), "test", "test", 2, blocking: true);
        Assert.Equal("waited", Ask());

        string Ask()
        {
            using var connection = pool.OpenConnection();
            var descriptor = PostgresPool.SocketOf(connection)!.SafeHandle.DangerousGetHandle().ToString();
            var flags = File.ReadLines("/proc/self/fdinfo/" + descriptor).Single(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.Equal(0, Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & 0x800);
            // An epoll tells there what it watches.
            Assert.DoesNotContain(Directory.GetFiles("/proc/self/fdinfo"), file => Watches(file).Contains(descriptor));
            using var command = new NpgsqlCommand("SELECT 'waited' FROM pg_sleep(0.01)", connection);
            return (string)command.ExecuteScalar()!;
        }

        static IEnumerable<string> Watches(string file)
        {
            try
            {
                return [.. File.ReadLines(file).Where(line => line.StartsWith("tfd:", StringComparison.Ordinal)).Select(line => line.Split(':', ' ', '\t').First(word => word is not ("tfd" or "")))];
            }
            catch (IOException)
            {
                // Another test has closed it.
                return [];
            }
        }
    }

    [Fact]
    public async Task The_standby_is_never_taken_and_after_a_fail_over_the_new_primary_is()
    {
        Assert.SkipWhen(PostgresPrograms.Find() is null, $"PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");
        var directory = Directory.CreateTempSubdirectory("mailcluster-test-");
        var pair = await PostgresPair.StartAsync(directory.FullName);
        try
        {
            // The standby comes first, and nothing is said about which is wanted.
            var text = new NpgsqlConnectionStringBuilder(pair.ConnectionString())
            {
                Host = $"127.0.0.1:{pair.Standby.Port},127.0.0.1:{pair.Primary.Port}", TargetSessionAttributes = null,
            }.ConnectionString;
            await using var pool = PostgresPool.Open(text, "test", "test", 4);
            Assert.Equal(pair.Primary.Port, await PortAsync(pool));
            await pair.FailOverAsync();
            await Eventually.Async("the new primary is not found", async () => await PortAsync(pool) == pair.Primary.Port);
        }
        finally
        {
            await pair.StopAsync();
            directory.Delete(true);
        }
    }

    private static async Task<int> PortAsync(NpgsqlDataSource pool)
    {
        await using var command = pool.CreateCommand("SELECT inet_server_port()");
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
