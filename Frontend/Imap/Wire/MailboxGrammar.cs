using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>The arguments of CREATE.</summary>
/// <param name="Mailbox">May end with a delimiter.</param>
/// <param name="Use">Special uses of RFC 6154 in the RFC's spelling, such as \Sent; each once.</param>
/// <param name="UnknownUse">A use was asked for that we don't know: NO [USEATTR].</param>
public sealed record CreateArguments(MailboxArgument Mailbox, IReadOnlyList<string> Use, bool UnknownUse);

public sealed record RenameArguments(MailboxArgument From, MailboxArgument To);

/// <summary>The arguments of COPY and MOVE.</summary>
public sealed record CopyArguments(SequenceSet Set, MailboxArgument Mailbox);

/// <summary>Commands that take mailbox names: CREATE (RFC 6154 §3), DELETE, SUBSCRIBE…, RENAME, COPY, MOVE (RFC 6851).</summary>
public static class MailboxGrammar
{
    /// <summary>DELETE, SUBSCRIBE, UNSUBSCRIBE.</summary>
    public static MailboxArgument ParseName(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        parser.End();
        return mailbox;
    }

    public static RenameArguments ParseRename(ref ImapParser parser)
    {
        var from = parser.Mailbox();
        parser.Space();
        return new(from, ParseName(ref parser));
    }

    public static CopyArguments ParseCopy(ref ImapParser parser)
    {
        var set = parser.SequenceSet();
        parser.Space();
        return new(set, ParseName(ref parser));
    }

    /// <summary>UID EXPUNGE (RFC 4315).</summary>
    public static SequenceSet ParseUidExpunge(ref ImapParser parser)
    {
        var set = parser.SequenceSet();
        parser.End();
        return set;
    }

    public static CreateArguments ParseCreate(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        List<string> use = [];
        var unknown = false;
        if (!parser.OnlySpacesLeft)
        {
            parser.Space();
            parser.OpenList();
            do
            {
                if (!parser.TryWord("USE"u8))
                {
                    ImapParser.Fail("Unknown CREATE parameter");
                }
                parser.Space();
                Uses(ref parser, use, ref unknown);
            }
            while (parser.NextInList());
        }
        parser.End();
        return new(mailbox, use, unknown);
    }

    static void Uses(ref ImapParser parser, List<string> uses, ref bool unknown)
    {
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return;
        }
        do
        {
            parser.Skip((byte)'\\', "a special use");
            var use = "\\" + parser.UpperAtom("a special use");
            if (!SpecialUses.IsKnown(use))
            {
                unknown = true;
            }
            else if (!uses.Contains(SpecialUses.Spelt(use)))
            {
                uses.Add(SpecialUses.Spelt(use));
            }
        }
        while (parser.NextInList());
    }
}
