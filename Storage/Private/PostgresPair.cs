using Npgsql;

namespace MailCluster.Storage.Private;

/// <summary>
/// A private primary and a synchronous streaming standby: a commit is acknowledged when both have it on disk. The primary can be killed and the
/// standby promoted; the old primary comes back as the new one's standby. Each keeps its address and port.
/// </summary>
public sealed class PostgresPair
{
    private const string StandbyName = "standby";

    private readonly string[] _directories;
    private readonly string[] _addresses;
    private readonly PrivatePostgres[] _servers;
    private int _primary;

    private PostgresPair(string[] directories, string[] addresses, PrivatePostgres[] servers) =>
        (_directories, _addresses, _servers) = (directories, addresses, servers);

    /// <summary>The server that takes writes, or did last.</summary>
    public PrivatePostgres Primary => _servers[_primary];

    public PrivatePostgres Standby => _servers[1 - _primary];

    /// <summary>A superuser's connection string that names both servers and wants the primary.</summary>
    public string ConnectionString(string database = "postgres") => new NpgsqlConnectionStringBuilder(Primary.ConnectionString(database))
    {
        Host = string.Join(',', _servers.Select(static s => $"{s.Address}:{s.Port}")), TargetSessionAttributes = "primary",
    }.ConnectionString;

    /// <summary>Starts both under two folders of a directory; the primary's may exist already.</summary>
    /// <param name="settings">As in <see cref="PrivatePostgres.StartAsync"/>, for both.</param>
    /// <param name="addresses">Where the two listen; 127.0.0.1 where it is null.</param>
    /// <param name="network">As in <see cref="PrivatePostgres.StartAsync"/>.</param>
    /// <exception cref="PrivatePostgresException">See <see cref="PrivatePostgres.StartAsync"/>.</exception>
    public static async Task<PostgresPair> StartAsync(
        string directory, IEnumerable<string>? settings = null, (string Primary, string Standby)? addresses = null, string? network = null)
    {
        string[] directories = [Path.Combine(directory, "one"), Path.Combine(directory, "two")];
        string[] at = addresses is { } a ? [a.Primary, a.Standby] : ["127.0.0.1", "127.0.0.1"];
        // Whoever may pass the directory may pass to those in it.
        Directory.CreateDirectory(directory);
        if (!await PostgresAccount.CanEnterAsync(directory))
        {
            File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        }
        var primary = await PrivatePostgres.StartAsync(directories[0], settings, null, at[0], network);
        var pair = new PostgresPair(directories, at, [primary, primary]);
        try
        {
            await pair.RejoinAsync(null);
        }
        catch
        {
            await primary.StopAsync(immediate: true);
            throw;
        }
        return pair;
    }

    /// <summary>
    /// The primary loses its power, and the standby takes its place: everything that was acknowledged is there. Without a standby of its own it
    /// commits alone until <see cref="RejoinAsync()"/>.
    /// </summary>
    public async Task FailOverAsync()
    {
        await Primary.KillAsync();
        await PromoteAsync();
    }

    /// <summary>Makes the standby the primary. The old one must not run any more.</summary>
    public async Task PromoteAsync()
    {
        await Standby.PromoteAsync();
        _primary = 1 - _primary;
    }

    /// <summary>The old primary, which does not run, begins anew as the standby of the new one; returns when commits wait for it.</summary>
    public Task RejoinAsync() => RejoinAsync(Standby.Port);

    /// <summary>Stops both, also where one is stopped already.</summary>
    public async Task StopAsync()
    {
        // The primary first: a commit that waits for its standby is given up.
        await Primary.StopAsync(immediate: true);
        await Standby.StopAsync(immediate: true);
    }

    private async Task RejoinAsync(int? port)
    {
        var place = 1 - _primary;
        // What a base backup takes along must not name a standby: the copy, once promoted, would wait for it.
        await Primary.ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names");
        _servers[place] = await Primary.StandbyAsync(_directories[place], StandbyName, _addresses[place], port);
        await Primary.ExecuteAsync($"ALTER SYSTEM SET synchronous_standby_names = '{StandbyName}'");
        await Primary.ExecuteAsync("SELECT pg_reload_conf()");
        await using var dataSource = NpgsqlDataSource.Create(Primary.ConnectionString() + ";Pooling=false");
        while (true)
        {
            await using var command = dataSource.CreateCommand("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming')");
            if (await command.ExecuteScalarAsync() is true)
            {
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }
}
