using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// ESEARCH (RFC 7377, MULTISEARCH): one search of several mailboxes, one after the other, each as it is when its turn comes. A mailbox where nothing is found, or that is not there, has no
/// answer.
/// </summary>
internal static class MultiSearch
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MultiSearchArguments arguments = command.Parse(MultiSearchGrammar.Parse);
        SearchArguments search = arguments.Search;
        ImapUser user = state.User;
        SelectedMailbox? selected = (state as Selected)?.Mailbox;
        if (selected is null && arguments.Sources.Any(static s => s.Kind == SearchSourceKind.Selected))
            return Completion.Bad("No mailbox is selected");
        if (search.UsesFilters && await Filters.InsertAsync(session, user, search, whole => search = whole) is { } undefined)
            return undefined;
        if (!arguments.IsSelectedOnly && (search.UsesUids || search.UsesNumbers || Search.Saves(search)))
            return Completion.Bad("UIDs, message numbers and SAVE are for one mailbox");
        if (search.NamesCharset && user.Utf8)
            return Completion.Bad("CHARSET is not for sessions that enabled UTF8=ACCEPT");
        if (search.UsesNumbers && user.UidOnly)
            return Completion.UidRequired;
        if (search.BadCharset)
            return Completion.No("BADCHARSET (US-ASCII UTF-8)", "The charset is not known");
        if (search.UsesModSeq)
            session.EnableCondStore(user);
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => user.Account.List(false), session.Wait);
        if (tree.Error is { } error)
            return error;
        // A selected mailbox of another is not in the user's own tree.
        if (selected is not null && selected.Key.Account != user.Settings.Account && arguments.Sources.Any(static s => s.Kind == SearchSourceKind.Selected))
        {
            SearchFound found = await Search.FindAsync(session, user, selected, search.Key, search.Threading);
            if (Search.Saves(search))
                selected.Saved = SearchFound.ToSave(search, ResultList.Of(found.Uids), found.Uids);
            if (!found.IsEmpty)
                SearchResponse.WriteOf(session.Reply, command, search, found, selected.Name, selected.UidValidity);
        }
        foreach (MailboxInfo mailbox in Named(arguments.Sources, tree.Value!, user, selected?.Key.Mailbox))
        {
            session.WaitAnew();
            (SearchFound? found, uint uidValidity, MailError? failed) = mailbox.Id == selected?.Key.Mailbox
                ? (await Search.FindAsync(session, user, selected, search.Key, search.Threading), selected.UidValidity, null)
                : await FindAsync(session, user, mailbox, search);
            // Deleted meanwhile: as if it had not been there.
            if (failed is { Code: not (MailErrorCode.MailboxGone or MailErrorCode.NonExistent) } notFound)
                return notFound;
            if (found is null or { IsEmpty: true })
                continue;
            if (Search.Saves(search))
                selected!.Saved = SearchFound.ToSave(search, ResultList.Of(found.Uids), found.Uids);
            SearchResponse.WriteOf(session.Reply, command, search, found, user.Names.NameOf(mailbox.Path), uidValidity);
            await session.FlushIfFullAsync();
        }
        // RFC 5267 §4.3.1: what is found in several mailboxes is not followed.
        if (search.Updates)
            ContextResponse.NoUpdate(session.Reply, command.Tag, "Only what SEARCH and SORT find is followed");
        return Completion.Done;
    }

    private static async ValueTask<(SearchFound? Found, uint UidValidity, MailError? Error)> FindAsync(ImapSession session, ImapUser user, MailboxInfo mailbox, SearchArguments search)
    {
        MailboxKey name = user.KeyOf(mailbox.Id);
        IMailboxGrain owner = session.Cluster.Mailbox(name);
        MailResult<MailboxSelected> counters = await session.Cluster.CallAsync(() => owner.Select(true), session.Wait);
        if (counters.Error is { } gone)
            return (null, 0, gone);
        uint uidValidity = counters.Value!.Status.UidValidity;
        if (counters.Value.Status.Messages == 0)
            return (null, uidValidity, null);
        using OpenMailbox open = session.Cluster.Mailboxes.Open(name, counters.Value.Epoch, uidValidity);
        MailResult<MailboxSnapshot> synced = await open.SyncAsync(session.Wait);
        if (synced.Error is { } error)
            return (null, uidValidity, error);
        MailboxSnapshot messages = synced.Value!;
        var compiler = new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, session.Services.Time.GetUtcNow());
        return (await Search.FindAsync(session, user, name.Account, search.Key, compiler, search.Threading, messages, UidSet.Empty), uidValidity, null);
    }

    /// <summary>The mailboxes of all sources, each once, in the order of the tree.</summary>
    private static IEnumerable<MailboxInfo> Named(IReadOnlyList<SearchSource> sources, MailboxTree tree, ImapUser user, MailboxId? selected)
    {
        HashSet<MailboxPath> subscribed = [.. tree.Subscriptions];
        (SearchSourceKind Kind, MailboxPath[] Paths)[] asked = [.. sources.Select(s => (s.Kind, s.Names.Select(user.Names.Find).OfType<MailboxPath>().ToArray()))];
        return tree.Mailboxes.Where(m => m.Selectable && asked.Any(source => source.Kind switch
        {
            SearchSourceKind.Selected => m.Id == selected,
            // Those that mail may be delivered into (RFC 5465 §6.3): any, by an address's detail.
            SearchSourceKind.Inboxes or SearchSourceKind.Personal => true,
            SearchSourceKind.Subscribed => subscribed.Contains(m.Path),
            SearchSourceKind.Mailboxes => source.Paths.Contains(m.Path),
            SearchSourceKind.SubtreeOne => source.Paths.Any(p => m.Path.Equals(p) || p.Equals(m.Path.Parent)),
            _ => source.Paths.Any(p => m.Path.Equals(p) || m.Path.IsBelow(p)),
        }));
    }
}
