using System.Net.Sockets;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage;

/// <summary>What all stores have in common: an outage is one kind of exception.</summary>
internal static class Store
{
    /// <summary>Runs a read or a change that may be repeated; whatever says that PostgreSQL is away or too slow becomes <see cref="StoreUnavailableException"/>.</summary>
    public static async Task<T> Guard<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (IsOutage(e))
        {
            throw Outage(e);
        }
    }

    /// <summary>What callers of stores get to see of an outage.</summary>
    public static StoreUnavailableException Outage(Exception e) => new("PostgreSQL cannot be reached.", e);

    /// <summary>Lost connections, shutdowns (57P), too many connections (53), locks not given in time (55P03), standby or read-only after a fail-over (25006).</summary>
    public static bool IsOutage(Exception e) => e switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "53" || p.SqlState.StartsWith("57P", StringComparison.Ordinal) || p.SqlState is "55P03" or "25006",
        NpgsqlException or TimeoutException or SocketException or IOException or ObjectDisposedException => true,
        _ => false,
    };
}
