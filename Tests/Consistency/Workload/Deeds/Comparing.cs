using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>
/// After a SELECT with QRESYNC: what was remembered and brought up to date must be what a client finds that fetches everything. What changed since the SELECT has
/// a higher modseq than it told.
/// </summary>
internal sealed class Comparing(MailboxView view)
{
    // With known UIDs given nothing is told of later messages (RFC 7162 §3.2.5.1).
    private readonly bool _onlyKnown = view.FirstUnknownNumber > 0;
    private readonly long _highest = view.SyncedModSeq ?? 0;
    private readonly Dictionary<uint, Told> _expected = view.Uids.ToDictionary(static u => u, view.Of);

    public Command Fetch() => new("UID FETCH", $"1:* (UID FLAGS MODSEQ {FetchItems.MarkItem})")
    {
        Act = _ => new Read("FETCH", view.Mailbox),
        Inspect = Inspect,
    };

    private void Inspect(Answer answer, SessionModel model)
    {
        if (!answer.IsOk)
            return;
        var found = new HashSet<uint>();
        foreach (SeenMessage message in answer.Seen.OfType<SeenMessage>().ToList())
        {
            found.Add(message.Uid);
            model.Check(Wrong(message), "qresync", answer, message.At);
        }
        UidSet lost = UidSet.FromUids(_expected.Keys.Where(uid => !found.Contains(uid) && view.Has(uid)));
        model.Check(lost.IsEmpty ? null : $"UID FETCH 1:* after QRESYNC at {_highest} without {lost}, which were not told to be gone", "qresync", answer, answer.Completed);
    }

    private string? Wrong(SeenMessage message)
    {
        if (message.ModSeq is not { } modSeq || modSeq > _highest || message.Flags is null)
            return null;
        if (!_expected.TryGetValue(message.Uid, out Told told))
            return _onlyKnown ? null : $"UID {message.Uid}, changed at {modSeq}, was not told by a SELECT with QRESYNC at {_highest}";
        return told.Flags is null || told.Flags.Equals(message.Flags)
            ? null
            : $"UID {message.Uid} has {message.Flags} since {modSeq}, and {told.Flags} after QRESYNC at {_highest}";
    }
}
