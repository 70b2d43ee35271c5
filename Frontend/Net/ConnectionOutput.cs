using System.Buffers;

namespace MailCluster.Net;

/// <summary>
/// Gathers what a session has to say and hands it on as one buffer. Replies of pipelined commands collect here: flush when there is no further input
/// (<see cref="ConnectionInput.ReadLineAsync"/> does so before it waits) or when <see cref="UnflushedBytes"/> passes <see cref="FlushThreshold"/>.
/// One writer at a time.
/// </summary>
public abstract class ConnectionOutput : IBufferWriter<byte>
{
    /// <summary>Bytes after which a session that writes much should flush: large enough for few system calls, small enough for bounded memory.</summary>
    public const int FlushThreshold = 32 * 1024;

    private const int FirstSize = 1024;

    private byte[]? _buffer;
    private int _count;

    // After a full buffer another one follows, which need not grow step by step.
    private int _next = FirstSize;

    /// <summary>Bytes written and not yet flushed.</summary>
    public long UnflushedBytes => _count;

    /// <summary><see cref="UnflushedBytes"/> has reached <see cref="FlushThreshold"/>.</summary>
    public bool ShouldFlush => _count >= FlushThreshold;

    /// <summary>
    /// Hands everything on, and waits while the client reads more slowly than the session writes: memory stays bounded by what is written between two flushes
    /// plus some 64 KB. Throws <see cref="ConnectionClosedException"/> when the connection is gone.
    /// </summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken = default);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, (_buffer?.Length ?? 0) - _count);
        _count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint).AsMemory(_count);

    public Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint).AsSpan(_count);

    /// <summary>Takes the gathered bytes; the array belongs to the caller, who returns it to <see cref="ArrayPool{T}.Shared"/>.</summary>
    private protected ArraySegment<byte> Take()
    {
        _next = ShouldFlush ? 2 * FlushThreshold : FirstSize;
        var taken = _buffer is null ? ArraySegment<byte>.Empty : new ArraySegment<byte>(_buffer, 0, _count);
        _buffer = null;
        _count = 0;
        return taken;
    }

    /// <summary>Drops what is gathered and gives its memory back.</summary>
    internal void Discard()
    {
        if (Take().Array is { Length: > 0 } array)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private byte[] Room(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(sizeHint, 1);
        if (_buffer is null)
        {
            return _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, _next));
        }
        if (_buffer.Length - _count < wanted)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_count + wanted), (int)Math.Min((long)_buffer.Length * 2, Array.MaxLength)));
            _buffer.AsSpan(0, _count).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        return _buffer;
    }
}
