using System.Buffers;
using System.IO.Pipelines;

namespace MailCluster.Imap.Wire;

/// <summary>
/// Cuts the bytes of a connection into commands: lines and the literals between them (RFC 9051 §2.2.1 and §4.3, RFC 7888). One reader, one
/// connection, one caller at a time. A bare LF ends a line too. Memory is rented while a command is being read, none while waiting for one.
/// A cancelled read loses nothing: the next read goes on where it stopped. An error of the pipe's writer comes out of the read as its exception.
/// </summary>
/// <param name="input">The bytes of the client.</param>
/// <param name="askForLiteral">Sends and flushes a continuation request, after all that was written before.</param>
/// <param name="options">Limits.</param>
/// <param name="chooses">Which literals the caller decides about, once <see cref="LoggedIn"/>; default APPEND and REPLACE.</param>
public sealed class CommandReader(
    PipeReader input, Func<CancellationToken, ValueTask> askForLiteral, CommandReaderOptions options, ChoosesLiteral? chooses = null)
{
    const int FirstRent = 512;

    readonly ChoosesLiteral _chooses = chooses ?? AppendGrammar.Streams;

    byte[]? _buffer;
    int _length;

    /// <summary>Where the line that is being read began: what a literal holds never looks like an announcement.</summary>
    int _lineStart;
    State _state = State.Line;
    bool _delivered;
    bool _rawLine;
    bool _ask;

    /// <summary>A literal of this command was offered: those that follow are, too.</summary>
    bool _choosing;
    LiteralAnnouncement _offered;
    LiteralStream? _stream;

    /// <summary>Octets of a literal that are still to come in the states MemoryLiteral and SwallowLiteral.</summary>
    long _pending;

    /// <summary>Behind the literal that is swallowed the command goes on.</summary>
    bool _resume;

    long _swallowed;
    long _swallowLimit;
    byte[]? _tail;
    int _tailLength;

    enum State
    {
        Line,
        MemoryLiteral,
        Offered,
        Streaming,
        SwallowLine,
        SwallowLiteral,
        Closed,
    }

    /// <summary>Lifts the limit for literals before login and lets the caller choose about those of APPEND.</summary>
    public bool LoggedIn { get; set; }

    /// <summary>True where the client already sent more than the command that was read last: STARTTLS must not go on then.</summary>
    public bool HasMoreInput
    {
        get
        {
            if (!input.TryRead(out var result))
            {
                return false;
            }
            var more = !result.Buffer.IsEmpty;
            input.AdvanceTo(result.Buffer.Start);
            return more;
        }
    }

    /// <summary>The next command.</summary>
    public ValueTask<CommandRead> ReadAsync(CancellationToken cancellation) => Begin(rawLine: false, cancellation);

    /// <summary>
    /// A line in which <c>{n}</c> at the end means nothing: the answer to a continuation request of AUTHENTICATE, or DONE. Status Command, TooLong,
    /// Close or End.
    /// </summary>
    public ValueTask<CommandRead> ReadLineAsync(CancellationToken cancellation) => Begin(rawLine: true, cancellation);

    /// <summary>After Status Literal: reads it into the command, up to <paramref name="limit"/> octets, and goes on reading the command.</summary>
    public ValueTask<CommandRead> AcceptIntoMemoryAsync(long limit, CancellationToken cancellation)
    {
        Expect(State.Offered);
        if (TakeIntoMemory(_offered, Math.Min(limit, options.CommandLimit - _length)))
        {
            return Run(cancellation);
        }
        return Refuse(_offered, options.SwallowLimit, cancellation);
    }

    /// <summary>
    /// After Status Literal: asks for its octets where the client waits for that, and gives them as a stream. Then call
    /// <see cref="ContinueAsync"/>, which also drops what was left unread.
    /// </summary>
    public async ValueTask<LiteralStream> OpenLiteralAsync(CancellationToken cancellation)
    {
        Expect(State.Offered);
        if (_offered.Synchronizing)
        {
            await askForLiteral(cancellation);
        }
        _state = State.Streaming;
        _stream = new LiteralStream(input, _offered.Size);
        Release();
        return _stream;
    }

    /// <summary>After a streamed literal: the rest of the command, without what stood in front of the literal.</summary>
    public ValueTask<CommandRead> ContinueAsync(CancellationToken cancellation)
    {
        Expect(State.Streaming);
        _pending = _stream!.Remaining;
        _stream.Detach();
        _stream = null;
        // Unlike a refused literal this one was agreed to: all of it is dropped, whatever its size, and the command goes on behind it.
        _state = _pending == 0 ? State.Line : State.SwallowLiteral;
        _resume = _pending > 0;
        return Run(cancellation);
    }

    /// <summary>
    /// After Status Literal: the command ends here. The client does not send a synchronising literal then; the octets of another are dropped, with
    /// the rest of the command, where that is no more than <paramref name="swallowLimit"/>. Status TooLong (go on), Close or End.
    /// </summary>
    public ValueTask<CommandRead> RefuseAsync(long swallowLimit, CancellationToken cancellation)
    {
        Expect(State.Offered);
        return Refuse(_offered, swallowLimit, cancellation);
    }

    ValueTask<CommandRead> Begin(bool rawLine, CancellationToken cancellation)
    {
        if (_state is State.Offered or State.Streaming)
        {
            throw new InvalidOperationException("A literal waits for a decision");
        }
        if (_delivered)
        {
            _delivered = false;
            _choosing = false;
            Release();
        }
        _rawLine = rawLine;
        return Run(cancellation);
    }

    void Expect(State state)
    {
        if (_state != state)
        {
            throw new InvalidOperationException($"The reader is at {_state}, not at {state}");
        }
    }

    ValueTask<CommandRead> Refuse(LiteralAnnouncement literal, long swallowLimit, CancellationToken cancellation)
    {
        if (BeginSwallow(literal, swallowLimit, out var read))
        {
            return new(read);
        }
        return Run(cancellation);
    }

    // Most commands are in the pipe as a whole: no state machine is built for them.
    ValueTask<CommandRead> Run(CancellationToken cancellation)
    {
        if (_state == State.Closed)
        {
            return new(new CommandRead(CommandReadStatus.Close));
        }
        if (!_ask && input.TryRead(out var result) && Consume(result, out var read))
        {
            return new(read);
        }
        return Wait(cancellation);
    }

    async ValueTask<CommandRead> Wait(CancellationToken cancellation)
    {
        while (true)
        {
            if (_ask)
            {
                await askForLiteral(cancellation);
                _ask = false;
            }
            var result = await input.ReadAsync(cancellation);
            if (Consume(result, out var read))
            {
                return read;
            }
        }
    }

    bool Consume(ReadResult result, out CommandRead read)
    {
        var bytes = result.Buffer;
        if (result.IsCanceled)
        {
            input.AdvanceTo(bytes.Start);
            throw new OperationCanceledException();
        }
        var done = Step(ref bytes, out read);
        // With a request to send, what the client sent too early must be seen again by the next read.
        input.AdvanceTo(bytes.Start, done || _ask ? bytes.Start : bytes.End);
        if (!done && result.IsCompleted && !_ask)
        {
            read = new(CommandReadStatus.End);
            return true;
        }
        return done;
    }

    bool Step(ref ReadOnlySequence<byte> bytes, out CommandRead read)
    {
        read = default;
        while (!bytes.IsEmpty)
        {
            switch (_state)
            {
                case State.Line:
                    if (TakeLine(ref bytes, out read))
                    {
                        return true;
                    }
                    break;
                case State.MemoryLiteral:
                    var taken = Take(ref bytes, Math.Min(_pending, bytes.Length));
                    _pending -= taken;
                    if (_pending == 0)
                    {
                        BeginLine();
                    }
                    break;
                case State.SwallowLiteral:
                    var dropped = Math.Min(_pending, bytes.Length);
                    bytes = bytes.Slice(dropped);
                    _pending -= dropped;
                    if (_pending == 0)
                    {
                        _state = _resume ? State.Line : State.SwallowLine;
                        _resume = false;
                    }
                    break;
                case State.SwallowLine:
                    if (SwallowLine(ref bytes, out read))
                    {
                        return true;
                    }
                    break;
            }
            if (_ask)
            {
                return false;
            }
        }
        return false;
    }

    bool TakeLine(ref ReadOnlySequence<byte> bytes, out CommandRead read)
    {
        read = default;
        var lineFeed = bytes.PositionOf((byte)'\n');
        var length = lineFeed is { } position ? bytes.Slice(0, position).Length : bytes.Length;
        if (length > options.CommandLimit - _length)
        {
            // Keep the start for its tag. The tail of the line still tells whether a literal follows.
            _swallowed = 0;
            _swallowLimit = options.SwallowLimit;
            _tailLength = 0;
            Take(ref bytes, Math.Min(length, Math.Max(0, ImapParser.MaxTagLength + 1 - _length)));
            KeepTail(new ReadOnlySequence<byte>(_buffer.AsMemory(_lineStart, _length - _lineStart)));
            _state = State.SwallowLine;
            return false;
        }
        Take(ref bytes, length);
        if (lineFeed is null)
        {
            return false;
        }
        bytes = bytes.Slice(1);
        return EndLine(out read);
    }

    bool EndLine(out CommandRead read)
    {
        if (_length > _lineStart && _buffer![_length - 1] == '\r')
        {
            _length--;
        }
        if (_rawLine || !LiteralAnnouncement.TryParse(Written[_lineStart..], out var literal, out _))
        {
            return Deliver(CommandReadStatus.Command, out read);
        }
        if (LoggedIn && (_choosing || _chooses(Written)))
        {
            AppendLineEnd();
            _choosing = true;
            _offered = literal;
            _state = State.Offered;
            read = new(CommandReadStatus.Literal, _buffer.AsMemory(0, _length), literal);
            return true;
        }
        AppendLineEnd();
        long limit = options.CommandLimit - _length;
        if (!LoggedIn)
        {
            limit = Math.Min(limit, options.LiteralLimitBeforeLogin);
        }
        if (TakeIntoMemory(literal, limit))
        {
            read = default;
            return false;
        }
        return BeginSwallow(literal, options.SwallowLimit, out read);
    }

    bool TakeIntoMemory(LiteralAnnouncement literal, long limit)
    {
        if (literal.Size > limit)
        {
            return false;
        }
        _ask = literal.Synchronizing;
        _pending = literal.Size;
        _state = State.MemoryLiteral;
        if (_pending == 0)
        {
            BeginLine();
        }
        return true;
    }

    void BeginLine()
    {
        _lineStart = _length;
        _state = State.Line;
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

    bool Deliver(CommandReadStatus status, out CommandRead read)
    {
        read = new(status, _buffer.AsMemory(0, _length));
        _delivered = true;
        _state = status == CommandReadStatus.Close ? State.Closed : State.Line;
        return true;
    }

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
