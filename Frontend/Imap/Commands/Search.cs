using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SEARCH and UID SEARCH (RFC 9051 §6.4.4, §6.4.9; RFC 3501, RFC 4731, RFC 5182, RFC 5267, RFC 9394).</summary>
internal static class Search
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        SearchArguments arguments = command.Parse(SearchGrammar.Parse);
        // RFC 9755 §3: what is UTF-8 throughout has no other charset.
        if (arguments.NamesCharset && state.User.Utf8)
            return Completion.Bad("CHARSET is not for sessions that enabled UTF8=ACCEPT");
        if (arguments.UsesFilters && await InsertFiltersAsync(session, state, arguments, whole => arguments = whole) is { } failed)
            return failed;
        if (SearchUpdates.Refuse(state, command, arguments) is { } used)
            return used;
        var updates = new SearchUpdates(state, arguments);
        return await RunAsync(session, state, arguments, limited: true, async found =>
        {
            if (Saves(arguments))
                state.Mailbox.Saved = SearchFound.ToSave(arguments, ResultList.Of(found.Uids), found.Uids);
            await SearchResponse.WriteAsync(session, state.User, command, arguments, found);
            updates.Begin(session, state, command, arguments, found);
        });
    }

    /// <summary>Puts the keys in the place of filters' names; not null when the search fails for that.</summary>
    public static async ValueTask<Completion?> InsertFiltersAsync(ImapSession session, Selected state, SearchArguments arguments, Action<SearchArguments> inserted)
    {
        Completion? failed = await Filters.InsertAsync(session, state.User, arguments, inserted);
        if (failed is not null && Saves(arguments))
            state.Mailbox.Saved = UidSet.Empty;
        return failed;
    }

    /// <summary>The part that SEARCH, SORT and THREAD share: finds, and hands over what was found.</summary>
    /// <param name="limited">Where there is a limit, only the newest of the messages that the keys leave open are searched (RFC 9738 §3.1); otherwise so many are refused.</param>
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, SearchArguments arguments, bool limited, Func<SearchFound, ValueTask> answer)
    {
        SelectedMailbox mailbox = state.Mailbox;
        if (arguments.UsesNumbers && state.User.UidOnly)
            return Completion.UidRequired;
        try
        {
            if (arguments.BadCharset)
            {
                Forget();
                return Completion.No("BADCHARSET (US-ASCII UTF-8)", "The charset is not known");
            }
            if (arguments.UsesModSeq)
                session.EnableCondStore(state.User);
            (SearchKey key, uint? lowest) = (arguments.Key, null);
            if (session.Options.MessageLimit is not null)
            {
                UidSet open = Candidates(mailbox, key);
                if (!limited && MessageLimit.Refuse(session, open.Cardinality) is { } tooMany)
                {
                    Forget();
                    return tooMany;
                }
                open = MessageLimit.Of(session, open, out lowest);
                if (lowest is { } from)
                    key = new SearchKey.And([new SearchKey.Uid(SequenceSet.Of(new SequenceRange(from, uint.MaxValue))), key]);
            }
            SearchFound found = await FindAsync(session, state.User, mailbox, key, arguments.Threading);
            await answer(lowest is null ? found : found with { IsPart = true });
            return MessageLimit.Told(session, Completion.Done, lowest);
        }
        catch
        {
            Forget();
            throw;
        }

        // RFC 5182 §2.1: a SEARCH that ends in NO leaves nothing saved.
        void Forget()
        {
            if (Saves(arguments))
                mailbox.Saved = UidSet.Empty;
        }
    }

    /// <summary>The messages that sets of numbers and UIDs leave open to the other keys.</summary>
    private static UidSet Candidates(SelectedMailbox mailbox, SearchKey key) => key switch
    {
        SearchKey.And and => and.Keys.Select(k => Candidates(mailbox, k)).Aggregate(static (a, b) => a.Intersect(b)),
        SearchKey.Numbers { Set.IsSavedResult: false } numbers => Numbered(mailbox.Messages.Messages, numbers.Set),
        SearchKey.Numbers saved => mailbox.Resolve(saved.Set, uid: false),
        SearchKey.Uid uid => mailbox.Resolve(uid.Set, uid: true),
        _ => mailbox.Resolve(SequenceSet.Of(new SequenceRange(1, uint.MaxValue)), uid: true),
    };

    private static UidSet Numbered(MailboxSnapshot messages, SequenceSet set)
    {
        UidSet numbers = set.ToUidSet((uint)messages.Count);
        return UidSet.FromUids(messages.Messages().Where(m => numbers.Contains((uint)m.Index + 1)).Select(static m => m.Uid));
    }

    /// <summary>Searches the selected mailbox as the client knows it.</summary>
    public static ValueTask<SearchFound> FindAsync(ImapSession session, ImapUser user, SelectedMailbox mailbox, SearchKey key, ThreadAlgorithm threading)
    {
        MailboxView view = mailbox.Messages;
        return FindAsync(
            session, user, mailbox.Key, key, new SearchCompiler(view.Messages, mailbox.Recent, mailbox.Saved, session.Services.Time.GetUtcNow(), user.Comparator.Collation), threading,
            view.Messages, view.Ghosts);
    }

    /// <summary>Searches a version of a mailbox.</summary>
    /// <param name="threading">By what keys about threads go.</param>
    public static async ValueTask<SearchFound> FindAsync(
        ImapSession session, ImapUser user, MailboxKey mailbox, SearchKey key, SearchCompiler compiler, ThreadAlgorithm threading, MailboxSnapshot messages, UidSet ghosts)
    {
        AccountId account = mailbox.Account;
        if (AnnotationKeys.Occur(key))
        {
            var annotations = new AnnotationKeys(session.Services.Annotations ?? throw new ImapSyntaxException("There are no annotations here"), mailbox, user.Settings.Account, user.Comparator.Collation);
            key = await session.PatientAsync(annotations.ResolveAsync(key, session.Gone), "Still searching");
        }
        if (ThreadKeys.Occur(key))
        {
            var threads = new MailboxThreads(new MessageKeys(session.Cluster.Bodies, account, user.Comparator.Collation), threading);
            UidSet all = UidSet.FromUids(messages.Messages().Select(static m => m.Uid)).Except(ghosts);
            key = await new ThreadKeys(
                async part => (await FindAsync(session, user, account, compiler.Compile(part), messages, ghosts)).Uids,
                () => session.PatientAsync(threads.RunAsync(messages, all, session.Gone), "Still threading")).ResolveAsync(key);
        }
        return await FindAsync(session, user, account, compiler.Compile(key), messages, ghosts);
    }

    private static async ValueTask<SearchFound> FindAsync(ImapSession session, ImapUser user, AccountId account, SearchTest test, MailboxSnapshot messages, UidSet ghosts)
    {
        var search = new MailboxSearch(session.Cluster.Bodies, account, test, session.Services.Indexer?.Index);
        SearchFound found = await session.PatientAsync(search.RunAsync(messages, ghosts, session.Gone), "Still searching");
        session.Services.Indexer?.Ask(user.Settings.Tenant, account, search.Unknown);
        return found;
    }

    public static bool Saves(SearchArguments arguments) => arguments.Return?.HasFlag(SearchReturn.Save) == true;
}
