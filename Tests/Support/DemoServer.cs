using System.Text.Json;

namespace MailCluster.Tests.Support;

/// <summary><c>demo</c> as a process of its own: private PostgreSQL, node, tenant, two accounts.</summary>
public sealed class DemoServer : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private DemoServer(ServerProcess process, string directory)
    {
        (_process, Directory) = (process, directory);
        File = JsonDocument.Parse(System.IO.File.ReadAllText(Path.Combine(directory, "demo.json"))).RootElement;
    }

    public ServerProcess Process => _process;

    public string Directory { get; }

    /// <summary>demo.json.</summary>
    public JsonElement File { get; }

    public string ConnectionString => File.GetProperty("database").GetString()!;

    /// <summary>The process id of its PostgreSQL, as the server's own file has it; null when it has ended.</summary>
    public int? PostgresProcess
    {
        get
        {
            var file = Path.Combine(Directory, "postgres", "postmaster.pid");
            return System.IO.File.Exists(file) ? int.Parse(System.IO.File.ReadLines(file).First()) : null;
        }
    }

    /// <summary>Starts a demo on free ports and waits until it serves.</summary>
    /// <param name="directory">A directory of a demo before, or an empty one.</param>
    public static async Task<DemoServer> StartAsync(string directory)
    {
        var process = await ServerProcess.StartReadyAsync(["demo", "--data", directory, "--port-offset", FreePorts.NextOffset().ToString()]);
        return new(process, directory);
    }

    /// <summary>"host:port" of a door: imap, imaps, lmtp, http.</summary>
    public (string Host, int Port) Door(string name)
    {
        var parts = File.GetProperty(name).GetString()!.Split(':');
        return (parts[0], int.Parse(parts[1]));
    }

    /// <summary>Log-in name and password of an account by number: alice is 0, bob 1.</summary>
    public (string User, string Password) Account(int number)
    {
        var account = File.GetProperty("accounts")[number];
        return (account.GetProperty("user").GetString()!, account.GetProperty("password").GetString()!);
    }

    /// <summary>SIGTERM, and waits for the end: PostgreSQL is stopped by then as well.</summary>
    public async Task StopAsync()
    {
        _process.Terminate();
        await _process.WaitForExitAsync();
    }

    /// <summary>Stops it if it runs; the directory stays.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _process.DisposeAsync();
    }
}
