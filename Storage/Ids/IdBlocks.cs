using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Ids;

/// <summary>
/// Hands out 64-bit ids, unique in all clusters of a directory: each block of 4,096 is one value of the sequence directory.id_block.
/// Ids of one instance mostly rise, with gaps: rely on no order. What a stopped node has left of its block is never used. Safe for many threads.
/// </summary>
public sealed class IdBlocks(NpgsqlDataSource source)
{
    /// <summary>Ids in a block; the increment of directory.id_block.</summary>
    public const int BlockSize = 4096;

    private readonly SemaphoreSlim _refill = new(1, 1);
    private Block _current = new(0, 0, null);
    private Task<Block>? _ahead;
    private bool _forBodies;

    /// <summary>
    /// Ids for bodies: those of a block come by the part of their tables. The bodies of one commit, which came at one time, are then in one part instead of in most of the sixteen, each of which costs the
    /// commit three tables and their indexes more: a sixth of what a batch of 16 appends costs PostgreSQL.
    /// </summary>
    public static IdBlocks ForBodies(NpgsqlDataSource source) => new(source) { _forBodies = true };

    /// <summary>A new id.</summary>
    /// <exception cref="StoreUnavailableException">The block is used up and PostgreSQL can't be reached.</exception>
    public ValueTask<long> NextAsync()
    {
        var block = Volatile.Read(ref _current);
        return block.TryTake(1, out var first) ? ValueTask.FromResult(block.At(Taken(block, first, 1))) : RefillOneAsync();
    }

    /// <summary>Several new ids.</summary>
    /// <exception cref="StoreUnavailableException">As above.</exception>
    public async ValueTask<long[]> NextAsync(int count)
    {
        var ids = new long[count];
        for (var done = 0; done < count;)
        {
            // At most a quarter of a block at once, so that little is lost where a block ends.
            var run = Math.Min(count - done, BlockSize / 4);
            var block = Volatile.Read(ref _current);
            if (block.TryTake(run, out var first))
                Taken(block, first, run);
            else
                (block, first) = await RefillAsync(run).ConfigureAwait(false);
            for (var i = 0; i < run; i++)
                ids[done++] = block.At(first + i);
        }
        return ids;
    }

    private async ValueTask<long> RefillOneAsync()
    {
        var (block, first) = await RefillAsync(1).ConfigureAwait(false);
        return block.At(first);
    }

    // The next block is fetched when half of this one is gone, so that nobody waits for it.
    private long Taken(Block block, long first, int count)
    {
        var half = block.First + BlockSize / 2;
        if (first <= half && first + count > half)
            Volatile.Write(ref _ahead, FetchAsync());
        return first;
    }

    private async ValueTask<(Block Block, long First)> RefillAsync(int count)
    {
        await _refill.WaitAsync().ConfigureAwait(false);
        try
        {
            while (true)
            {
                var block = _current;
                if (block.TryTake(count, out var first))
                    return (block, Taken(block, first, count));
                var ahead = Interlocked.Exchange(ref _ahead, null);
                Block next;
                try
                {
                    next = await (ahead ?? FetchAsync()).ConfigureAwait(false);
                }
                catch (StoreUnavailableException) when (ahead is not null)
                {
                    // That was some time ago: PostgreSQL may be back.
                    next = await FetchAsync().ConfigureAwait(false);
                }
                Volatile.Write(ref _current, next);
            }
        }
        finally
        {
            _refill.Release();
        }
    }

    private async Task<Block> FetchAsync()
    {
        try
        {
            await using var command = source.CreateCommand("select nextval('directory.id_block')");
            var first = (long)(await command.ExecuteScalarAsync().ConfigureAwait(false))!;
            return new Block(first, first + BlockSize, _forBodies ? ByPart(first) : null);
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            throw Store.Outage(e);
        }
    }

    // Nodes that started together do not all begin with the same part.
    private static long[] ByPart(long first)
    {
        long[] ids = [.. Enumerable.Range(0, BlockSize).Select(i => first + i)];
        Array.Sort(Array.ConvertAll(ids, id => (BodyPartitions.Of(id) + first / BlockSize) % BodyPartitions.Count), ids);
        return ids;
    }

    private sealed class Block(long first, long end, long[]? order)
    {
        private long _next = first;

        public long First { get; } = first;

        /// <summary>The id that stands there.</summary>
        public long At(long place) => order is null ? place : order[place - First];

        // A failed take leaves the rest of the block unused: ids are plenty.
        public bool TryTake(int count, out long taken)
        {
            taken = Interlocked.Add(ref _next, count) - count;
            return taken + count <= end;
        }
    }
}
