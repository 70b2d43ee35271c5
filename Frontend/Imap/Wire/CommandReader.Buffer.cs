using System.Buffers;

namespace MailCluster.Imap.Wire;

/// <summary>The bytes of the command that is being read, in one piece.</summary>
public sealed partial class CommandReader
{
    const int FirstRent = 512;

    byte[]? _buffer;
    int _length;

    /// <summary>Where the line that is being read began: what a literal holds never looks like an announcement.</summary>
    int _lineStart;

    ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    long Take(ref ReadOnlySequence<byte> bytes, long count)
    {
        Reserve((int)count);
        bytes.Slice(0, count).CopyTo(_buffer.AsSpan(_length));
        _length += (int)count;
        bytes = bytes.Slice(count);
        return count;
    }

    void AppendLineEnd()
    {
        Reserve(2);
        _buffer![_length++] = (byte)'\r';
        _buffer[_length++] = (byte)'\n';
    }

    void Reserve(int count)
    {
        if (_buffer is not null && _length + count <= _buffer.Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstRent, Math.Max(_length + count, _length * 2)));
        Written.CopyTo(larger);
        var (length, lineStart) = (_length, _lineStart);
        Release();
        (_buffer, _length, _lineStart) = (larger, length, lineStart);
    }

    /// <summary>Gives the buffer back, wiped: it may have held a password.</summary>
    void Release()
    {
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _length).Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
        _length = 0;
        _lineStart = 0;
    }
}
