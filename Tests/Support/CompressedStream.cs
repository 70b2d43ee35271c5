using System.IO.Compression;

namespace MailCluster.Tests.Support;

/// <summary>A client's side of COMPRESS=DEFLATE: what is flushed can be read at once on the other side.</summary>
public sealed class CompressedStream : Stream
{
    private readonly Stream _below;
    private readonly Octets _octets;
    private readonly DeflateStream _inflate;
    private readonly DeflateStream _deflate;

    public CompressedStream(Stream below)
    {
        _below = below;
        _octets = new Octets(below);
        _inflate = new DeflateStream(_octets, CompressionMode.Decompress, leaveOpen: true);
        _deflate = new DeflateStream(below, CompressionLevel.Optimal, leaveOpen: true);
    }

    /// <summary>The server compresses no more: reads what is left of what it has, and gives back what has come behind that.</summary>
    public async Task<ReadOnlyMemory<byte>> EndAsync()
    {
        byte[] octet = new byte[1];
        while (_octets.Last != 0x0000FFFF)
            await _octets.ReadExactlyAsync(octet);
        return _octets.Rest;
    }

    public Stream Below => _below;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _inflate.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _deflate.WriteAsync(buffer, cancellationToken);

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _deflate.FlushAsync(cancellationToken);
        await _below.FlushAsync(cancellationToken);
    }

    public override ValueTask DisposeAsync() => _below.DisposeAsync();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>No more at once than up to a flush, so that nothing of what comes behind it is inflated.</summary>
    private sealed class Octets(Stream below) : Stream
    {
        private readonly byte[] _buffer = new byte[8192];
        private int _at;
        private int _end;

        /// <summary>What has been read from below already.</summary>
        public ReadOnlyMemory<byte> Rest => _buffer.AsMemory(_at.._end);

        /// <summary>The last four.</summary>
        public uint Last { get; private set; } = uint.MaxValue;

        public override bool CanRead => true;

        public override bool CanWrite => false;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at == _end)
                (_at, _end) = (0, await below.ReadAsync(_buffer, cancellationToken));
            int count = 0;
            while (_at < _end && count < buffer.Length)
            {
                buffer.Span[count++] = _buffer[_at];
                Last = (Last << 8) | _buffer[_at++];
                if (Last == 0x0000FFFF)
                    break;
            }
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
