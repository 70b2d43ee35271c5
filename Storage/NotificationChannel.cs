using System.Runtime.CompilerServices;
using Npgsql;

namespace MailCluster.Storage;

/// <summary>What is told to a channel of PostgreSQL's NOTIFY, without end, through losses of the connection.</summary>
internal sealed class NotificationChannel(NpgsqlDataSource database, string name)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(5);

    /// <summary>The payloads from now on; null first, and after each loss of the connection: what was told before that may have been missed. Holds one connection.</summary>
    public async IAsyncEnumerable<string?> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        var arrived = new Queue<string>();
        while (true)
        {
            NpgsqlConnection? connection = null;
            try
            {
                connection = await ListenAsync(arrived, cancellationToken).ConfigureAwait(false);
                if (connection is not null)
                {
                    pause = FirstPause;
                    yield return null;
                }
                while (connection is not null && await WaitAsync(connection, arrived, cancellationToken).ConfigureAwait(false))
                {
                    while (arrived.TryDequeue(out var payload))
                        yield return payload;
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

    /// <summary>Tells a channel; part of the connection's transaction where it has one. At most 7,999 octets.</summary>
    public static async Task NotifyAsync(NpgsqlConnection connection, string channel, string payload)
    {
        await using var command = new NpgsqlCommand("select pg_notify($1, $2)", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = channel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = payload });
        await command.ExecuteNonQueryAsync();
    }

    private async Task<NpgsqlConnection?> ListenAsync(Queue<string> arrived, CancellationToken cancellationToken)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            connection.Notification += (_, e) => arrived.Enqueue(e.Payload);
            await using var listen = new NpgsqlCommand("listen " + name, connection);
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

    private static async Task<bool> WaitAsync(NpgsqlConnection connection, Queue<string> arrived, CancellationToken cancellationToken)
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
}
