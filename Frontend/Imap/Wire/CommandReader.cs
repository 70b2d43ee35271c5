using System.Buffers;
using System.IO.Pipelines;

namespace MailCluster.Imap.Wire;

/// <summary>
/// Cuts the bytes of a connection into commands: lines and the literals between them (RFC 9051 §2.2.1 and §4.3, RFC 7888). One reader, one
/// connection, one caller at a time. A bare LF ends a line too. Memory is rented while a command is being read, none while waiting for one.
/// An interrupted or cancelled read loses nothing: the next one goes on where it stopped. An error of the
/// pipe's writer comes out of the read as its exception.
/// </summary>
/// <param name="source">The connection.</param>
/// <param name="options">Limits.</param>
/// <param name="chooses">Which literals the caller decides about, once <see cref="LoggedIn"/>; default APPEND and REPLACE.</param>
public sealed partial class CommandReader(ICommandSource source, CommandReaderOptions options, ChoosesLiteral? chooses = null)
{
    readonly ChoosesLiteral _chooses = chooses ?? AppendGrammar.Streams;

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
            if (!source.Input.TryRead(out var result))
            {
                return false;
            }
            var more = !result.Buffer.IsEmpty;
            source.Input.AdvanceTo(result.Buffer.Start);
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

    // Most commands are in the pipe as a whole: no state machine is built for them.
    ValueTask<CommandRead> Run(CancellationToken cancellation)
    {
        if (_state == State.Closed)
        {
            return new(new CommandRead(CommandReadStatus.Close));
        }
        if (!_ask && source.Input.TryRead(out var result) && Consume(source.Input, result, out var read))
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
                await source.AskForLiteralAsync(cancellation);
                _ask = false;
            }
            var input = source.Input;
            if (!input.TryRead(out var result))
            {
                await source.BeforeWaitAsync(cancellation);
                result = await input.ReadAsync(cancellation);
            }
            if (Consume(input, result, out var read))
            {
                return read;
            }
        }
    }

    bool Consume(PipeReader input, ReadResult result, out CommandRead read)
    {
        var bytes = result.Buffer;
        if (result.IsCanceled)
        {
            input.AdvanceTo(bytes.Start);
            read = new(CommandReadStatus.Interrupted);
            return source.IsInterrupted;
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

    void BeginLine()
    {
        _lineStart = _length;
        _state = State.Line;
    }

    bool Deliver(CommandReadStatus status, out CommandRead read)
    {
        // How much of a command above the limits was kept depends on how it arrived: only its tag is told.
        int told = status == CommandReadStatus.Command ? _length : Math.Min(_length, ImapParser.MaxTagLength + 1);
        read = new(status, _buffer.AsMemory(0, told));
        _delivered = true;
        _state = status == CommandReadStatus.Close ? State.Closed : State.Line;
        return true;
    }
}
