using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SEARCH and UID SEARCH (RFC 9051 §6.4.4, §6.4.9; RFC 3501, RFC 4731, RFC 5182).</summary>
internal static class Search
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        SearchArguments arguments = command.Parse(SearchGrammar.Parse);
        SelectedMailbox mailbox = state.Mailbox;
        bool saves = arguments.Return?.HasFlag(SearchReturn.Save) == true;
        if (arguments.BadCharset)
        {
            if (saves)
                mailbox.Saved = UidSet.Empty;
            return Completion.No("BADCHARSET (US-ASCII UTF-8)", "The charset is not known");
        }
        if (arguments.UsesModSeq)
            session.EnableCondStore(state.User);

        MailboxView view = mailbox.Messages;
        var compiler = new SearchCompiler(view.Messages, mailbox.Recent, mailbox.Saved, session.Services.Time.GetUtcNow());
        var search = new MailboxSearch(session.Cluster.Bodies, state.User.Settings.Account, compiler.Compile(arguments.Key));
        SearchFound found;
        try
        {
            found = await session.PatientAsync(search.RunAsync(view.Messages, view.Ghosts, session.Gone), "Still searching");
        }
        catch when (saves)
        {
            // RFC 5182 §2.1: a SEARCH that ends in NO leaves nothing saved.
            mailbox.Saved = UidSet.Empty;
            throw;
        }
        if (saves)
            mailbox.Saved = found.ToSave(arguments.Return!.Value);
        await SearchResponse.WriteAsync(session, state.User, command, arguments, found);
        return Completion.Done;
    }
}
