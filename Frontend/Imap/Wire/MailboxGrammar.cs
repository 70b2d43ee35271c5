namespace MailCluster.Imap.Wire;

/// <summary>Special uses of RFC 6154 and \Important of RFC 8457 that CREATE … USE may ask for.</summary>
[Flags]
public enum SpecialUses
{
    None = 0,
    All = 1,
    Archive = 2,
    Drafts = 4,
    Flagged = 8,
    Junk = 16,
    Sent = 32,
    Trash = 64,
    Important = 128,
}

/// <summary>The arguments of CREATE. <paramref name="UnknownUse"/>: a use was asked for that we don't know (NO [USEATTR]).</summary>
public sealed record CreateArguments(MailboxArgument Mailbox, SpecialUses Use, bool UnknownUse);

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
        var use = SpecialUses.None;
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
                Uses(ref parser, ref use, ref unknown);
            }
            while (parser.NextInList());
        }
        parser.End();
        return new(mailbox, use, unknown);
    }

    static void Uses(ref ImapParser parser, ref SpecialUses uses, ref bool unknown)
    {
        parser.OpenList();
        if (parser.TrySkip((byte)')'))
        {
            return;
        }
        do
        {
            parser.Skip((byte)'\\', "a special use");
            var use = parser.UpperAtom("a special use") switch
            {
                "ALL" => SpecialUses.All,
                "ARCHIVE" => SpecialUses.Archive,
                "DRAFTS" => SpecialUses.Drafts,
                "FLAGGED" => SpecialUses.Flagged,
                "JUNK" => SpecialUses.Junk,
                "SENT" => SpecialUses.Sent,
                "TRASH" => SpecialUses.Trash,
                "IMPORTANT" => SpecialUses.Important,
                _ => SpecialUses.None,
            };
            unknown |= use == SpecialUses.None;
            uses |= use;
        }
        while (parser.NextInList());
    }
}
