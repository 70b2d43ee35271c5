using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;

namespace MailCluster.Imap.Session;

/// <summary>The searches of the selected mailbox whose results are followed (RFC 5267), and the messages that have changed since they were looked at last.</summary>
internal sealed class SearchContexts
{
    /// <summary>Numbers that all results together may take, 4 octets each; one unsorted result is followed whatever it takes (RFC 5267 §4.3.1).</summary>
    public const int MaxNumbers = 256 * 1024;

    private readonly List<SearchContext> _all = [];
    private UidSet _added = UidSet.Empty;
    private UidSet _changed = UidSet.Empty;

    /// <summary>There is something to look at.</summary>
    public bool IsDue => !_added.IsEmpty || !_changed.IsEmpty;

    public bool Has(string tag) => _all.Exists(c => c.Tag == tag);

    public bool Cancel(string tag) => _all.RemoveAll(c => c.Tag == tag) > 0;

    /// <summary>Null, or why the result can't be followed.</summary>
    /// <param name="most">Of a session.</param>
    public string? TryAdd(SearchContext context, int most)
    {
        if (_all.Count >= most)
            return "Too many searches are followed already";
        if (!Fits(context))
            return "The results that are followed are too large";
        _all.Add(context);
        return null;
    }

    /// <summary>Notes what a step of the view has changed.</summary>
    public void Note(ViewChange change)
    {
        if (_all.Count == 0)
        {
            (_added, _changed) = (UidSet.Empty, UidSet.Empty);
            return;
        }
        _added = _added.Union(change.Added);
        if (_all.Exists(static c => c.ReadsFlags))
            _changed = _changed.Union(change.Changed);
    }

    /// <summary>Takes out what no longer exists.</summary>
    public IEnumerable<ContextChange> Lose(UidSet gone)
    {
        if (gone.IsEmpty)
            yield break;
        foreach (SearchContext context in _all)
        {
            if (context.Remove(gone) is { Count: > 0 } steps)
                yield return new ContextChange(context, steps, UidSet.Empty);
        }
    }

    /// <summary>Looks at what has changed. A context for which that can't be done ends, which its client is told.</summary>
    public async ValueTask<IReadOnlyList<ContextChange>> FollowAsync(ImapSession session, Selected selected)
    {
        if (!IsDue)
            return [];
        MailboxView view = selected.Mailbox.Messages;
        UidSet added = _added.Except(view.Ghosts), changed = _changed.Except(view.Ghosts);
        (_added, _changed) = (UidSet.Empty, UidSet.Empty);
        var changes = new List<ContextChange>();
        foreach (SearchContext context in _all.ToArray())
        {
            try
            {
                UidSet candidates = context.ReadsFlags ? added.Union(changed) : added;
                UidSet found = await session.PatientAsync(FindAsync(session, selected, context, view.Messages, candidates), "Still searching");
                List<ContextStep> steps = [.. context.Remove(candidates.Except(found))];
                UidSet come = found.Except(context.Found);
                steps.AddRange(await session.PatientAsync(context.AddAsync(view.Messages, come, session.Gone), "Still sorting"));
                if (steps.Count > 0)
                    changes.Add(new ContextChange(context, steps, come.Intersect(added)));
            }
            catch (StoreUnavailableException)
            {
                End(session, context, "What is new could not be read");
                continue;
            }
            if (!Fits(context))
                End(session, context, "The results that are followed are too large");
        }
        return changes;
    }

    /// <summary>Message numbers are told no more (RFC 9586).</summary>
    public void EndNumbered(ImapSession session)
    {
        foreach (SearchContext context in _all.Where(static c => !c.Uid).ToArray())
            End(session, context, "Message numbers are not used any more");
    }

    private bool Fits(SearchContext context)
    {
        int others = _all.Where(c => c != context).Sum(static c => c.Size);
        return others + context.Size <= MaxNumbers || (others == 0 && !context.IsSorted);
    }

    private void End(ImapSession session, SearchContext context, string why)
    {
        _all.Remove(context);
        ContextResponse.NoUpdate(session.Reply, context.Tag, why);
    }

    private static async ValueTask<UidSet> FindAsync(ImapSession session, Selected selected, SearchContext context, MailboxSnapshot messages, UidSet candidates)
    {
        AccountId account = selected.Mailbox.Key.Account;
        var search = new MailboxSearch(session.Cluster.Bodies, account, context.Test, session.Services.Indexer?.Index);
        UidSet found = await search.AmongAsync(messages, candidates, session.Gone);
        session.Services.Indexer?.Ask(selected.User.Settings.Tenant, account, search.Unknown);
        return found;
    }
}
