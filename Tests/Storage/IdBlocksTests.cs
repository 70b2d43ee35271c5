using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage;

public sealed class IdBlocksTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Many_threads_and_nodes_never_get_the_same_id()
    {
        await using var database = await postgres.CreateDataSourceAsync();
        IdBlocks[] nodes = [new(database), new(database)];
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var taken = new List<long>();
            for (var i = 0; i < 2_000; i++)
            {
                taken.Add(await nodes[worker % 2].NextAsync());
                taken.AddRange(await nodes[worker % 2].NextAsync(i % 7));
            }
            return taken;
        })));
        var all = ids.SelectMany(i => i).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.All(all, id => Assert.True(id >= IdBlocks.BlockSize));
    }

    [Fact]
    public async Task More_than_a_block_at_once()
    {
        await using var database = await postgres.CreateDataSourceAsync();
        var ids = await new IdBlocks(database).NextAsync(10_000);
        Assert.Equal(10_000, ids.Distinct().Count());
    }

    [Fact]
    public async Task One_by_one_no_id_is_lost()
    {
        await using var database = await postgres.CreateDataSourceAsync();
        var blocks = new IdBlocks(database);
        for (long expected = 4096; expected < 3 * 4096; expected++)
            Assert.Equal(expected, await blocks.NextAsync());
    }

    /// <summary>Each id of a block comes once, and those of one part of mail.body one after the other: PostgreSQL itself says which part that is.</summary>
    [Fact]
    public async Task Ids_for_bodies_come_by_the_part_of_their_table()
    {
        await using var database = await postgres.CreateDataSourceAsync();
        var blocks = IdBlocks.ForBodies(database);
        var ids = new List<long>();
        for (var i = 0; i < 96; i++)
            ids.Add(await blocks.NextAsync());
        while (ids.Count < IdBlocks.BlockSize)
            ids.AddRange(await blocks.NextAsync(100));
        Assert.Equal(Enumerable.Range(IdBlocks.BlockSize, IdBlocks.BlockSize).Select(static i => (long)i), ids.Order());
        await using var command = database.CreateCommand(
            "select p from unnest($1) with ordinality as x(id, i) cross join lateral (select p from generate_series(0, 15) p where satisfies_hash_partition('mail.body'::regclass, 16, p, x.id)) p order by i");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. ids] });
        await using var reader = await command.ExecuteReaderAsync();
        var parts = new List<int>();
        while (await reader.ReadAsync())
            parts.Add(reader.GetInt32(0));
        Assert.Equal(IdBlocks.BlockSize, parts.Count);
        Assert.Equal(16, parts.Distinct().Count());
        Assert.Equal(15, parts.Zip(parts.Skip(1)).Count(static p => p.First != p.Second));
    }
}
