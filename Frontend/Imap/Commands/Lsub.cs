using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>LSUB (RFC 3501 §6.3.9): the subscription list; a parent that matches '%' while only names below it are subscribed is told as \Noselect.</summary>
internal static class Lsub
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        ListArguments arguments = command.Parse(ListGrammar.ParseLsub);
        ImapUser user = state.User;
        if (ListPatterns.Of(arguments, user.Names) is not { } patterns)
            return Completion.Bad("A pattern is too long");
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => user.Account.List(false), session.Wait);
        if (tree.Error is { } error)
            return error;
        MailResult<SharedTree?> shared = await List.SharedAsync(session, user, patterns, new ListRequest(false));
        if (shared.Error is { } notShared)
            return notShared;
        bool partial = arguments.Patterns[0].Name.EndsWith('%');
        foreach (ListedMailbox mailbox in ListedMailbox.Of(tree.Value!, shared.Value, user))
        {
            bool parent = !mailbox.Subscribed && partial && mailbox.Below.Exists(static below => below.Subscribed);
            string name = mailbox.OnWire.ToString(user.Names.Delimiter);
            if (!(mailbox.Subscribed || parent) || !patterns.Matches(name))
                continue;
            session.Reply.Untagged().Raw(parent ? "LSUB (\\Noselect) "u8 : "LSUB () "u8).Delimiter(user.Names).Space().Mailbox(name).NewLine();
            await session.FlushIfFullAsync();
        }
        return Completion.Done;
    }
}
