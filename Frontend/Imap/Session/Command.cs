using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>Reads the arguments of a command; one static method a command in Wire.</summary>
public delegate T Grammar<out T>(ref ImapParser parser);

/// <summary>A command that was read: who it is, and its arguments, which are gone once more input is read.</summary>
/// <param name="header">Tag and name.</param>
/// <param name="arguments">What follows the name, the space in front of it included.</param>
/// <param name="charset">The session's.</param>
/// <param name="literal">The literal at the end of <paramref name="arguments"/> that waits for a decision (APPEND), or null.</param>
/// <param name="dialects">Items of FETCH that IMAP4rev1 has dropped are known.</param>
public sealed class Command(CommandHeader header, ReadOnlyMemory<byte> arguments, WireCharset charset, LiteralAnnouncement? literal, bool dialects = false)
{
    public string Tag => header.Tag;

    /// <summary>E.g. "STORE", "UID STORE".</summary>
    public string Name { get; } = header.Uid ? "UID " + header.Name : header.Name;

    /// <summary>UID stood in front of it: sets are of UIDs, and FETCH answers carry UID.</summary>
    public bool Uid => header.Uid;

    public LiteralAnnouncement? Literal => literal;

    /// <exception cref="ImapSyntaxException">Answered with BAD by the dispatcher.</exception>
    public T Parse<T>(Grammar<T> grammar)
    {
        var parser = new ImapParser(arguments.Span, charset) { Dialects = dialects };
        parser.Space();
        return grammar(ref parser);
    }

    /// <summary>As <see cref="Parse"/>, and what the grammar has left.</summary>
    /// <exception cref="ImapSyntaxException">Answered with BAD by the dispatcher.</exception>
    public (T Value, ReadOnlyMemory<byte> Left) ParseStart<T>(Grammar<T> grammar)
    {
        var parser = new ImapParser(arguments.Span, charset) { Dialects = dialects };
        parser.Space();
        return (grammar(ref parser), arguments[parser.Position..]);
    }

    /// <summary>Something follows the name.</summary>
    public bool HasArguments => !new ImapParser(arguments.Span, charset).OnlySpacesLeft;

    /// <exception cref="ImapSyntaxException">There are arguments.</exception>
    public void ParseNothing() => new ImapParser(arguments.Span, charset).End();
}
