using System.Buffers;
using System.IO.Pipelines;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Bodies;

[CollectionDefinition(nameof(BodyMemoryTests), DisableParallelization = true)]
[Collection(nameof(BodyMemoryTests))]
public sealed class BodyMemoryTests(PostgresFixture postgres)
{
    private const long Size = 100_000_000;
    private const long Bound = 40_000_000;

    [Fact]
    public async Task A_message_of_100_MB_costs_neither_side_its_size()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync() + ";Maximum Pool Size=1;Max Auto Prepare=20;Auto Prepare Min Usages=2");
        var store = new MessageBodies(database, new IdBlocks(database));
        await using (var warm = database.CreateCommand("select 1"))
            await warm.ExecuteScalarAsync();
        var pid = (int)(await database.CreateCommand("select pg_backend_pid()").ExecuteScalarAsync())!;

        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var staged = await store.StageAsync(new(1), PipeReader.Create(new Endless(Size), new StreamPipeReaderOptions(bufferSize: 65_536)), 1, Size, Size, default);
        Assert.Equal(Size, staged.Value!.Size);
        var staging = GC.GetTotalAllocatedBytes(precise: true) - allocated;

        allocated = GC.GetTotalAllocatedBytes(precise: true);
        long read = 0;
        await foreach (var piece in store.ReadAsync(staged.Value.Body, Size, 0, Size, default))
            read += piece.Length;
        Assert.Equal(Size, read);
        var reading = GC.GetTotalAllocatedBytes(precise: true) - allocated;

        // Everything that was ever allocated, collected or not: more than was ever held.
        Assert.True(staging < Bound && reading < Bound, $"staging allocated {staging} octets, reading {reading}");
        var backend = File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        Assert.True(long.Parse(backend.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) * 1024 < Bound, backend);
        TestContext.Current.SendDiagnosticMessage($"staging {staging}, reading {reading}, {backend}");
    }

    /// <summary>A message with one base64 part, made while it is read.</summary>
    private sealed class Endless(long size) : Stream
    {
        private static readonly byte[] Head = "Subject: large\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"u8.ToArray();
        private long _at;

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, size - _at);
            for (var i = 0; i < count; i++, _at++)
                buffer[i] = _at < Head.Length ? Head[_at] : (_at % 78) switch { 76 => (byte)'\r', 77 => (byte)'\n', var n => (byte)('A' + (n + _at) % 26) };
            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
