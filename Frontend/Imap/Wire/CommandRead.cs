namespace MailCluster.Imap.Wire;

public enum CommandReadStatus
{
    /// <summary>A whole command, or after a streamed literal the rest of it.</summary>
    Command,

    /// <summary>A literal of a command whose literals the caller chooses about: accept, open or refuse it.</summary>
    Literal,

    /// <summary>A command or literal above the limits: answer BAD. It was swallowed as far as needed; the next read gets the next command.</summary>
    TooLong,

    /// <summary>So much too long that swallowing it is not worth it: say BYE and close.</summary>
    Close,

    /// <summary><see cref="ICommandSource.IsInterrupted"/> ended the wait. Nothing is lost: ReadAsync (or ReadLineAsync, for a line) goes on, also where
    /// another method was waiting.</summary>
    Interrupted,

    /// <summary>The connection ended; what was not complete is lost.</summary>
    End,
}

/// <summary>What <see cref="CommandReader"/> found.</summary>
/// <param name="Status">What it is.</param>
/// <param name="Bytes">
/// Command: all of it without the last line end, literals inline behind <c>{n}CRLF</c>. Literal: everything up to the announcement and its CRLF.
/// TooLong and Close: the start, for <see cref="ImapParser.TagOf"/>. Valid until the next read.
/// </param>
/// <param name="Literal">The announcement where Status is Literal.</param>
public readonly record struct CommandRead(CommandReadStatus Status, ReadOnlyMemory<byte> Bytes = default, LiteralAnnouncement Literal = default);

/// <summary>Bounds of what one command may make the server hold or swallow, in octets.</summary>
public sealed record CommandReaderOptions
{
    /// <summary>A command with the literals kept in memory. 64 KB: long sequence sets of clients, and the largest buffer of a connection.</summary>
    public int CommandLimit { get; init; } = 64 * 1024;

    /// <summary>One literal before login. 8 KB: room for any name and password; whoever has not logged in gets no more memory.</summary>
    public int LiteralLimitBeforeLogin { get; init; } = 8 * 1024;

    /// <summary>What is read and dropped of a command above its limits before the connection is closed instead. 1 MB.</summary>
    public int SwallowLimit { get; init; } = 1024 * 1024;
}

/// <summary>True where the caller wants to choose about the literal at the end of these bytes, such as <see cref="AppendGrammar.Streams"/>.</summary>
public delegate bool ChoosesLiteral(ReadOnlySpan<byte> commandSoFar);
