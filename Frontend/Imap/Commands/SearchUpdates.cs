using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>UPDATE of SEARCH and SORT (RFC 5267 §4.3): begins to follow what was found.</summary>
internal sealed class SearchUpdates
{
    private static readonly MailboxSnapshot Nothing = MailboxSnapshot.OfRows(0, 0, 1, []);

    private readonly LastingKeys? _keys;
    private readonly SearchKey? _key;

    /// <summary>Before the search, which may save another result.</summary>
    public SearchUpdates(Selected state, SearchArguments arguments)
    {
        if (!arguments.Updates || arguments.BadCharset)
            return;
        _keys = new LastingKeys(state.Mailbox.Messages.Messages, state.Mailbox.Saved);
        _key = _keys.Of(arguments.Key);
    }

    /// <summary>Not null: the tag is that of a search that is followed.</summary>
    public static Completion? Refuse(Selected state, Command command, SearchArguments arguments)
    {
        if (!arguments.Updates || !state.Mailbox.Contexts.Has(command.Tag))
            return null;
        return Completion.Bad("The tag is that of a search that is followed");
    }

    /// <param name="order">What was found, in the order of <paramref name="sort"/>.</param>
    public void Begin(ImapSession session, Selected state, Command command, SearchArguments arguments, SearchFound found, MailboxSort? sort = null, MessageRef[]? order = null)
    {
        if (_keys is null)
            return;
        string? refused = found.IsPart ? "Only a part of the mailbox was searched" : _key is null || sort is { Lasts: false } ? "What such keys find changes by itself" : null;
        if (refused is null)
        {
            // The keys have nothing of the mailbox in them any more, and keep no version of it in memory.
            SearchTest test = new SearchCompiler(Nothing, UidSet.Empty, UidSet.Empty, default, state.User.Comparator.Collation).Compile(_key!);
            List<FetchAttribute>? fetch = arguments.UpdateFetch?.Select(static a => a with { Peek = true }).ToList();
            var context = new SearchContext(command.Tag, command.Uid, test, _keys.ReadFlags, fetch) { Found = found.Uids };
            if (sort is not null)
                context.Sorted(sort, order!.Select(static m => m.Uid));
            refused = state.Mailbox.Contexts.TryAdd(context, session.Options.SearchContexts);
            if (refused is null && fetch?.Exists(static a => a.Item == FetchItem.ModSeq) == true)
                session.EnableCondStore(state.User);
        }
        if (refused is not null)
            ContextResponse.NoUpdate(session.Reply, command.Tag, refused);
    }
}
