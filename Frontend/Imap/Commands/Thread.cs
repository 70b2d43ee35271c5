using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>THREAD and UID THREAD (RFC 5256 §3; REFS: draft-ietf-morg-inthread).</summary>
internal static class Thread
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        ThreadArguments arguments = command.Parse(SortGrammar.ParseThread);
        if (arguments.Search.UsesFilters && await Search.InsertFiltersAsync(session, state, arguments.Search, whole => arguments = arguments with { Search = whole }) is { } failed)
            return failed;
        MailboxSnapshot messages = state.Mailbox.Messages.Messages;
        var threads = new MailboxThreads(new MessageKeys(session.Cluster.Bodies, state.Mailbox.Key.Account, state.User.Comparator.Collation), arguments.Algorithm);
        return await Search.RunAsync(session, state, arguments.Search, limited: false, async found =>
        {
            ThreadTree tree = await session.PatientAsync(threads.RunAsync(messages, found.Uids, session.Gone), "Still threading");
            await ThreadResponse.WriteAsync(session, command, tree);
        });
    }
}
