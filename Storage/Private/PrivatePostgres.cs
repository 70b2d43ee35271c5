using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace MailCluster.Storage.Private;

/// <summary>A private PostgreSQL could not be had; the message is one sentence for the user.</summary>
public sealed class PrivatePostgresException(string message) : Exception(message);

/// <summary>
/// A PostgreSQL server of our own in a directory of our own, for the demo and the tests: on 127.0.0.1 unless told otherwise, with a random
/// password (SCRAM-SHA-256), real fsync and synchronous_commit on. It outlives the process that started it unless it is stopped.
/// </summary>
public sealed partial class PrivatePostgres
{
    private const string SuperUser = "mailcluster";

    private readonly string _programs;
    private readonly string _data;
    private readonly string _password;
    private readonly IReadOnlyList<string> _settings;

    private PrivatePostgres(string programs, string data, string password, string address, int port, IReadOnlyList<string> settings)
    {
        (_programs, _data, _password, Address, Port, _settings) = (programs, data, password, address, port, settings);
    }

    /// <summary>The address that clients connect to.</summary>
    public string Address { get; }

    /// <summary>The TCP port at <see cref="Address"/>; it stays when the server is stopped and started again.</summary>
    public int Port { get; }

    /// <summary>The process id of the server (its postmaster), from the file that it keeps.</summary>
    public int ProcessId => int.Parse(File.ReadLines(Path.Combine(_data, "postmaster.pid")).First());

    /// <summary>A superuser's connection string for one database of the server.</summary>
    public string ConnectionString(string database = "postgres") => new NpgsqlConnectionStringBuilder
    {
        Host = Address, Port = Port, Username = SuperUser, Password = _password, Database = database,
    }.ConnectionString;

    /// <summary>
    /// Starts the server whose files lie under <paramref name="directory"/>, creating them at the first time; one that is still running
    /// there (its starter was killed) is taken over as it is.
    /// </summary>
    /// <param name="settings">Further lines for the server's command line, such as "max_connections=300".</param>
    /// <param name="progress">Told, in a sentence, what takes longer than a moment.</param>
    /// <param name="address">Where it listens, such as the address of a bridge between network namespaces.</param>
    /// <param name="network">Clients of this network ("10.1.0.0/16") are let in with the password, beside those of this machine's loopback.</param>
    /// <exception cref="PrivatePostgresException">PostgreSQL is not installed, or it did not start.</exception>
    public static async Task<PrivatePostgres> StartAsync(
        string directory, IEnumerable<string>? settings = null, Action<string>? progress = null, string address = "127.0.0.1", string? network = null)
    {
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(directory);
        var data = await DataDirectoryForAsync(directory, progress);
        string[] kept = [.. settings ?? []];
        var exists = File.Exists(Path.Combine(data, "PG_VERSION"));
        var version = exists ? File.ReadAllText(Path.Combine(data, "PG_VERSION")).Trim() : null;
        var programs = PostgresPrograms.Find(version) ?? throw new PrivatePostgresException(version is null
            ? $"PostgreSQL's server programs are not installed: run '{PostgresPrograms.HowToInstall}'."
            : $"The data in {data} was written by PostgreSQL {version}, which is not installed: run '{PostgresPrograms.HowToInstall}-{version}'.");
        var passwordFile = Path.Combine(directory, "postgres.password");
        if (!exists)
        {
            progress?.Invoke($"creating a private PostgreSQL in {data}");
            await CreateAsync(programs, data, passwordFile);
        }
        var password = File.ReadAllText(passwordFile).Trim();
        if (network is not null)
        {
            await LetInAsync(data, network);
        }
        if (await RunningPortAsync(programs, data) is { } running)
        {
            progress?.Invoke($"the private PostgreSQL is still running on port {running}");
            var found = new PrivatePostgres(programs, data, password, address, running, kept);
            if (await found.AnswersAsync())
            {
                return found;
            }
        }
        progress?.Invoke("starting the private PostgreSQL");
        return await LaunchAsync(() => new(programs, data, password, address, FreePort(), kept));
    }

    /// <summary>Starts it again after <see cref="StopAsync"/> or <see cref="KillAsync"/>: the same data, the same port; returns when it answers.</summary>
    public Task StartAgainAsync() => LaunchAsync(() => this);

    /// <summary>Stops the server: sessions are ended, what is committed is on disk.</summary>
    /// <param name="immediate">Without a checkpoint: the next start recovers from the log. For data that nobody will read again.</param>
    public async Task StopAsync(bool immediate = false)
    {
        var (exitCode, output) = await PostgresAccount.RunAsync(
            Path.Combine(_programs, "pg_ctl"), ["stop", "-D", _data, "-w", "-t", "60", "-m", immediate ? "immediate" : "fast"]);
        // A killed one leaves its file behind, and has stopped.
        if (exitCode != 0 && await RunningPortAsync(_programs, _data) is not null)
        {
            throw new PrivatePostgresException($"The private PostgreSQL did not stop: {output.ReplaceLineEndings(" ").Trim()}");
        }
    }

    /// <summary>Ends all sessions and starts again on the same port; returns when it answers.</summary>
    /// <param name="immediate">Without a checkpoint, as after a crash.</param>
    public async Task RestartAsync(bool immediate = true)
    {
        var (exitCode, output) = await PostgresAccount.RunAsync(Path.Combine(_programs, "pg_ctl"),
            ["restart", "-D", _data, "-w", "-t", "120", "-m", immediate ? "immediate" : "fast", "-l", Path.Combine(_data, "server.log")]);
        if (exitCode != 0 || !await AnswersAsync())
        {
            throw new PrivatePostgresException($"The private PostgreSQL did not start again: {output.ReplaceLineEndings(" ").Trim()}");
        }
    }

    // Two things pass: the free port was taken by somebody else in between; processes of a killed server are still about to end.
    private static async Task<PrivatePostgres> LaunchAsync(Func<PrivatePostgres> next)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = next();
            var options = new StringBuilder(
                $"-c port={server.Port} -c listen_addresses={server.Address} -c unix_socket_directories= -c fsync=on -c synchronous_commit=on");
            foreach (var setting in server._settings)
            {
                options.Append(" -c ").Append(setting);
            }
            var log = Path.Combine(server._data, "server.log");
            var (exitCode, output) = await PostgresAccount.RunAsync(
                Path.Combine(server._programs, "pg_ctl"), ["start", "-D", server._data, "-w", "-t", "120", "-l", log, "-o", options.ToString()]);
            if (exitCode == 0 && await server.AnswersAsync())
            {
                return server;
            }
            if (attempt == 10)
            {
                throw new PrivatePostgresException($"The private PostgreSQL did not start; its log is {log}. {output.ReplaceLineEndings(" ").Trim()}");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }
    }

    // The files are DIR/postgres. As root they belong to the user "postgres", who must be able to pass DIR: a directory of mktemp -d is
    // closed, so that DIR (never a parent) is opened for passing; where a parent is closed (/root), the files go to /var/lib/mailcluster.
    private static async Task<string> DataDirectoryForAsync(string directory, Action<string>? progress)
    {
        if (!await PostgresAccount.CanEnterAsync(directory))
        {
            File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        }
        if (await PostgresAccount.CanEnterAsync(directory))
        {
            return Path.Combine(directory, "postgres");
        }
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directory)))[..16];
        var elsewhere = Path.Combine("/var/lib/mailcluster", name);
        Directory.CreateDirectory(elsewhere);
        // Whoever deletes DIR and starts anew gets new files: the mark in DIR belongs to these.
        var mark = Path.Combine(directory, "postgres.elsewhere");
        var data = Path.Combine(elsewhere, "postgres");
        if (!File.Exists(mark) && Directory.Exists(data))
        {
            Directory.Move(data, data + ".left-" + DateTime.UtcNow.ToString("yyyyMMddHHmmss"));
        }
        File.WriteAllText(mark, data + "\n");
        progress?.Invoke($"the system user 'postgres' cannot enter {directory}: PostgreSQL's files are kept in {data}");
        return data;
    }

    // initdb works in a directory of another name, which takes the real one when all is done: a start that was killed leaves no half cluster.
    private static async Task CreateAsync(string programs, string data, string passwordFile)
    {
        var fresh = data + ".new";
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, true);
        }
        Directory.CreateDirectory(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await PostgresAccount.GiveAsync(fresh);
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        WriteSecret(passwordFile, password);
        var forInitdb = fresh + ".password";
        WriteSecret(forInitdb, password);
        await PostgresAccount.GiveAsync(forInitdb);
        var (exitCode, output) = await PostgresAccount.RunAsync(Path.Combine(programs, "initdb"),
        [
            "-D", fresh, "-U", SuperUser, "--pwfile", forInitdb, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
            "--no-instructions",
        ]);
        File.Delete(forInitdb);
        if (exitCode != 0)
        {
            throw new PrivatePostgresException($"initdb failed: {output.ReplaceLineEndings(" ").Trim()}");
        }
        Directory.Move(fresh, data);
    }

    private static async Task LetInAsync(string data, string network)
    {
        var file = Path.Combine(data, "pg_hba.conf");
        string[] lines = [$"host all all {network} scram-sha-256", $"host replication all {network} scram-sha-256"];
        if (!(await File.ReadAllTextAsync(file)).Contains(lines[0], StringComparison.Ordinal))
        {
            await File.AppendAllLinesAsync(file, lines);
        }
    }

    private static void WriteSecret(string path, string text)
    {
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(Encoding.ASCII.GetBytes(text + "\n"));
    }

    // postmaster.pid may be a leftover of a killed server: pg_ctl knows whether the process in it is alive.
    private static async Task<int?> RunningPortAsync(string programs, string data)
    {
        var file = Path.Combine(data, "postmaster.pid");
        if (!File.Exists(file) || (await PostgresAccount.RunAsync(Path.Combine(programs, "pg_ctl"), ["status", "-D", data])).ExitCode != 0)
        {
            return null;
        }
        // The file's lines: process, data directory, start time, port, …
        var lines = File.ReadAllLines(file);
        return lines.Length > 3 && int.TryParse(lines[3], out var port) ? port : null;
    }

    // False where nobody listens (any more): it was killed just now.
    private async Task<bool> AnswersAsync()
    {
        await using var dataSource = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString()) { Pooling = false, Timeout = 60 });
        while (true)
        {
            try
            {
                await using var command = dataSource.CreateCommand("SELECT 1");
                await command.ExecuteScalarAsync();
                return true;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CannotConnectNow)
            {
                // It recovers from a crash, for as long as there is log to read.
                await Task.Delay(200);
            }
            catch (PostgresException e)
            {
                throw new PrivatePostgresException($"The private PostgreSQL on port {Port} does not let us in: {e.MessageText}");
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
