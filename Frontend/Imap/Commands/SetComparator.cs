using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>COMPARATOR (RFC 5255 §4.7): tells or changes what SEARCH, SORT and THREAD compare with, until the user changes. Searches that are followed go on as they began.</summary>
internal static class SetComparator
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        IReadOnlyList<string> orders = command.HasArguments ? command.Parse(SessionGrammar.ParseComparator) : [];
        List<Comparator> matching = [.. orders.SelectMany(Comparator.Matching)];
        if (orders.Count > 0)
        {
            if (matching.Count == 0)
                return new(Completion.No("BADCOMPARATOR", "No such comparator is known"));
            // The first argument that is known wins.
            state.User.Comparator = matching[0];
        }
        ReplyWriter reply = session.Reply.Untagged().Raw("COMPARATOR "u8).Raw(state.User.Comparator.Name);
        Collation[] several = [.. matching.Select(static c => c.Collation).Distinct()];
        if (several.Length > 1)
        {
            reply.Raw(" ("u8).Raw(several[0].Name);
            foreach (Collation other in several[1..])
                reply.Space().Raw(other.Name);
            reply.Close();
        }
        reply.NewLine();
        return new(Completion.Done);
    }
}
