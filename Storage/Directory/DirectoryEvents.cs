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
        await foreach (var payload in new NotificationChannel(database, Channel).ReadAsync(cancellationToken).ConfigureAwait(false))
            yield return payload is null ? new DirectoryEvent(DirectoryEventKind.Missed) : Parse(payload);
    }

    /// <summary>Ends sessions on all front ends; they are told within a moment.</summary>
    public Task KickAsync(AccountId? account, TenantId? tenant, SessionFilter sessions) => Store.Guard(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Kick, account, tenant, sessions));
        return true;
    });

    /// <summary>Tells of a change in the transaction that makes it: nobody hears of what was rolled back.</summary>
    internal static Task NotifyAsync(NpgsqlConnection connection, DirectoryEvent e) => NotificationChannel.NotifyAsync(
        connection, Channel, JsonSerializer.Serialize(new Payload(e.Kind, e.Account?.Value, e.Tenant?.Value, e.Sessions), Json));

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
