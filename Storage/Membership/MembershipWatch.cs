using System.Net;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Runtime;

namespace MailCluster.Storage.Membership;

/// <summary>
/// Looks at the table of the cluster's silos twice a second, on a connection of its own. For a silo that is its read lease: without a good look at its own row
/// for <see cref="Lease"/>, or once the row says Dead, nothing in the process may be answered from memory. For everybody it tells of silos that died.
/// A look is one row by primary key; the list of the dead is read only when the membership's version has changed.
/// </summary>
public sealed partial class MembershipWatch : IAsyncDisposable
{
    /// <summary>How long a good look lasts, counted from before it was sent: whatever held it up, the process itself included, shortens it.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(500);

    /// <summary>After a look that failed: PostgreSQL's return, and the moment at which the silo is a member, should cost nobody a wait.</summary>
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(100);

    private readonly NpgsqlDataSource _source;
    private readonly string _cluster;
    private readonly SiloAddress? _self;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<SiloAddress> _dead = [];
    private NpgsqlConnection? _connection;
    private Task _loop = Task.CompletedTask;
    private int? _version;

    // The timestamp before the last good look was sent; 0: there is none.
    private long _asked;
    private volatile bool _selfIsDead;
    private volatile bool _isUnreachable;

    /// <param name="connectionString">The mail store's; the watch opens one connection.</param>
    /// <param name="cluster">The cluster's name in the table.</param>
    /// <param name="self">This process's silo; null in a process without owners, which needs no lease.</param>
    public MembershipWatch(string connectionString, string cluster, SiloAddress? self, TimeProvider time, ILogger<MembershipWatch> log)
    {
        _source = PostgresPool.Open(connectionString, "membership", "mailcluster membership", 1, static settings =>
        {
            settings.Pooling = false;
            settings.Timeout = 2;
            settings.CommandTimeout = 0;
            // After a fail-over nobody should find the new primary later than the others.
            settings.HostRecheckSeconds = 1;
        });
        (_cluster, _self, _time, _log) = (cluster, self, time, log);
    }

    /// <summary>True while this process's silo certainly was a member at most <see cref="Lease"/> ago. Monotonic time, which runs on while the process stands still.</summary>
    public bool MayRead => !_selfIsDead && Volatile.Read(ref _asked) is var asked and not 0 && _time.GetElapsedTime(asked) < Lease;

    /// <summary>True after a look for which no server could be reached, until one answers, be it with a refusal.</summary>
    public bool IsUnreachable => _isUnreachable;

    /// <summary>Raised with silos that were declared dead since the last look, never with those of before the first one. Handlers only take note.</summary>
    public event Action<IReadOnlyList<SiloAddress>>? Died;

    /// <summary>Raised when a good look follows some time without. Handlers only take note.</summary>
    public event Action? Regained;

    /// <summary>Raised once when this silo is written down as dead: by the others, or by itself when it has stopped.</summary>
    public event Action? SelfDied;

    public void Start() => _loop = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        await _loop;
        if (_connection is not null)
            await _connection.DisposeAsync();
        await _source.DisposeAsync();
    }

    private async Task RunAsync()
    {
        bool before = true;
        while (!_stop.IsCancellationRequested && !_selfIsDead)
        {
            bool good = await LookAsync();
            if (good && !before)
                Regained?.Invoke();
            else if (!good && before && Volatile.Read(ref _asked) != 0 && !_selfIsDead && !_stop.IsCancellationRequested)
                LogNoLook();
            before = good;
            await Task.Delay(good ? _every : _again, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> LookAsync()
    {
        try
        {
            NpgsqlConnection connection = _connection ??= await OpenAsync();
            long asked = _time.GetTimestamp();
            (int? version, int? status) = await SoonAsync(ReadAsync(connection), connection);
            if (status == (int)SiloStatus.Dead)
            {
                // Whoever listens knows whether that is bad: a silo that stops says it of itself, last of all.
                _selfIsDead = true;
                SelfDied?.Invoke();
                return false;
            }
            if (version is null || (_self is not null && status is null))
                return false;
            Volatile.Write(ref _asked, asked);
            _isUnreachable = false;
            if (version != _version)
                Note(await SoonAsync(ReadDeadAsync(connection), connection), version.Value);
            return true;
        }
        catch (Exception e) when (Store.IsOutage(e) || e is OperationCanceledException or TimeoutException)
        {
            // Of several hosts none may be asked, because of what is known of them: that tells nothing.
            if (e is PostgresException || e.InnerException is PostgresException)
                _isUnreachable = false;
            else if (e is not NpgsqlException { InnerException: null })
                _isUnreachable = true;
            if (_connection is { } broken)
            {
                _connection = null;
                await broken.DisposeAsync();
            }
            return false;
        }
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(Lease * 3);
        return await _source.OpenConnectionAsync(patience.Token);
    }

    /// <summary>
    /// Waits no longer than a lease. What takes longer is left to itself, until the kernel gives its connection up: to cancel it, Npgsql would first try to reach
    /// PostgreSQL by another connection, for seconds.
    /// </summary>
    private async Task<T> SoonAsync<T>(Task<T> read, NpgsqlConnection connection)
    {
        try
        {
            return await read.WaitAsync(Lease, _time, _stop.Token);
        }
        catch (Exception e) when (!read.IsCompleted && e is TimeoutException or OperationCanceledException)
        {
            _connection = null;
            _ = EndAsync(read, connection);
            throw;
        }
    }

    private static async Task EndAsync(Task read, NpgsqlConnection connection)
    {
        await read.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync();
    }

    private async Task<(int? Version, int? Status)> ReadAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            select v.version, m.status from orleans.membership_version v left join orleans.membership m
                on m.deployment_id = v.deployment_id and m.address = $2 and m.port = $3 and m.generation = $4
            where v.deployment_id = $1
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _cluster });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _self?.Endpoint.Address.ToString() ?? "" });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _self?.Endpoint.Port ?? 0 });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _self?.Generation ?? 0 });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return (null, null);
        return (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetInt32(1));
    }

    private async Task<HashSet<SiloAddress>> ReadDeadAsync(NpgsqlConnection connection)
    {
        var dead = new HashSet<SiloAddress>();
        await using var command = new NpgsqlCommand(
            "select address, port, generation from orleans.membership where deployment_id = $1 and status = $2", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _cluster });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)SiloStatus.Dead });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            dead.Add(SiloAddress.New(IPAddress.Parse(reader.GetString(0)), reader.GetInt32(1), reader.GetInt32(2)));
        return dead;
    }

    private void Note(HashSet<SiloAddress> now, int version)
    {
        List<SiloAddress> fresh = [.. now.Where(s => !_dead.Contains(s))];
        bool first = _version is null;
        _dead.Clear();
        _dead.UnionWith(now);
        _version = version;
        if (!first && fresh.Count > 0)
        {
            LogDied(string.Join(' ', fresh));
            Died?.Invoke(fresh);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The membership can't be read now")]
    private partial void LogNoLook();

    [LoggerMessage(Level = LogLevel.Information, Message = "Silos have died: {Silos}")]
    private partial void LogDied(string silos);
}
