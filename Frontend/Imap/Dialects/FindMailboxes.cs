using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Dialects;

/// <summary>What FIND looks for.</summary>
internal enum FindWhat
{
    Subscribed,
    All,

    /// <summary>There are no bulletin boards here.</summary>
    BulletinBoards,
}

/// <summary>
/// FIND (RFC 1176): the mailboxes that match a pattern, in lines "* MAILBOX name". FIND MAILBOXES tells those that the user has subscribed to, and INBOX; FIND ALL.MAILBOXES (IMAP2bis) all of them.
/// </summary>
internal static class FindMailboxes
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        (FindWhat what, MailboxArgument pattern) = command.Parse(Parse);
        if (what == FindWhat.BulletinBoards)
            return Completion.Done;
        if (pattern.Name.Length > ListPattern.MaxLength)
            return Completion.Bad("A pattern is too long");
        ImapUser user = state.User;
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => user.Account.List(false), session.Wait);
        if (tree.Error is { } error)
            return error;
        var names = new ListPattern(pattern.Name, user.Names.Delimiter);
        foreach (ListedMailbox mailbox in ListedMailbox.Of(tree.Value!, shared: null, user))
        {
            string name = mailbox.OnWire.ToString(user.Names.Delimiter);
            if (mailbox.Info is not { Selectable: true, Path: var path } || !(what == FindWhat.All || mailbox.Subscribed || path.IsInbox) || !names.Matches(name))
                continue;
            session.Reply.Untagged().Raw("MAILBOX "u8).Mailbox(name).NewLine();
            await session.FlushIfFullAsync();
        }
        return Completion.Done;
    }

    /// <summary>BBOARD selects a bulletin board, of which there are none.</summary>
    public static ValueTask<Completion> BulletinBoardAsync(ImapSession session, Authenticated state, Command command)
    {
        command.Parse(MailboxGrammar.ParseName);
        return new(Completion.No("NONEXISTENT", "There is no bulletin board of that name"));
    }

    private static (FindWhat, MailboxArgument) Parse(ref ImapParser parser)
    {
        FindWhat what = parser.UpperAtom("what to find") switch
        {
            "MAILBOXES" => FindWhat.Subscribed,
            "ALL.MAILBOXES" => FindWhat.All,
            "BBOARDS" or "ALL.BBOARDS" => FindWhat.BulletinBoards,
            _ => throw new ImapSyntaxException("FIND knows MAILBOXES, ALL.MAILBOXES and BBOARDS"),
        };
        parser.Space();
        MailboxArgument pattern = parser.ListMailbox();
        parser.End();
        return (what, pattern);
    }
}
