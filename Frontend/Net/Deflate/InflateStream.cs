using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;

namespace MailCluster.Net;

/// <summary>What a client has compressed (RFC 1951), as it was before. Inflates only as much as is read: what a few octets could become costs nothing until somebody wants it.</summary>
internal sealed class InflateStream : Stream
{
    private readonly Flushed _below;
    private readonly DeflateStream _inflate;

    public InflateStream(PipeReader below)
    {
        _below = new Flushed(below);
        _inflate = new DeflateStream(_below, CompressionMode.Decompress, leaveOpen: true);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>
    /// The client compresses no more: reads what is left of its stream, up to where it was flushed (an empty block, whose last octets are 00 00 FF FF) or ended, and nothing behind that. False
    /// where more than that comes out of it.
    /// </summary>
    /// <exception cref="ConnectionClosedException">As by <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>.</exception>
    public async ValueTask<bool> EndAsync(CancellationToken cancellationToken)
    {
        _below.IsLast = true;
        return await ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) == 0;
    }

    /// <exception cref="ConnectionClosedException">The client sends something else: there is no way to go on.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _inflate.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new ConnectionClosedException("the client sent something that is not compressed", e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask DisposeAsync() => _inflate.DisposeAsync();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronous.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>The compressed octets, no more at once than up to where they were flushed: what comes behind that, which may be another language, stays where it is until it is asked for.</summary>
    private sealed class Flushed(PipeReader input) : Stream
    {
        /// <summary>How an empty block ends that is stored, which a flush writes (RFC 1951 §3.2.4). In other places these octets are a piece's end for no reason, which does no harm.</summary>
        private const uint FlushEnd = 0x0000FFFF;

        private uint _last = uint.MaxValue;

        /// <summary>The stream ends where it was, or will be, flushed.</summary>
        public bool IsLast { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (!IsLast || _last != FlushEnd)
            {
                ReadResult result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
                ReadOnlySequence<byte> available = result.Buffer;
                if (!available.IsEmpty)
                {
                    int count = (int)Math.Min(available.Length, buffer.Length);
                    available.Slice(0, count).CopyTo(buffer.Span);
                    count = Piece(buffer.Span[..count]);
                    input.AdvanceTo(available.GetPosition(count));
                    return count;
                }
                input.AdvanceTo(available.End);
                // A cancelled read is for whoever reads what is inflated, and has its own.
                if (result.IsCompleted)
                    return 0;
            }
            return 0;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronous.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        /// <summary>How many of the octets come next.</summary>
        private int Piece(ReadOnlySpan<byte> octets)
        {
            for (int i = 0; i < octets.Length; i++)
            {
                _last = (_last << 8) | octets[i];
                if (_last == FlushEnd)
                    return i + 1;
            }
            return octets.Length;
        }
    }
}
