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
    private Block _current = new(0, 0);
    private Task<Block>? _ahead;

    /// <summary>A new id.</summary>
    /// <exception cref="StoreUnavailableException">The block is used up and PostgreSQL can't be reached.</exception>
    public ValueTask<long> NextAsync()
    {
        var block = Volatile.Read(ref _current);
        return block.TryTake(1, out var first) ? ValueTask.FromResult(Taken(block, first, 1)) : RefillAsync(1);
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
            var first = block.TryTake(run, out var taken) ? Taken(block, taken, run) : await RefillAsync(run).ConfigureAwait(false);
            for (var i = 0; i < run; i++)
                ids[done++] = first + i;
        }
        return ids;
    }

    // The next block is fetched when half of this one is gone, so that nobody waits for it.
    private long Taken(Block block, long first, int count)
    {
        var half = block.First + BlockSize / 2;
        if (first <= half && first + count > half)
            Volatile.Write(ref _ahead, FetchAsync());
        return first;
    }

    private async ValueTask<long> RefillAsync(int count)
    {
        await _refill.WaitAsync().ConfigureAwait(false);
        try
        {
            while (true)
            {
                if (_current.TryTake(count, out var first))
                    return Taken(_current, first, count);
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
            return new Block(first, first + BlockSize);
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            throw Store.Outage(e);
        }
    }

    private sealed class Block(long first, long end)
    {
        private long _next = first;

        public long First { get; } = first;

        // A failed take leaves the rest of the block unused: ids are plenty.
        public bool TryTake(int count, out long taken)
        {
            taken = Interlocked.Add(ref _next, count) - count;
            return taken + count <= end;
        }
    }
}
