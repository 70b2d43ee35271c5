using System.Diagnostics;
using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Bodies;

/// <summary>A body of one chunk with what was computed from it, on its way into PostgreSQL. <see cref="Data"/> is read until <see cref="Stored"/> has ended.</summary>
internal sealed record SmallBody(
    BodyId Id, TenantId Tenant, ReadOnlyMemory<byte> Data, int Crc32C, int Claims, byte[] Content, CancellationToken Cancellation)
{
    private readonly TaskCompletionSource _stored = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the body is stored, or certainly is not going to be.</summary>
    public Task Stored => _stored.Task;

    public long Since { get; } = Stopwatch.GetTimestamp();

    public void Done() => _stored.TrySetResult();

    public void Fail(Exception e) => _stored.TrySetException(e);

    public void Cancel() => _stored.TrySetCanceled(Cancellation);
}

/// <summary>
/// Stores small bodies of many senders by one statement: while it runs, the next ones gather. It lives in the process that has the bytes, and flushes nothing:
/// the commit that refers to a body comes later in PostgreSQL's log, and flushes both.
/// </summary>
internal sealed class StagingLane(NpgsqlDataSource database, TimeSpan patience)
{
    /// <summary>The most octets of a statement, beyond its first body: what it takes to parse them delays the ones behind.</summary>
    private const int MostBytes = 1 << 20;

    private const int MostBodies = 64;

    private readonly Queue<SmallBody> _waiting = [];
    private bool _runs;

    /// <summary>Stores a body; a cancelled one that still waits is not stored.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL was away for all of the patience.</exception>
    public Task StageAsync(SmallBody body)
    {
        lock (_waiting)
        {
            _waiting.Enqueue(body);
            if (_runs)
                return body.Stored;
            _runs = true;
        }
        // Of one sender alone, the statement is sent right here.
        _ = RunAsync();
        return body.Stored;
    }

    private async Task RunAsync()
    {
        while (Gather() is { } batch)
        {
            if (batch.Count == 0)
                continue;
            try
            {
                // A try is made in any case: PostgreSQL may be back.
                TimeSpan left = patience - Stopwatch.GetElapsedTime(batch.Min(static b => b.Since));
                await Store.Persist(_ => ExecuteAsync(batch), left, CancellationToken.None).ConfigureAwait(false);
                foreach (SmallBody body in batch)
                    body.Done();
            }
            catch (Exception e)
            {
                foreach (SmallBody body in batch)
                    body.Fail(e);
            }
        }
    }

    /// <summary>What is stored next; null when nothing waits, and then nobody runs.</summary>
    private List<SmallBody>? Gather()
    {
        lock (_waiting)
        {
            if (_waiting.Count == 0)
            {
                _runs = false;
                return null;
            }
            var batch = new List<SmallBody>(Math.Min(_waiting.Count, MostBodies));
            long bytes = 0;
            while (batch.Count < MostBodies && _waiting.TryPeek(out SmallBody? next) && (batch.Count == 0 || bytes + next.Data.Length <= MostBytes))
            {
                _waiting.Dequeue();
                bytes += next.Data.Length;
                if (next.Cancellation.IsCancellationRequested)
                    next.Cancel();
                else
                    batch.Add(next);
            }
            // In one order, as everywhere: a lane may stage some of them, too.
            batch.Sort(static (a, b) => a.Id.Value.CompareTo(b.Id.Value));
            return batch;
        }
    }

    private async Task<bool> ExecuteAsync(List<SmallBody> batch)
    {
        await using NpgsqlCommand command = database.CreateCommand("select mail.stage_bodies_v2($1, $2, $3, $4, $5, $6, $7)");
        Add(NpgsqlDbType.Bigint, static b => b.Id.Value);
        Add(NpgsqlDbType.Bigint, static b => b.Tenant.Value);
        Add(NpgsqlDbType.Bigint, static b => (long)b.Data.Length);
        Add(NpgsqlDbType.Integer, static b => b.Crc32C);
        Add(NpgsqlDbType.Integer, static b => b.Claims);
        Add(NpgsqlDbType.Bytea, static b => b.Data);
        Add(NpgsqlDbType.Bytea, static b => b.Content);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        return true;

        void Add<T>(NpgsqlDbType type, Func<SmallBody, T> value)
        {
            var values = new T[batch.Count];
            for (int i = 0; i < values.Length; i++)
                values[i] = value(batch[i]);
            command.Parameters.Add(new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = values });
        }
    }
}
