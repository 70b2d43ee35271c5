namespace MailCluster.Imap.Wire;

/// <summary>What STATUS asks for (RFC 9051 §6.3.11, RFC 3501 RECENT, RFC 7162, RFC 7889, RFC 8474, RFC 9208).</summary>
[Flags]
public enum StatusItems
{
    None = 0,
    Messages = 1,
    Recent = 2,
    UidNext = 4,
    UidValidity = 8,
    Unseen = 16,
    Deleted = 32,
    Size = 64,
    HighestModSeq = 128,
    AppendLimit = 256,
    MailboxId = 512,
    DeletedStorage = 1024,
}

public sealed record StatusArguments(MailboxArgument Mailbox, StatusItems Items);

public static class StatusGrammar
{
    public static StatusArguments Parse(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        parser.Space();
        var items = Items(ref parser);
        parser.End();
        return new(mailbox, items);
    }

    /// <summary>The parenthesised items, at least one; also those of LIST … RETURN (STATUS (…)).</summary>
    public static StatusItems Items(ref ImapParser parser)
    {
        var items = StatusItems.None;
        parser.OpenList();
        do
        {
            items |= parser.Word("a STATUS item") switch
            {
                "MESSAGES" => StatusItems.Messages,
                "RECENT" => StatusItems.Recent,
                "UIDNEXT" => StatusItems.UidNext,
                "UIDVALIDITY" => StatusItems.UidValidity,
                "UNSEEN" => StatusItems.Unseen,
                "DELETED" => StatusItems.Deleted,
                "SIZE" => StatusItems.Size,
                "HIGHESTMODSEQ" => StatusItems.HighestModSeq,
                "APPENDLIMIT" => StatusItems.AppendLimit,
                "MAILBOXID" => StatusItems.MailboxId,
                "DELETED-STORAGE" => StatusItems.DeletedStorage,
                _ => throw new ImapSyntaxException("Unknown STATUS item"),
            };
        }
        while (parser.NextInList());
        return items;
    }
}
