using System.Buffers;
using System.IO.Compression;

namespace MailCluster.Net;

/// <summary>
/// Output that is compressed (RFC 1951) on its way to another. What is flushed together is one piece of the stream, compressed without a look at what went before, and ends on a whole
/// octet: between two flushes a connection has no compressor, whose 256 KB would be all that an idle one costs.
/// </summary>
internal sealed class DeflateOutput(ConnectionOutput below) : ConnectionOutput
{
    public override async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (UnflushedBytes > 0)
        {
            Compress();
        }
        await below.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private void Compress()
    {
        var bytes = Take();
        try
        {
            var target = new Target(below);
            using var deflate = new DeflateStream(target, CompressionLevel.Fastest, leaveOpen: true);
            deflate.Write(bytes);
            deflate.Flush();
            // The end of the stream, which the compressor writes when it goes, is not the end of the connection's.
            target.IsClosed = true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes.Array!);
        }
    }

    private sealed class Target(ConnectionOutput output) : Stream
    {
        public bool IsClosed { get; set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!IsClosed)
            {
                output.Write(buffer);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
