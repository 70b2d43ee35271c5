using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Dialects;

/// <summary>SUBSCRIBE MAILBOX and UNSUBSCRIBE MAILBOX (IMAP2bis); without that word what IMAP4 means by it.</summary>
internal static class OldSubscribe
{
    public static ValueTask<Completion> SubscribeAsync(ImapSession session, Authenticated state, Command command) => ChangeAsync(session, state, command, true);

    public static ValueTask<Completion> UnsubscribeAsync(ImapSession session, Authenticated state, Command command) => ChangeAsync(session, state, command, false);

    private static async ValueTask<Completion> ChangeAsync(ImapSession session, Authenticated state, Command command, bool subscribed)
    {
        (MailboxArgument name, bool isBoard) = command.Parse(Parse);
        if (isBoard)
            return Completion.No("NONEXISTENT", "There are no bulletin boards");
        // What is subscribed need not exist, and what is left must be named as it was.
        MailResult<NamedMailbox> named = subscribed ? await session.ResolveNewAsync(state.User, name) : await session.ResolveAsync(state.User, name);
        if (!named.IsOk && !subscribed)
            named = await session.ResolveNewAsync(state.User, name);
        return named.Value is { } known ? await Subscribe.ChangeAsync(session, state, known, subscribed) : named.Error!;
    }

    private static (MailboxArgument Name, bool IsBoard) Parse(ref ImapParser parser)
    {
        MailboxArgument name = parser.Mailbox();
        bool isBoard = false;
        if (!parser.OnlySpacesLeft)
        {
            isBoard = name.Name.Equals("BBOARD", StringComparison.OrdinalIgnoreCase);
            if (!isBoard && !name.Name.Equals("MAILBOX", StringComparison.OrdinalIgnoreCase))
                ImapParser.Fail("Expected MAILBOX");
            parser.Space();
            name = parser.Mailbox();
        }
        parser.End();
        return (name, isBoard);
    }
}
