using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
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
}
