using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MailCluster.Storage.Lanes;

/// <summary>How a silo's changes reach PostgreSQL.</summary>
public sealed class LaneOptions
{
    /// <summary>
    /// Lanes of a silo, each with one connection. Default: one for two of its cores, at most 4. Fewer lanes make larger batches, which cost PostgreSQL less: an append of
    /// 32 clients on two cores with 4, 2 and 1 lanes took it 0.60, 0.36 and 0.24 ms of processor time.
    /// </summary>
    public int Lanes { get; set; } = Math.Clamp(Environment.ProcessorCount / 2, 1, 4);

    /// <summary>The most operations in a batch. Default 256: more gains no throughput and holds locks longer.</summary>
    public int BatchOperations { get; set; } = 256;

    /// <summary>The most octets of bodies in a batch, beyond its first operation. Default 1 MiB: what it takes to send them delays all of it.</summary>
    public long BatchBytes { get; set; } = 1 << 20;

    /// <summary>An operation that may touch more rows than this runs apart. Default 500: 100,000 flags take some 370 ms in one statement.</summary>
    public int BulkRows { get; set; } = MailboxLimits.LengthyChange;

    /// <summary>How many of those run at a time beside each lane. Default 2: the rest of PostgreSQL's time is for everybody else.</summary>
    public int BulkConnections { get; set; } = 2;

    /// <summary>How long at most the lane begins no further one after it, where others committed meanwhile; else as long as it took. Default 100 ms: a part of a large change takes less.</summary>
    public TimeSpan BulkRest { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most octets that wait in a lane. Default 64 MiB; what comes on top is refused at once.</summary>
    public long QueueBytes { get; set; } = 64 << 20;

    /// <summary>How long an operation may wait before it is refused, as certainly not done. Default 10 s: shorter than what a command waits.</summary>
    public TimeSpan QueueDeadline { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>The lanes of a silo: an account's operations always take the same one.</summary>
public sealed class CommitLanes : IAsyncDisposable
{
    private readonly CommitLane[] _lanes;

    /// <param name="held">Bodies that the doors of this process hold for its commits; null where there are no doors.</param>
    public CommitLanes(MailDatabase database, IOptions<LaneOptions> options, ILogger<CommitLanes> log, HeldBodies? held = null)
    {
        _lanes = [.. Enumerable.Range(0, options.Value.Lanes).Select(_ => new CommitLane(database.Lanes, held, options.Value, log))];
        StorageMetrics.ObserveQueue(() => _lanes.Sum(static l => l.QueueLength));
    }

    /// <summary>Commits an operation together with what else is waiting. Exceptions: see <see cref="CommitNotDoneException"/> and <see cref="CommitUnknownException"/>.</summary>
    public Task<CommitOutcome> CommitAsync(CommitOperation operation) => _lanes[Lane(operation.Mailbox.Account)].CommitAsync(operation);

    /// <summary>Operations that wait to change a mailbox and are in no batch yet.</summary>
    public int Waiting(MailboxKey mailbox) => _lanes[Lane(mailbox.Account)].Waiting(mailbox);

    public async ValueTask DisposeAsync()
    {
        foreach (CommitLane lane in _lanes)
            await lane.DisposeAsync();
    }

    // Ids are consecutive: neighbours take different lanes.
    private int Lane(AccountId account) => (int)((ulong)account.Value % (ulong)_lanes.Length);
}
