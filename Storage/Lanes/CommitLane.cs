using System.Diagnostics;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// A queue of operations that are committed in batches, one statement a batch, one batch at a time: while one commits, the next gathers.
/// Operations that may touch many rows, or name many keywords, run apart, one for each mailbox, and only that mailbox waits; where others commit meanwhile, the next of them waits as long as this one took.
/// A lane is a thread that waits for PostgreSQL in its socket: nothing else runs there, and an answer need not go through .NET's event thread and a thread of the pool, which are
/// one more to be woken each.
/// </summary>
internal sealed partial class CommitLane : IAsyncDisposable
{
    private const string _waitedTooLong = "The change waited too long for PostgreSQL.";

    private readonly NpgsqlDataSource _source;
    private readonly HeldBodies? _held;
    private readonly LaneOptions _options;
    private readonly ILogger _log;
    private readonly FairQueue _queue = new();
    private readonly RowPlaces _places = new();
    private readonly SemaphoreSlim _bulk;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection? _connection;
    private bool _stops;
    // Guarded by the queue's lock: how many batches were gathered, and until when no large operation begins (Environment.TickCount64).
    private long _batches;
    private long _restsUntil;

    public CommitLane(NpgsqlDataSource source, HeldBodies? held, LaneOptions options, ILogger log)
    {
        (_source, _held, _options, _log) = (source, held, options, log);
        _bulk = new SemaphoreSlim(options.BulkConnections);
        new Thread(Run) { IsBackground = true, Name = "commit lane" }.Start();
    }

    /// <summary>The number of operations that wait.</summary>
    public int QueueLength
    {
        get
        {
            lock (_queue)
                return _queue.Count;
        }
    }

    /// <summary>Those of them that change a mailbox.</summary>
    public int Waiting(MailboxKey mailbox)
    {
        lock (_queue)
            return _queue.Waiting(mailbox);
    }

    /// <exception cref="CommitNotDoneException">The queue is full or the lane has stopped, PostgreSQL can't be reached, or the deadline passed in the queue.</exception>
    /// <exception cref="CommitUnknownException">See there.</exception>
    /// <exception cref="PostgresException">PostgreSQL refused this very operation for a reason that nobody expected.</exception>
    public Task<CommitOutcome> CommitAsync(CommitOperation operation)
    {
        if (_held is not null)
            operation.Inline = operation.Messages.Sum(m => _held.TryGet(m.Body, out HeldBody? body) ? body.Data.Length / body.Claims : 0L);
        operation.Keywords = KeywordNumbers.Of(operation);
        operation.Deadline = Environment.TickCount64 + (long)_options.QueueDeadline.TotalMilliseconds;
        lock (_queue)
        {
            if (_stops || _queue.Bytes + operation.Bytes > _options.QueueBytes)
                throw new CommitNotDoneException(_stops ? "The node is stopping." : "Too many changes wait for PostgreSQL.");
            _queue.Add(operation);
            Monitor.Pulse(_queue);
        }
        return operation.Completion.Task;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_queue)
        {
            if (_stops)
                return;
            _stops = true;
            Monitor.Pulse(_queue);
        }
        await _ended.Task;
        // The large ones that still run hold one each.
        for (int i = 0; i < _options.BulkConnections; i++)
            await _bulk.WaitAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
    }

    private void Run()
    {
        var batch = new List<CommitOperation>();
        while (Gather(batch))
            Commit(batch);
        _ended.SetResult();
    }

    /// <summary>Waits until there is something to commit; false when the lane has stopped and nothing waits.</summary>
    private bool Gather(List<CommitOperation> batch)
    {
        batch.Clear();
        long bytes = 0;
        lock (_queue)
        {
            while (true)
            {
                long now = Environment.TickCount64, rest = _restsUntil - now;
                while (batch.Count < _options.BatchOperations && bytes < _options.BatchBytes && _queue.Take(rest > 0 ? _options.BulkRows : long.MaxValue) is { } operation)
                {
                    if (operation.Deadline < now)
                        operation.Completion.SetException(new CommitNotDoneException(_waitedTooLong));
                    else if (operation.IsLarge(_options.BulkRows))
                    {
                        _queue.SetAside(operation);
                        _ = CommitBulkAsync(operation, _batches);
                    }
                    else
                    {
                        batch.Add(operation);
                        bytes += operation.Inline;
                    }
                }
                if (batch.Count > 0)
                {
                    _batches++;
                    return true;
                }
                if (_stops && _queue.Count == 0)
                    return false;
                // For more, or for the end of a large one that others wait for, or of the rest after it.
                Monitor.Wait(_queue, rest > 0 ? (int)rest : Timeout.Infinite);
            }
        }
    }

    /// <param name="batches">As it was when the operation was set aside.</param>
    private async Task CommitBulkAsync(CommitOperation operation, long batches)
    {
        // What is ahead of it in the lane commits on another connection: order between mailboxes needs no keeping, and of this one nothing else is under way.
        await Task.Yield();
        bool entered = false;
        long began = 0;
        try
        {
            entered = await _bulk.WaitAsync((int)Math.Clamp(operation.Deadline - Environment.TickCount64, 0, int.MaxValue));
            if (!entered)
                throw new CommitNotDoneException(_waitedTooLong);
            began = Environment.TickCount64;
            // A thread of its own: the pool has few, and this may take seconds.
            await Task.Factory.StartNew(
                () =>
                {
                    using NpgsqlConnection connection = Open();
                    if (operation.Keywords.Count > 0 && KeywordNumbers.Give(operation, connection) is { } refused)
                        operation.Completion.TrySetResult(refused);
                    else
                        Execute([operation], connection);
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (Exception e)
        {
            operation.Completion.TrySetException(e);
        }
        finally
        {
            if (entered)
                _bulk.Release();
            lock (_queue)
            {
                _queue.PutBack(operation);
                // The processors, and PostgreSQL's log, are others' for as long; nobody's mailbox waits for that but the next large one's.
                long now = Environment.TickCount64;
                if (entered && _batches > batches)
                    _restsUntil = Math.Max(_restsUntil, now + Math.Min(now - began, (long)_options.BulkRest.TotalMilliseconds));
                Monitor.Pulse(_queue);
            }
        }
    }

    private void Commit(List<CommitOperation> batch)
    {
        try
        {
            _connection ??= Open();
            foreach (IReadOnlyList<CommitOperation> part in AnnotateCommit.Apart(batch))
                Execute(part, _connection);
            if (_connection.FullState != System.Data.ConnectionState.Open)
            {
                _connection.Dispose();
                _connection = null;
            }
        }
        catch (Exception e)
        {
            // Those that have an answer keep it.
            foreach (CommitOperation operation in batch)
                operation.Completion.TrySetException(e);
        }
    }

    private NpgsqlConnection Open()
    {
        try
        {
            return _source.OpenConnection();
        }
        catch (Exception e)
        {
            throw new CommitNotDoneException("PostgreSQL cannot be reached.", e);
        }
    }

    /// <summary>Commits a batch and gives every operation in it its answer.</summary>
    private void Execute(IReadOnlyList<CommitOperation> batch, NpgsqlConnection connection)
    {
        long start = Stopwatch.GetTimestamp();
        bool warned = false;
        void OnNotice(object sender, NpgsqlNoticeEventArgs e) => warned |= e.Notice.InvariantSeverity is "WARNING";
        connection.Notice += OnNotice;
        Exception failure;
        try
        {
            CommitOutcome[] outcomes = StraightBatch.Commit(batch, _held, connection, _places);
#if MUTATIONS
            warned |= MailCluster.Contracts.Mutation.RetryTwice && MailCluster.Contracts.Mutation.OnceIn(20);
#endif
            if (!warned)
            {
                for (int i = 0; i < outcomes.Length; i++)
                {
                    Release(batch[i], outcomes[i]);
                    batch[i].Completion.TrySetResult(outcomes[i]);
                }
                StorageMetrics.Commit(batch.Count, Stopwatch.GetElapsedTime(start));
                return;
            }
            failure = new CommitUnknownException("PostgreSQL gave a warning while it committed.");
        }
        catch (PostgresException e) when (IsKnown(e))
        {
            failure = IsPassing(e) ? new CommitNotDoneException("PostgreSQL takes no changes now.", e) : e;
        }
        catch (Exception e)
        {
            failure = new CommitUnknownException("The commit's outcome is unknown.", e);
        }
        finally
        {
            connection.Notice -= OnNotice;
        }
        if (failure is PostgresException && batch.Count > 1)
        {
            // Somewhere in it is one that PostgreSQL can't take: in halves, until that one is alone.
            if (!CommitBatch.IsOfAnnotations(failure))
                LogHalved(failure, batch.Count);
            int half = batch.Count / 2;
            foreach (IReadOnlyList<CommitOperation> part in (CommitOperation[][])[[.. batch.Take(half)], [.. batch.Skip(half)]])
            {
                if (connection.FullState == System.Data.ConnectionState.Open)
                    Execute(part, connection);
                else
                    Fail(part, new CommitNotDoneException("The connection to PostgreSQL broke.", failure));
            }
            return;
        }
        Fail(batch, failure);
    }

    /// <summary>What is stored need not be held any more. After any other outcome whoever holds it decides.</summary>
    private void Release(CommitOperation operation, CommitOutcome outcome)
    {
        if (_held is null || outcome.Status is not (CommitStatus.Done or CommitStatus.DoneBefore))
            return;
        foreach (NewMessage message in operation.Messages)
            _held.TryRemove(message.Body, out _);
    }

    private void Fail(IReadOnlyList<CommitOperation> batch, Exception failure)
    {
        LogFailed(failure, batch.Count);
        foreach (CommitOperation operation in batch)
            operation.Completion.TrySetException(failure);
    }

    /// <summary>A refusal of the statement itself: it certainly had no effect. Shutdowns (57P) and lost connections (08) leave that open.</summary>
    private static bool IsKnown(PostgresException e) =>
        !e.SqlState.StartsWith("57P", StringComparison.Ordinal) && !e.SqlState.StartsWith("08", StringComparison.Ordinal);

    /// <summary>
    /// Refusals that are not the operations' fault: a full disk or too many connections (53), a standby after a fail-over (25006), deadlocks and locks
    /// (40P01, 40001, 55P03). The callers try again.
    /// </summary>
    private static bool IsPassing(PostgresException e) => Store.IsOutage(e) || e.SqlState is "40P01" or "40001";

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} operations failed as a whole; trying it in halves")]
    private partial void LogHalved(Exception e, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Count} operations failed")]
    private partial void LogFailed(Exception e, int count);
}
