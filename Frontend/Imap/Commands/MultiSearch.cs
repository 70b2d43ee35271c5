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
        if (selected is null && (search.Updates || arguments.Sources.Any(static s => s.Kind == SearchSourceKind.Selected)))
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
        MailResult<IReadOnlyList<Source>> sources = await NamedAsync(session, user, arguments, selected);
        if (sources.Error is { } error)
            return error;
        foreach (Source mailbox in sources.Value!)
        {
            session.WaitAnew();
            (SearchFound? found, uint uidValidity, MailError? failed) = selected is not null && mailbox.Key == selected.Key
                ? (await Search.FindAsync(session, user, selected, search.Key, search.Threading), selected.UidValidity, null)
                : await FindAsync(session, user, mailbox.Key, search);
            // Deleted meanwhile, or not to be read any more: as if it had not been there.
            if (failed is { Code: not (MailErrorCode.MailboxGone or MailErrorCode.NonExistent or MailErrorCode.NoPermission) } notFound)
                return notFound;
            if (found is null or { IsEmpty: true })
                continue;
            if (Search.Saves(search))
                selected!.Saved = SearchFound.ToSave(search, ResultList.Of(found.Uids), found.Uids);
            SearchResponse.WriteOf(session.Reply, command, search, found, mailbox.Name, uidValidity);
            await session.FlushIfFullAsync();
        }
        // RFC 5267 §4.3.1: what is found in several mailboxes is not followed.
        if (search.Updates)
            ContextResponse.NoUpdate(session.Reply, command.Tag, "Only what SEARCH and SORT find is followed");
        return Completion.Done;
    }

    private static async ValueTask<(SearchFound? Found, uint UidValidity, MailError? Error)> FindAsync(ImapSession session, ImapUser user, MailboxKey name, SearchArguments search)
    {
        IMailboxGrain owner = session.Cluster.Mailbox(name);
        AccountId? viewer = user.ViewerOf(name.Account);
        MailResult<MailboxSelected> counters = await session.Cluster.CallAsync(() => viewer is { } asking ? owner.SelectAs(true, asking) : owner.Select(true), session.Wait);
        if (counters.Error is { } gone)
            return (null, 0, gone);
        uint uidValidity = counters.Value!.Status.UidValidity;
        if (counters.Value.Status.Messages == 0)
            return (null, uidValidity, null);
        using OpenMailbox open = session.Cluster.Mailboxes.Open(name, counters.Value.Epoch, uidValidity, viewer, counters.Value.Foreign);
        MailResult<MailboxSnapshot> synced = await open.SyncAsync(session.Wait);
        if (synced.Error is { } error)
            return (null, uidValidity, error);
        MailboxSnapshot messages = synced.Value!;
        var compiler = new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, session.Services.Time.GetUtcNow(), user.Comparator.Collation);
        return (await Search.FindAsync(session, user, name, search.Key, compiler, search.Threading, messages, UidSet.Empty), uidValidity, null);
    }

    /// <summary>
    /// The mailboxes of all sources, each once: the user's own, then those of others that may be read, which personal ones never are. One that is named need not be one that LIST shows (§2.2).
    /// </summary>
    private static async ValueTask<MailResult<IReadOnlyList<Source>>> NamedAsync(ImapSession session, ImapUser user, MultiSearchArguments arguments, SelectedMailbox? selected)
    {
        MailboxNames names = user.Names;
        bool withSelected = arguments.Sources.Any(static s => s.Kind == SearchSourceKind.Selected);
        if (arguments.IsSelectedOnly)
            return new([new Source(selected!.Key, selected.Name)], null);
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => user.Account.List(false), session.Wait);
        if (tree.Error is { } error)
            return error;
        var shared = new SharedTree([], []);
        if (user.Settings.Shares && arguments.Sources.Any(s => s.Kind == SearchSourceKind.Subscribed || (s.Kind != SearchSourceKind.Mailboxes && s.Names.Any(n => names.OtherOnWire(n) is not null))))
        {
            MailResult<SharedTree> others = await session.Cluster.CallAsync(() => user.Account.ListShared(new ListRequest(false)), session.Wait);
            if (others.Error is { } notShared)
                return notShared;
            shared = others.Value!;
        }
        HashSet<MailboxPath> subscribed = [.. tree.Value!.Subscriptions.Select(names.OnWire), .. NotifiedOthers.SubscribedOf(shared, names)];
        (SearchSourceKind Kind, MailboxPath[] Paths)[] asked =
            [.. arguments.Sources.Select(s => (s.Kind, s.Names.Select(n => names.OtherOnWire(n) ?? (names.Find(n) is { } own ? names.OnWire(own) : null)).OfType<MailboxPath>().ToArray()))];
        var sources = new List<Source>();
        foreach (MailboxInfo mailbox in tree.Value.Mailboxes.Where(static m => m.Selectable))
            Add(user.KeyOf(mailbox.Id), names.OnWire(mailbox.Path), personal: true);
        foreach (SharedMailbox mailbox in shared.Mailboxes.Where(m => names.Shows(m.Store) && m.Info.Selectable && m.Info.Rights.Has(MailRights.Read)).OrderBy(names.OnWire))
            Add(new MailboxKey(mailbox.Owner, mailbox.Info.Id), names.OnWire(mailbox), personal: false);
        foreach (MailboxArgument name in arguments.Sources.Where(static s => s.Kind == SearchSourceKind.Mailboxes).SelectMany(static s => s.Names).Where(n => names.OtherOnWire(n) is not null))
        {
            session.WaitAnew();
            MailResult<FoundMailbox> found = await session.FindAsync(user, name);
            if (found.Error is { Code: not MailErrorCode.NonExistent } notFound)
                return notFound;
            if (found.Value is { } other && !sources.Exists(s => s.Key == other.Key))
                sources.Add(new Source(other.Key, other.Named.Name));
        }
        // A selected one of another may be none that was asked for.
        if (withSelected && !sources.Exists(s => s.Key == selected!.Key))
            sources.Insert(0, new Source(selected!.Key, selected.Name));
        return new(sources, null);

        void Add(MailboxKey key, MailboxPath onWire, bool personal)
        {
            if (asked.Any(source => source.Kind switch
            {
                SearchSourceKind.Selected => key == selected!.Key,
                // Those that mail may be delivered into (RFC 5465 §6.3): any, by an address's detail.
                SearchSourceKind.Inboxes or SearchSourceKind.Personal => personal,
                SearchSourceKind.Subscribed => subscribed.Contains(onWire),
                SearchSourceKind.Mailboxes => source.Paths.Contains(onWire),
                SearchSourceKind.SubtreeOne => source.Paths.Any(p => onWire.Equals(p) || p.Equals(onWire.Parent)),
                _ => source.Paths.Any(p => onWire.Equals(p) || onWire.IsBelow(p)),
            }))
                sources.Add(new Source(key, onWire.ToString(names.Delimiter)));
        }
    }

    /// <summary>A mailbox that is searched.</summary>
    private sealed record Source(MailboxKey Key, string Name);
}
