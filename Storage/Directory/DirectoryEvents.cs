using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <summary>What happened to an account or a tenant.</summary>
public enum DirectoryEventKind
{
    /// <summary>Events may have been missed (the connection was lost, or has just been made): check all that is remembered.</summary>
    Missed = 0,

    /// <summary>The password changed: forget it, end the account's sessions.</summary>
    Password,

    /// <summary>Log-in or delivery was switched: where log-in is off now, end the sessions.</summary>
    State,

    /// <summary>Limits or settings changed.</summary>
    Settings,

    /// <summary>The account logs in with another address now: end the sessions.</summary>
    Renamed,

    /// <summary>The account is gone: end the sessions.</summary>
    Deleted,

    /// <summary>An administrator ends the sessions that fit <see cref="DirectoryEvent.Sessions"/>.</summary>
    Kick,
}

/// <param name="Account">Null: every account of the tenant, or of all.</param>
/// <param name="Tenant">Null: any tenant.</param>
/// <param name="Sessions">Set for <see cref="DirectoryEventKind.Kick"/>.</param>
public sealed record DirectoryEvent(DirectoryEventKind Kind, AccountId? Account = null, TenantId? Tenant = null, SessionFilter? Sessions = null);

/// <summary>Which sessions are meant: those for which every value that is given fits.</summary>
/// <param name="Address">The client's address.</param>
/// <param name="Node">The front-end node.</param>
public sealed record SessionFilter(string? SessionId = null, string? Address = null, string? Node = null);

/// <summary>Tells nodes at once what administrators change, by PostgreSQL's NOTIFY in the transaction of the change.</summary>
public sealed class DirectoryEvents(NpgsqlDataSource database)
{
    private const string Channel = "mailcluster_account";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(5);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private sealed record Payload(DirectoryEventKind Kind, long? Account, long? Tenant, SessionFilter? Sessions);

    /// <summary>
    /// The events from now on, without end, through losses of the connection; the first, and the one after each loss, is <see cref="DirectoryEventKind.Missed"/>.
    /// Holds one connection.
    /// </summary>
    public async IAsyncEnumerable<DirectoryEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        var arrived = new Queue<DirectoryEvent>();
        while (true)
        {
            NpgsqlConnection? connection = null;
            try
            {
                connection = await ListenAsync(arrived, cancellationToken).ConfigureAwait(false);
                if (connection is not null)
                {
                    pause = FirstPause;
                    yield return new DirectoryEvent(DirectoryEventKind.Missed);
                }
                while (connection is not null && await WaitAsync(connection, arrived, cancellationToken).ConfigureAwait(false))
                {
                    while (arrived.TryDequeue(out var e))
                        yield return e;
                }
            }
            finally
            {
                if (connection is not null)
                    await connection.DisposeAsync().ConfigureAwait(false);
            }
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LastPause ? pause * 2 : LastPause;
        }
    }

    /// <summary>Ends sessions on all front ends; they are told within a moment.</summary>
    public Task KickAsync(AccountId? account, TenantId? tenant, SessionFilter sessions) => Store.Guard(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Kick, account, tenant, sessions));
        return true;
    });

    /// <summary>Tells of a change in the transaction that makes it: nobody hears of what was rolled back.</summary>
    internal static async Task NotifyAsync(NpgsqlConnection connection, DirectoryEvent e)
    {
        await using var command = new NpgsqlCommand("select pg_notify($1, $2)", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Channel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(new Payload(e.Kind, e.Account?.Value, e.Tenant?.Value, e.Sessions), Json) });
        await command.ExecuteNonQueryAsync();
    }

    private async Task<NpgsqlConnection?> ListenAsync(Queue<DirectoryEvent> arrived, CancellationToken cancellationToken)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            connection.Notification += (_, e) => arrived.Enqueue(Parse(e.Payload));
            await using var listen = new NpgsqlCommand("listen " + Channel, connection);
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }

    private static async Task<bool> WaitAsync(NpgsqlConnection connection, Queue<DirectoryEvent> arrived, CancellationToken cancellationToken)
    {
        try
        {
            if (arrived.Count == 0)
                await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            return false;
        }
    }

    // What a newer version says and this one does not know may be anything.
    private static DirectoryEvent Parse(string payload)
    {
        try
        {
            return JsonSerializer.Deserialize<Payload>(payload, Json) is { } p
                ? new DirectoryEvent(p.Kind, p.Account is { } a ? new AccountId(a) : null, p.Tenant is { } t ? new TenantId(t) : null, p.Sessions)
                : new DirectoryEvent(DirectoryEventKind.Missed);
        }
        catch (JsonException)
        {
            return new DirectoryEvent(DirectoryEventKind.Missed);
        }
    }
}
