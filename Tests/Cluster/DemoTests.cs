using System.Diagnostics;
using MailCluster.Storage.Private;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class DemoTests : IDisposable
{
    // As mktemp -d makes it: closed to the system user that PostgreSQL runs as.
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    public DemoTests() => Assert.SkipWhen(PostgresPrograms.Find() is null, $"PostgreSQL is not installed ({PostgresPrograms.HowToInstall})");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task A_demo_serves_and_stops_with_its_database_at_SIGINT()
    {
        await using var demo = await DemoServer.StartAsync(_directory.FullName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory.FullName, "demo.json")));
        foreach (string door in new[] { "pop3", "pop3s" })
        {
            using var tcp = new System.Net.Sockets.TcpClient();
            await tcp.ConnectAsync(demo.Door(door).Host, demo.Door(door).Port);
        }
        using (var http = new HttpClient())
        {
            Assert.Contains("\"ready\":true", await http.GetStringAsync($"http://{demo.File.GetProperty("http").GetString()}/readyz"));
        }
        var (exitCode, output) = await ServerProcess.RunAsync("demo", "--data", _directory.FullName, "--port-offset", "1000");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Another demo is running in", output);

        demo.Process.Interrupt();
        await demo.Process.WaitForExitAsync();
        Assert.Equal(0, demo.Process.ExitCode);
        Assert.Null(demo.PostgresProcess);
    }

    [Fact]
    public async Task A_demo_that_was_killed_with_or_without_its_database_starts_again_with_what_it_kept()
    {
        await using (var first = await DemoServer.StartAsync(_directory.FullName))
        {
            await using var database = NpgsqlDataSource.Create(first.ConnectionString + ";Pooling=false");
            await using (var write = database.CreateCommand("CREATE TABLE kept AS SELECT 'it' AS what"))
            {
                await write.ExecuteNonQueryAsync();
            }
            first.Process.Kill();
            await first.Process.WaitForExitAsync();
        }
        await using (var second = await DemoServer.StartAsync(_directory.FullName))
        {
            Assert.Contains("is still running", second.Process.Output);
            Assert.Equal("it", await KeptAsync(second));
            second.Process.Kill();
            using var postgres = Process.GetProcessById(second.PostgresProcess!.Value);
            postgres.Kill();
            await second.Process.WaitForExitAsync();
        }
        await using var third = await DemoServer.StartAsync(_directory.FullName);
        Assert.Equal("it", await KeptAsync(third));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        var offset = FreePorts.NextOffset();
        var port = offset + 143;
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        other.Start();
        var (exitCode, output) = await ServerProcess.RunAsync("demo", "--data", _directory.FullName, "--port-offset", $"{offset}");
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"Port {port} at 127.0.0.1", output);
    }

    private static async Task<object?> KeptAsync(DemoServer demo)
    {
        await using var database = NpgsqlDataSource.Create(demo.ConnectionString + ";Pooling=false");
        await using var read = database.CreateCommand("SELECT what FROM kept");
        return await read.ExecuteScalarAsync();
    }
}
