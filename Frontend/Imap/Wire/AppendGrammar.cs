using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>What stands in front of a message in APPEND.</summary>
/// <param name="Mailbox">Where to; in the continuation of a MULTIAPPEND it is not repeated.</param>
/// <param name="Flags">The flags; none where no list was given.</param>
/// <param name="InternalDate">Null: now.</param>
public sealed record AppendPrefix(MailboxArgument Mailbox, FlagList Flags, WireDateTime? InternalDate)
{
    /// <summary>REPLACE (RFC 8508): the number or UID of the message whose place this one takes; <see cref="SequenceRange.Star"/> for the last. 0 for APPEND too.</summary>
    public uint Replaced { get; init; }

    /// <summary>ANNOTATION (RFC 5257 §4.7): what the message comes with.</summary>
    public IReadOnlyList<AnnotationValue>? Annotations { get; init; }

    /// <summary>The literal that is pending belongs to what stands in front of the message: accept it into memory and parse again.</summary>
    public bool IsIncomplete { get; init; }

    /// <summary>CATENATE (RFC 4469): the parser stands behind the parenthesis of its parts.</summary>
    public bool Catenates { get; init; }
}

/// <summary>
/// APPEND (RFC 9051 §6.3.12, RFC 3502, RFC 5257). The <see cref="CommandReader"/> stops at each literal of an APPEND; <see cref="ParsePrefix"/> then says
/// whether that literal is the message, or still part of the prefix (a mailbox name or an annotation sent as a literal), which belongs in memory.
/// </summary>
public static class AppendGrammar
{
    /// <summary>True for commands whose literals the session wants to choose about: APPEND and REPLACE (RFC 8508).</summary>
    public static bool Streams(ReadOnlySpan<byte> commandSoFar)
    {
        var space = commandSoFar.IndexOf((byte)' ');
        if (space < 0)
        {
            return false;
        }
        var rest = commandSoFar[(space + 1)..];
        if (rest.Length > 4 && Ascii.EqualsIgnoreCase(rest[..4], "UID "u8))
        {
            rest = rest[4..];
        }
        return Is(rest, "APPEND "u8) || Is(rest, "REPLACE "u8);

        static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => text.Length > word.Length && Ascii.EqualsIgnoreCase(text[..word.Length], word);
    }

    /// <summary>
    /// Parses behind "APPEND ". Returns null where the literal that is pending is the mailbox name itself: accept it into memory and parse again.
    /// Otherwise the parser stands at the announcement of the message.
    /// </summary>
    public static AppendPrefix? ParsePrefix(ref ImapParser parser)
    {
        if (parser.AtPendingLiteral)
        {
            return null;
        }
        var mailbox = parser.Mailbox();
        parser.Space();
        return Options(ref parser, mailbox);
    }

    /// <summary>REPLACE (RFC 8508 §5): a message, and what APPEND takes.</summary>
    public static AppendPrefix? ParseReplace(ref ImapParser parser)
    {
        var replaced = parser.TrySkip((byte)'*') ? SequenceRange.Star : parser.NonZero("a message");
        parser.Space();
        return ParsePrefix(ref parser) is { } prefix ? prefix with { Replaced = replaced } : null;
    }

    /// <summary>
    /// Parses what follows a message: null at the end of the command, or the prefix of the next message of a MULTIAPPEND (RFC 3502), with the
    /// parser at its announcement.
    /// </summary>
    public static AppendPrefix? ParseNext(ref ImapParser parser, MailboxArgument mailbox)
    {
        if (parser.OnlySpacesLeft)
        {
            parser.End();
            return null;
        }
        parser.Space();
        return Options(ref parser, mailbox);
    }

    static AppendPrefix Options(ref ImapParser parser, MailboxArgument mailbox)
    {
        var flags = FlagList.None;
        if (parser.Next == '(')
        {
            flags = FlagGrammar.List(ref parser);
            parser.Space();
        }
        WireDateTime? date = null;
        if (parser.Next == '"')
        {
            date = parser.DateTime();
            parser.Space();
        }
        IReadOnlyList<AnnotationValue>? annotations = null;
        while (parser.TryWord("ANNOTATION"u8))
        {
            if (annotations is not null)
            {
                ImapParser.Fail("ANNOTATION stands once");
            }
            annotations = AnnotationGrammar.Values(ref parser);
            if (annotations is null)
            {
                return new(mailbox, flags, date) { IsIncomplete = true };
            }
            parser.Space();
        }
        if (parser.TryWord("CATENATE"u8))
        {
            parser.Space();
            parser.OpenList();
            return new(mailbox, flags, date) { Catenates = true, Annotations = annotations };
        }
        if (parser.Next is not ((byte)'{' or (byte)'~'))
        {
            ImapParser.Fail("Expected a message as a literal");
        }
        return new(mailbox, flags, date) { Annotations = annotations };
    }
}
