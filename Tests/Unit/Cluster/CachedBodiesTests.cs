using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>What a front end keeps of messages that were read: right, bounded, read once.</summary>
public sealed class CachedBodiesTests
{
    private const int Megabyte = 1024 * 1024;
    private static readonly AccountId Account = new(1);

    private readonly FakeBodies _store = new() { PieceSize = 100_000 };

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(10, 0, 10)]
    [InlineData(CachedBodies.PieceSize, 0, CachedBodies.PieceSize)]
    [InlineData(Megabyte, 0, Megabyte)]
    [InlineData(Megabyte, CachedBodies.PieceSize - 1, 2)]
    [InlineData(Megabyte, 300_000, 400_000)]
    [InlineData(Megabyte - 1, Megabyte - 2, 1)]
    public async Task A_range_is_what_the_store_has_and_is_read_once(int size, int offset, int count)
    {
        var cache = new CachedBodies(_store, 16 * Megabyte);
        (BodyId id, byte[] body) = Add(size);
        byte[] first = await ReadAsync(cache, id, size, offset, count);
        int asked = _store.Asked.Reads;
        Assert.Equal(body[offset..(offset + count)], first);
        Assert.Equal(body[offset..(offset + count)], await ReadAsync(cache, id, size, offset, count));
        Assert.Equal(asked, _store.Asked.Reads);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadAsync(cache, id, size, size, 1));
    }

    [Fact]
    public async Task Small_bodies_and_emails_are_asked_for_once_and_only_those_that_are_missing()
    {
        var cache = new CachedBodies(_store, 16 * Megabyte);
        (BodyId one, byte[] first) = Add(2000);
        (BodyId two, byte[] second) = Add(300_000);
        Assert.Equal([first, null, null], await cache.GetBodiesAsync([one, new(77), two], 32_768, default));
        Assert.Equal([first, first], await cache.GetBodiesAsync([one, one], 32_768, default));
        Assert.Equal(1, _store.Asked.Bodies);
        Assert.Null((await cache.GetBodiesAsync([one], 1999, default))[0]);
        // Read by range, as the first piece of a body that is larger than a piece: it is no small body.
        Assert.Equal(second, await ReadAsync(cache, two, second.Length, 0, second.Length));
        Assert.Null((await cache.GetBodiesAsync([two], 32_768, default))[0]);

        EmailId[] emails = [new(one.Value), new(77), new(two.Value)];
        Assert.Equal([one, null, two], (await cache.GetEmailsAsync(Account, emails, withContent: true, default)).Select(static e => e?.Body));
        Assert.NotNull((await cache.GetEmailsAsync(Account, [emails[2], emails[0]], withContent: true, default))[1]!.Content);
        Assert.Equal(1, _store.Asked.Emails);
        // Another account has nothing of it.
        await cache.GetEmailsAsync(new AccountId(2), [emails[0]], withContent: true, default);
        Assert.Equal(2, _store.Asked.Emails);
    }

    [Fact]
    public async Task What_is_to_make_no_room_is_kept_only_where_there_is_room()
    {
        var cache = new CachedBodies(_store, 20_000);
        (BodyId one, _) = Add(8000);
        (BodyId two, _) = Add(8000);
        (BodyId three, byte[] third) = Add(8000);
        await cache.GetBodiesAsync([one, two], 32_768, makeRoom: false, default);
        Assert.Equal([third], await cache.GetBodiesAsync([three], 32_768, makeRoom: false, default));
        Assert.Equal(2, _store.Asked.Bodies);
        await cache.GetBodiesAsync([one, two], 32_768, default);
        Assert.Equal(2, _store.Asked.Bodies);
        await cache.GetBodiesAsync([three], 32_768, default);
        Assert.Equal(3, _store.Asked.Bodies);
        // Which has made room now.
        await cache.GetBodiesAsync([one], 32_768, default);
        Assert.Equal(4, _store.Asked.Bodies);
        Assert.True(cache.IsWorthKeeping(10_000));
        Assert.False(cache.IsWorthKeeping(10_001));
    }

    [Fact]
    public async Task It_never_grows_past_its_capacity_and_what_was_not_used_for_longest_goes()
    {
        var cache = new CachedBodies(_store, Megabyte);
        var random = new Random(4);
        (BodyId Id, byte[] Body)[] all = [.. Enumerable.Range(0, 60).Select(_ => Add(random.Next(120_000)))];
        for (int round = 0; round < 500; round++)
        {
            (BodyId id, byte[] body) = all[random.Next(all.Length)];
            int offset = random.Next(body.Length + 1), count = random.Next(body.Length - offset + 1);
            Assert.Equal(body[offset..(offset + count)], await ReadAsync(cache, id, body.Length, offset, count));
            await cache.GetEmailsAsync(Account, [new(id.Value)], withContent: random.Next(2) == 0, default);
            Assert.InRange(cache.Octets, 1, Megabyte);
        }
        Assert.InRange(cache.Octets, Megabyte / 2, Megabyte);

        (BodyId often, _) = Add(100_000);
        await ReadAsync(cache, often, 100_000, 0, 100_000);
        for (int i = 0; i < 30; i++)
        {
            await ReadAsync(cache, Add(100_000).Id, 100_000, 0, 100_000);
            int asked = _store.Asked.Reads;
            await ReadAsync(cache, often, 100_000, 0, 100_000);
            Assert.Equal(asked, _store.Asked.Reads);
        }
    }

    [Fact]
    public async Task A_body_of_more_than_an_eighth_leaves_the_others_alone()
    {
        var cache = new CachedBodies(_store, 8 * 100_000);
        foreach ((int size, bool kept) in new[] { (100_000, true), (100_001, false) })
        {
            (BodyId id, byte[] body) = Add(size);
            await ReadAsync(cache, id, size, 0, size);
            int asked = _store.Asked.Reads;
            Assert.Equal(body, await ReadAsync(cache, id, size, 0, size));
            Assert.Equal(kept ? 0 : 1, _store.Asked.Reads - asked);
        }
    }

    [Fact]
    public async Task With_no_capacity_nothing_is_kept()
    {
        var cache = new CachedBodies(_store, 0);
        (BodyId id, byte[] body) = Add(3000);
        for (int i = 1; i <= 2; i++)
        {
            Assert.Equal(body, await ReadAsync(cache, id, 3000, 0, 3000));
            Assert.Equal(body, (await cache.GetBodiesAsync([id], 32_768, default))[0]);
            Assert.Equal(id, (await cache.GetEmailsAsync(Account, [new(id.Value)], false, default))[0]!.Body);
            Assert.Equal((i, i, i), _store.Asked);
        }
        Assert.Equal(0, cache.Octets);
    }

    [Fact]
    public async Task Readers_of_the_same_at_the_same_time_are_one_reader_whoever_leaves()
    {
        var cache = new CachedBodies(_store, 16 * Megabyte);
        (BodyId id, byte[] body) = Add(50_000);
        var gate = new TaskCompletionSource();
        _store.BeforePiece = _ => gate.Task;
        using var leaves = new CancellationTokenSource();
        Task<byte[]> first = ReadAsync(cache, id, body.Length, 0, body.Length, leaves.Token);
        Task<byte[]>[] others = [.. Enumerable.Range(0, 10).Select(_ => ReadAsync(cache, id, body.Length, 10, 20))];
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        foreach (byte[] read in await Task.WhenAll(others))
            Assert.Equal(body[10..30], read);
        Assert.Equal(1, _store.Asked.Reads);
    }

    [Fact]
    public async Task A_failure_is_everyones_who_waited_and_nobodys_later()
    {
        var cache = new CachedBodies(_store, 16 * Megabyte);
        (BodyId id, byte[] body) = Add(50_000);
        var gate = new TaskCompletionSource();
        _store.BeforePiece = _ => gate.Task;
        Task<byte[]>[] readers = [.. Enumerable.Range(0, 3).Select(_ => ReadAsync(cache, id, body.Length, 0, body.Length))];
        gate.SetException(new StoreUnavailableException("away"));
        foreach (Task<byte[]> reader in readers)
            await Assert.ThrowsAsync<StoreUnavailableException>(() => reader);
        _store.BeforePiece = null;
        Assert.Equal(body, await ReadAsync(cache, id, body.Length, 0, body.Length));
    }

    [Fact]
    public async Task Octets_stay_as_they_are_while_somebody_reads_them_whatever_makes_room()
    {
        var cache = new CachedBodies(_store, Megabyte);
        (BodyId Id, byte[] Body)[] all = [.. Enumerable.Range(0, 40).Select(i => Add(100_000 + i))];
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellation) =>
        {
            (BodyId id, byte[] body) = all[i * 7 % all.Length];
            await foreach (ReadOnlyMemory<byte> piece in cache.ReadAsync(id, body.Length, 0, body.Length, cancellation))
            {
                // Much is read and makes room meanwhile.
                for (int other = 0; other < 12; other++)
                {
                    (BodyId next, byte[] expected) = all[(i + other) % all.Length];
                    await ReadAsync(cache, next, expected.Length, 0, expected.Length, cancellation);
                }
                Assert.True(piece.Span.SequenceEqual(body));
            }
        });
        Assert.InRange(cache.Octets, 1, Megabyte);
    }

    private (BodyId Id, byte[] Body) Add(int size)
    {
        byte[] body = new byte[size];
        new Random(size).NextBytes(body);
        return (_store.Add(body), body);
    }

    private static async Task<byte[]> ReadAsync(CachedBodies cache, BodyId id, long size, long offset, long count, CancellationToken cancellation = default)
    {
        var bytes = new MemoryStream();
        await foreach (ReadOnlyMemory<byte> piece in cache.ReadAsync(id, size, offset, count, cancellation))
            bytes.Write(piece.Span);
        return bytes.ToArray();
    }
}
