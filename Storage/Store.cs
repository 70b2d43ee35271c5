using System.Diagnostics;
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

    /// <summary>
    /// Runs a statement that may be repeated, again and again through an outage of <paramref name="patience"/> at most, with growing pauses and jitter.
    /// </summary>
    /// <param name="work">Told the number of the try, from 1: a try that failed may have been carried out all the same.</param>
    /// <exception cref="StoreUnavailableException">PostgreSQL was away for so long.</exception>
    public static async Task<T> Persist<T>(Func<int, Task<T>> work, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await work(attempt).ConfigureAwait(false);
            }
            catch (Exception e) when (IsOutage(e) || e is StoreUnavailableException)
            {
                TimeSpan pause = TimeSpan.FromMilliseconds(Math.Min(25 << Math.Min(attempt, 4), 400) * (0.5 + Random.Shared.NextDouble()));
                if (cancellationToken.IsCancellationRequested || Stopwatch.GetElapsedTime(start) + pause > patience)
                    throw e as StoreUnavailableException ?? Outage(e);
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What callers of stores get to see of an outage.</summary>
    public static StoreUnavailableException Outage(Exception e)
    {
        Outages.Notice(e);
        return new("PostgreSQL cannot be reached.", e);
    }

    /// <summary>Lost connections, shutdowns (57P), too many connections (53), locks not given in time (55P03), standby or read-only after a fail-over (25006).</summary>
    public static bool IsOutage(Exception e) => e switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "53" || p.SqlState.StartsWith("57P", StringComparison.Ordinal) || p.SqlState is "55P03" or "25006",
        NpgsqlException or TimeoutException or SocketException or IOException or ObjectDisposedException => true,
        _ => false,
    };
}
