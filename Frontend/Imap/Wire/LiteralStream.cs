using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;

namespace MailCluster.Imap.Wire;

/// <summary>
/// The octets of one literal as they arrive, never more in memory than the pipe holds. Read it asynchronously; the end of the connection inside
/// the literal is an <see cref="EndOfStreamException"/>, so that half a message never looks whole; an interrupted wait an
/// <see cref="OperationCanceledException"/>, after which reading may go on.
/// </summary>
public sealed class LiteralStream : Stream
{
    ICommandSource? _source;
    bool _inHeader = true;
    bool _lineIsEmpty = true;
    long _endedAt;

    internal LiteralStream(ICommandSource source, long size)
    {
        _source = source;
        Size = size;
        Remaining = size;
    }

    /// <summary>Octets announced.</summary>
    public long Size { get; }

    /// <summary>Octets not read yet.</summary>
    public long Remaining { get; private set; }

    /// <summary>How long ago the last octet was read; zero before.</summary>
    public TimeSpan SinceEnd => _endedAt == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_endedAt);

    /// <summary>A NUL was among the octets read so far: BAD for a plain literal (RFC 9051 §4.3).</summary>
    public bool SawNul { get; private set; }

    /// <summary>An octet above 127 was read before the first empty line: a header that only RFC 6532 allows.</summary>
    public bool SawEightBitHeader { get; private set; }

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
        var source = _source ?? throw new ObjectDisposedException(nameof(LiteralStream));
        var input = source.Input;
        ReadResult result;
        while (true)
        {
            if (!input.TryRead(out result))
            {
                await source.BeforeWaitAsync(cancellationToken);
                result = await input.ReadAsync(cancellationToken);
            }
            if (!result.IsCanceled)
            {
                break;
            }
            input.AdvanceTo(result.Buffer.Start);
            if (source.IsInterrupted)
            {
                throw new OperationCanceledException("The wait for a literal was interrupted");
            }
        }
        var bytes = result.Buffer;
        if (bytes.IsEmpty)
        {
            input.AdvanceTo(bytes.End);
            throw new EndOfStreamException("The connection ended inside a literal");
        }
        var count = (int)Math.Min(Math.Min(bytes.Length, Remaining), buffer.Length);
        bytes.Slice(0, count).CopyTo(buffer.Span);
        input.AdvanceTo(bytes.GetPosition(count));
        Remaining -= count;
        if (Remaining == 0)
            _endedAt = Stopwatch.GetTimestamp();
        SawNul = SawNul || buffer.Span[..count].Contains((byte)0);
        LookAtHeader(buffer.Span[..count]);
        return count;
    }

    private void LookAtHeader(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length && _inHeader; i++)
        {
            SawEightBitHeader |= bytes[i] > 127;
            if (bytes[i] == '\n')
            {
                _inHeader = !_lineIsEmpty;
                _lineIsEmpty = true;
            }
            else if (bytes[i] != '\r')
            {
                _lineIsEmpty = false;
            }
        }
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
    internal void Detach() => _source = null;
}
