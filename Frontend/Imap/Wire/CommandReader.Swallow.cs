using System.Buffers;

namespace MailCluster.Imap.Wire;

/// <summary>What is read and dropped: the rest of a command above its limits, to the end of its last line.</summary>
public sealed partial class CommandReader
{
    /// <summary>Behind the literal that is swallowed the command goes on.</summary>
    bool _resume;

    long _swallowed;
    long _swallowLimit;
    byte[]? _tail;
    int _tailLength;

    ValueTask<CommandRead> Refuse(LiteralAnnouncement literal, long swallowLimit, CancellationToken cancellation)
    {
        if (BeginSwallow(literal, swallowLimit, out var read))
        {
            return new(read);
        }
        return Run(cancellation);
    }

    /// <summary>True where nothing has to be swallowed: the client waits and will not send it, or it is too much.</summary>
    bool BeginSwallow(LiteralAnnouncement literal, long limit, out CommandRead read)
    {
        if (literal.Synchronizing)
        {
            return Deliver(CommandReadStatus.TooLong, out read);
        }
        if (literal.Size > limit)
        {
            return Deliver(CommandReadStatus.Close, out read);
        }
        _swallowLimit = limit;
        _swallowed = literal.Size;
        _tailLength = 0;
        _pending = literal.Size;
        _state = _pending == 0 ? State.SwallowLine : State.SwallowLiteral;
        read = default;
        return false;
    }

    bool SwallowLine(ref ReadOnlySequence<byte> bytes, out CommandRead read)
    {
        read = default;
        var lineFeed = bytes.PositionOf((byte)'\n');
        var line = lineFeed is { } position ? bytes.Slice(0, position) : bytes;
        _swallowed += line.Length;
        // A refused literal of just the limit still has its line end to come.
        if (_swallowed > _swallowLimit + options.CommandLimit)
        {
            return Deliver(CommandReadStatus.Close, out read);
        }
        KeepTail(line);
        bytes = bytes.Slice(line.End);
        if (lineFeed is null)
        {
            return false;
        }
        bytes = bytes.Slice(1);
        var tail = _tail.AsSpan(0, _tailLength);
        if (tail.EndsWith("\r"u8))
        {
            tail = tail[..^1];
        }
        _tailLength = 0;
        if (_rawLine || !LiteralAnnouncement.TryParse(tail, out var literal, out _) || literal.Synchronizing)
        {
            return Deliver(CommandReadStatus.TooLong, out read);
        }
        if (literal.Size > _swallowLimit - _swallowed)
        {
            return Deliver(CommandReadStatus.Close, out read);
        }
        _swallowed += literal.Size;
        _pending = literal.Size;
        _state = _pending == 0 ? State.SwallowLine : State.SwallowLiteral;
        return false;
    }

    void KeepTail(ReadOnlySequence<byte> line)
    {
        const int Size = LiteralAnnouncement.TailLength;
        _tail ??= new byte[Size];
        if (line.Length >= Size)
        {
            line.Slice(line.Length - Size).CopyTo(_tail);
            _tailLength = Size;
            return;
        }
        var fresh = (int)line.Length;
        var kept = Math.Min(_tailLength, Size - fresh);
        _tail.AsSpan(_tailLength - kept, kept).CopyTo(_tail);
        line.CopyTo(_tail.AsSpan(kept));
        _tailLength = kept + fresh;
    }
}
