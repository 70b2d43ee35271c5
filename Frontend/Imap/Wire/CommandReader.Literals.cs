namespace MailCluster.Imap.Wire;

/// <summary>Literals: those that stay in the command, and the caller's choice about the others.</summary>
public sealed partial class CommandReader
{
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
            await source.AskForLiteralAsync(cancellation);
        }
        _state = State.Streaming;
        _stream = new LiteralStream(source, _offered.Size);
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

    /// <summary>A literal was found, or is being streamed, and the command is not at its end.</summary>
    public bool HasOpenLiteral => _state is State.Offered or State.Streaming;

    /// <summary>With <see cref="HasOpenLiteral"/>: nobody wants it (any more). As <see cref="RefuseAsync"/> or <see cref="ContinueAsync"/>, which may find the next one.</summary>
    public ValueTask<CommandRead> DropLiteralAsync(long swallowLimit, CancellationToken cancellation) =>
        _state == State.Streaming ? ContinueAsync(cancellation) : RefuseAsync(swallowLimit, cancellation);

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
}
