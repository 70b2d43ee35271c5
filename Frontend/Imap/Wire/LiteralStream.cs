using System.Buffers;
using System.IO.Pipelines;

namespace MailCluster.Imap.Wire;

/// <summary>
/// The octets of one literal as they arrive, never more in memory than the pipe holds. Read it asynchronously; the end of the connection inside
/// the literal is an <see cref="EndOfStreamException"/>, so that half a message never looks whole.
/// </summary>
public sealed class LiteralStream : Stream
{
    PipeReader? _input;

    internal LiteralStream(PipeReader input, long size)
    {
        _input = input;
        Size = size;
        Remaining = size;
    }

    /// <summary>Octets announced.</summary>
    public long Size { get; }

    /// <summary>Octets not read yet.</summary>
    public long Remaining { get; private set; }

    /// <summary>A NUL was among the octets read so far: BAD for a plain literal (RFC 9051 §4.3).</summary>
    public bool SawNul { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => Size;

    public override long Position
    {
        get => Size - Remaining;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Remaining == 0 || buffer.IsEmpty)
        {
            return 0;
        }
        var input = _input ?? throw new ObjectDisposedException(nameof(LiteralStream));
        var result = await input.ReadAsync(cancellationToken);
        var bytes = result.Buffer;
        if (result.IsCanceled)
        {
            input.AdvanceTo(bytes.Start);
            throw new OperationCanceledException();
        }
        if (bytes.IsEmpty)
        {
            input.AdvanceTo(bytes.End);
            throw new EndOfStreamException("The connection ended inside a literal");
        }
        var count = (int)Math.Min(Math.Min(bytes.Length, Remaining), buffer.Length);
        bytes.Slice(0, count).CopyTo(buffer.Span);
        input.AdvanceTo(bytes.GetPosition(count));
        Remaining -= count;
        SawNul = SawNul || buffer.Span[..count].Contains((byte)0);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read a literal asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>From now on the reader reads the connection again.</summary>
    internal void Detach() => _input = null;
}
