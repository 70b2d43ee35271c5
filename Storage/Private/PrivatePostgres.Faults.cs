using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;

namespace MailCluster.Storage.Private;

/// <summary>What can happen to a server, for tests of outages, and what a standby is made of.</summary>
public sealed partial class PrivatePostgres
{
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigCont = 18;

    /// <summary>
    /// SIGKILL of the postmaster and of all its processes, as when the machine loses its power: nothing is sent to clients but the end of
    /// their connections. <see cref="StartAgainAsync"/> recovers from the log.
    /// </summary>
    public Task KillAsync()
    {
        var postmaster = ProcessId;
        // First it stands still, so that it starts no process while we look; then it goes first, so that it reports nobody's death to clients.
        _ = kill(postmaster, SigStop);
        var children = Children(postmaster);
        _ = kill(postmaster, SigKill);
        foreach (var child in children)
        {
            _ = kill(child, SigKill);
        }
        return GoneAsync([postmaster, .. children]);
    }

    /// <summary>SIGSTOP of the postmaster and of all its processes: connections stay open, and nothing answers until <see cref="Thaw"/>.</summary>
    public void Freeze() => SignalAll(SigStop);

    /// <summary>Goes on after <see cref="Freeze"/>.</summary>
    public void Thaw() => SignalAll(SigCont);

    /// <summary>
    /// SIGKILL of one backend: PostgreSQL then ends all the others and recovers, because shared memory may be damaged.
    /// </summary>
    /// <param name="application">A LIKE pattern for its application_name: "% lane" are those that commit.</param>
    /// <returns>Its process id; null where no such backend was connected.</returns>
    public async Task<int?> KillBackendAsync(string application = "% lane%")
    {
        int? backend;
        await using (var dataSource = NpgsqlDataSource.Create(ConnectionString() + ";Pooling=false"))
        await using (var command = dataSource.CreateCommand(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name LIKE $1 ORDER BY state = 'active' DESC, random() LIMIT 1"))
        {
            command.Parameters.Add(new() { Value = application });
            backend = await command.ExecuteScalarAsync() as int?;
        }
        if (backend is { } process)
        {
            _ = kill(process, SigKill);
        }
        return backend;
    }

    /// <summary>Executes one statement as superuser.</summary>
    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using var dataSource = NpgsqlDataSource.Create(ConnectionString(database) + ";Pooling=false");
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Makes a streaming standby of this server in another directory (its content is replaced), and starts it.</summary>
    /// <param name="name">Its application_name, by which synchronous_standby_names knows it: letters, digits, underscores.</param>
    /// <param name="port">Null: a free one.</param>
    internal async Task<PrivatePostgres> StandbyAsync(string directory, string name, string address, int? port)
    {
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(directory);
        var data = await DataDirectoryForAsync(directory, null);
        if (Directory.Exists(data))
        {
            Directory.Delete(data, true);
        }
        Directory.CreateDirectory(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await PostgresAccount.GiveAsync(data);
        WriteSecret(Path.Combine(directory, "postgres.password"), _password);
        // -R writes where to stream from, with the application_name; -X stream takes along what is written meanwhile.
        var (exitCode, output) = await PostgresAccount.RunAsync(Path.Combine(_programs, "pg_basebackup"),
            ["-d", $"host={Address} port={Port} user={SuperUser} application_name={name}", "-D", data, "-R", "-X", "stream", "-c", "fast", "--no-password"], _password);
        if (exitCode != 0)
        {
            throw new PrivatePostgresException($"pg_basebackup failed: {output.ReplaceLineEndings(" ").Trim()}");
        }
        File.Delete(Path.Combine(data, "server.log"));
        return await LaunchAsync(() => new(_programs, data, _password, address, port ?? FreePort(), _settings));
    }

    /// <summary>Makes a standby the primary; returns when it takes writes.</summary>
    internal async Task PromoteAsync()
    {
        var (exitCode, output) = await PostgresAccount.RunAsync(Path.Combine(_programs, "pg_ctl"), ["promote", "-D", _data, "-w", "-t", "60"]);
        if (exitCode != 0)
        {
            throw new PrivatePostgresException($"The standby could not be promoted: {output.ReplaceLineEndings(" ").Trim()}");
        }
    }

    private void SignalAll(int signal)
    {
        var postmaster = ProcessId;
        _ = kill(postmaster, signal);
        foreach (var child in Children(postmaster))
        {
            _ = kill(child, signal);
        }
    }

    private static List<int> Children(int parent)
    {
        var children = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var process) && ParentOf(process) == parent)
            {
                children.Add(process);
            }
        }
        return children;
    }

    // /proc/PID/stat: "pid (name) state ppid …"; a name may have spaces and parentheses.
    private static int? ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It has ended.
            return null;
        }
    }

    // A killed process may wait for its new parent to collect it: 'Z' has let go of all its memory and files.
    private static async Task GoneAsync(IReadOnlyList<int> processes)
    {
        foreach (var process in processes)
        {
            while (IsAlive(process))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    [DllImport("libc")]
    private static extern int kill(int process, int signal);
}
