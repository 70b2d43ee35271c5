using System.Net.Sockets;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage;

/// <summary>Tells an outage of PostgreSQL, after which the caller may try again, from a bug.</summary>
internal static class Outage
{
    /// <summary>
    /// True for a lost or refused connection, a time-out, an exhausted pool, and for what a server says when it stops, is full or has chosen
    /// this statement as a victim: SQLSTATE classes 08, 40, 53, 55, 57, 58.
    /// </summary>
    public static bool Is(Exception e) => e switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "40" or "53" or "55" or "57" or "58" || p.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction,
        NpgsqlException or TimeoutException or SocketException or IOException => true,
        _ => false,
    };

    public static StoreUnavailableException Of(Exception e) => new("PostgreSQL is not available: " + e.Message, e);
}
