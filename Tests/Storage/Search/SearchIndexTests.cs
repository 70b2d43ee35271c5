using MailCluster.Contracts;
using MailCluster.Storage.Maintenance;
using MailCluster.Storage.Search;
using MailCluster.Tests.Storage.Bodies;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Storage.Search;

public sealed class SearchIndexTests(PostgresFixture postgres) : BodyTest(postgres)
{
    private SearchIndex Index => new(Database);

    [Theory]
    [InlineData(16)]
    [InlineData(4096)]
    [InlineData(SearchGroup.Positions)]
    public async Task The_slices_that_are_asked_for_are_read(int count)
    {
        var slices = new byte[count * SearchGroup.SliceBytes];
        new Random(1).NextBytes(slices);
        await Index.AddAsync(Account, Emails(5, 3), slices, default);
        int[] positions = [0, 1, 15, 16, 4711, 40_000, SearchGroup.Positions - 1];
        SearchGroup group = Assert.Single(await ReadAsync(Account, positions));
        Assert.Equal([5, 6, 7], group.Emails);
        for (int i = 0; i < positions.Length; i++)
        {
            long at = (long)positions[i] * count / SearchGroup.Positions * SearchGroup.SliceBytes;
            Assert.Equal(slices.AsSpan((int)at, SearchGroup.SliceBytes), group.Slices.AsSpan(i * SearchGroup.SliceBytes, SearchGroup.SliceBytes));
        }
        Assert.Empty(await ReadAsync(new AccountId(Account.Value + 1), positions));
    }

    [Fact]
    public async Task Two_nodes_that_index_the_same_keep_one_group()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Index.AddAsync(Account, Emails(1, 400 + n), new byte[1024], default).AsTask()));
        Assert.Single(await ReadAsync(Account, [1]));
    }

    [Fact]
    public async Task Many_groups_come_in_order_and_those_of_other_formats_do_not()
    {
        await ExecuteAsync($"""
            insert into mail.search_group select {Account.Value}, i, {SearchGroup.Format}, array[i, i + 1], decode(repeat('ff', 1024), 'hex') from generate_series(1, 999, 2) i
            """);
        await ExecuteAsync($"insert into mail.search_group select {Account.Value}, 5000, {SearchGroup.Format + 1}, array[5000], decode(repeat('ff', 1024), 'hex')");
        IReadOnlyList<SearchGroup> groups = await ReadAsync(Account, [3]);
        Assert.Equal(Enumerable.Range(0, 500).Select(static i => (2L * i) + 1), groups.Select(static g => g.Emails[0]));
        Assert.All(groups, static g => Assert.Equal(Enumerable.Repeat((byte)0xFF, SearchGroup.SliceBytes), g.Slices));
    }

    [Fact]
    public async Task Groups_that_are_old_or_half_gone_are_swept()
    {
        await Index.AddAsync(Account, Emails(1, 4), new byte[1024], default);
        await Index.AddAsync(Account, Emails(11, 4), new byte[1024], default);
        await ExecuteAsync($"insert into mail.search_group select {Account.Value}, 21, {SearchGroup.Format - 1}, array[1], ''");
        await ExecuteAsync($"insert into mail.search_group select {Account.Value}, 22, {SearchGroup.Format + 1}, array[1], ''");
        foreach (int id in new[] { 1, 2, 11 })
        {
            await ExecuteAsync($"""
                insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix) values ({Account.Value}, {id}, {id}, 1, 1, now(), 0, '')
                """);
        }
        var collector = new Collector(Database, new CollectorOptions(), NullLogger<Collector>.Instance);
        Assert.Equal(2, await collector.SweepSearchAsync(default));
        Assert.Equal(1, Assert.Single(await ReadAsync(Account, [0])).Emails[0]);
        Assert.Equal(1, await ScalarAsync<long>($"select count(*) from mail.search_group where format > {SearchGroup.Format}"));
        Assert.Equal(0, await collector.SweepSearchAsync(default));
    }

    private async Task<IReadOnlyList<SearchGroup>> ReadAsync(AccountId account, int[] positions)
    {
        var groups = new List<SearchGroup>();
        await foreach (SearchGroup group in Index.ReadAsync(account, positions, default))
            groups.Add(group);
        return groups;
    }

    private static EmailId[] Emails(int first, int count) => [.. Enumerable.Range(first, count).Select(static i => new EmailId(i))];
}
