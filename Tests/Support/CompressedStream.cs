using System.IO.Compression;

namespace MailCluster.Tests.Support;

/// <summary>A client's side of COMPRESS=DEFLATE: what is flushed can be read at once on the other side.</summary>
public sealed class CompressedStream(Stream below) : Stream
{
    private readonly DeflateStream _inflate = new(below, CompressionMode.Decompress, leaveOpen: true);
    private readonly DeflateStream _deflate = new(below, CompressionLevel.Optimal, leaveOpen: true);

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
        await below.FlushAsync(cancellationToken);
    }

    public override ValueTask DisposeAsync() => below.DisposeAsync();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
