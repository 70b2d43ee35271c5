using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SORT and UID SORT (RFC 5256 §3, RFC 5257 §4.9, RFC 5957), with RETURN (RFC 5267, RFC 9394).</summary>
internal static class Sort
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        SortArguments arguments = command.Parse(SortGrammar.ParseSort);
        if (arguments.Search.UsesFilters && await Search.InsertFiltersAsync(session, state, arguments.Search, whole => arguments = arguments with { Search = whole }) is { } failed)
            return failed;
        if (session.Services.Annotations is null && arguments.Criteria.Any(static c => c.Key == SortKey.Annotation))
            return Completion.Bad("There are no annotations here");
        if (SearchUpdates.Refuse(state, command, arguments.Search) is { } used)
            return used;
        var updates = new SearchUpdates(state, arguments.Search);
        MailboxSnapshot messages = state.Mailbox.Messages.Messages;
        var sort = new MailboxSort(
            new MessageKeys(session.Cluster.Bodies, state.Mailbox.Key.Account, state.User.Comparator.Collation), arguments.Criteria, state.User.Comparator.Inverted,
            session.Services.Annotations is { } annotations ? new AnnotationKeys(annotations, state.Mailbox.Key, state.User.Settings.Account, state.User.Comparator.Collation).ValuesAsync : null);
        return await Search.RunAsync(session, state, arguments.Search, limited: false, async found =>
        {
            MessageRef[] sorted = await session.PatientAsync(sort.RunAsync(messages, found.Uids, session.Gone), "Still sorting");
            if (Search.Saves(arguments.Search))
                state.Mailbox.Saved = SearchFound.ToSave(arguments.Search, ResultList.Of(Array.ConvertAll(sorted, static m => m.Uid)), found.Uids);
            await SearchResponse.WriteSortedAsync(session, command, arguments.Search, sorted, found.ModSeq);
            updates.Begin(session, state, command, arguments.Search, found, sort, sorted);
        });
    }
}
