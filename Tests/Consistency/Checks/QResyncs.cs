using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// SELECT with QRESYNC (RFC 7162 §3.2.5) brings a client from modseq `since` to now. It names, as vanished, each message that was certainly there at `since` (a version not above it was
/// told, and it was still told when the mailbox had reached `since`) and certainly gone when the command was sent. It tells each message of which a later version was
/// committed by then. And what it names as vanished is in no later listing (VANISHED (EARLIER) of FETCH neither).
/// </summary>
internal static class QResyncs
{
    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        var lastTold = new Dictionary<MailboxChronicle, Dictionary<uint, Reading<Listing>>>();
        ILookup<MailboxChronicle, uint> validities = chronicle.Mailboxes
            .SelectMany(static m => m.Counts.Select(c => (m, c.Told.UidValidity))).Where(static v => v.UidValidity is not null)
            .Distinct().ToLookup(static v => v.m, static v => v.UidValidity!.Value);
        foreach (Operation operation in chronicle.History)
        {
            foreach (SeenVanished vanished in operation.Seen.OfType<SeenVanished>())
            {
                foreach (Violation violation in Present(chronicle.Mailbox(vanished.In), vanished, operation, chronicle.From(operation, vanished.At)))
                    yield return violation;
            }
            if (operation is not { Outcome: Outcome.Ok, Act: Select { Since: { } since, In: { } mailbox } })
                continue;
            MailboxChronicle selected = chronicle.Mailbox(mailbox);
            // With another UIDVALIDITY than the client's the server starts afresh.
            if (validities[selected].Take(2).Count() > 1)
                continue;
            if (!lastTold.TryGetValue(selected, out Dictionary<uint, Reading<Listing>>? last))
                lastTold[selected] = last = LastTold(selected);
            foreach (Violation violation in Unnamed(selected, last, since, operation, chronicle.From(operation, operation.Completed)))
                yield return violation;
        }
    }

    private static IEnumerable<Violation> Present(MailboxChronicle mailbox, SeenVanished vanished, Operation by, long from)
    {
        foreach (MessageChronicle message in mailbox.Of(vanished.Uids))
        {
            if (message.Added.At >= from)
                continue;
            Reading<Listing> later = mailbox.Listings.Find(l => l.From > vanished.At && l.Told.Uids.Contains(message.Uid));
            if (later.By is not null)
            {
                yield return Checker.Broken(
                    "qresync", message.Subject, $"operation {by.Number} names {message} as vanished since modseq {vanished.Since}, and operation {later.By.Number} lists it", by, later.By);
            }
        }
    }

    private static IEnumerable<Violation> Unnamed(MailboxChronicle mailbox, Dictionary<uint, Reading<Listing>> last, long since, Operation select, long from)
    {
        UidSet? known = ((Select)select.Act).Known;
        UidSet vanished = select.Seen.OfType<SeenVanished>().Aggregate(UidSet.Empty, static (all, v) => all.Union(v.Uids));
        var told = select.Seen.OfType<SeenMessage>().GroupBy(static m => m.Uid).ToDictionary(static g => g.Key, static g => g.Max(static m => m.ModSeq ?? long.MaxValue));
        long end = select.Seen.Count == 0 ? select.Completed : select.Seen.Max(static s => s.At);
        Proof reached = mailbox.ModSeq.Reached(since);
        foreach (MessageChronicle message in mailbox.Messages)
        {
            if (known?.Contains(message.Uid) == false)
                continue;
            if (message.Versions is not [var first, ..] versions)
                continue;
            if (message.Gone.At < from)
            {
                bool wasThere = first.ModSeq <= since
                    && (versions[^1].ModSeq >= since || (last.TryGetValue(message.Uid, out Reading<Listing> listing) && listing.From > reached.At));
                if (wasThere && !vanished.Contains(message.Uid))
                {
                    yield return Checker.Broken(
                        "qresync", message.Subject, $"{select.Text} does not name {message} as vanished, which was there at modseq {since} and is gone", first.First.By, message.Gone.By, select);
                }
            }
            else if (message.MayGo.At > end)
            {
                MessageVersion? newer = versions.LastOrDefault(v => v.ModSeq > since && v.Committed.At < from);
                if (newer is not null && (!told.TryGetValue(message.Uid, out long modSeq) || modSeq < newer.ModSeq))
                {
                    yield return Checker.Broken(
                        "qresync", message.Subject, $"{select.Text} does not tell {message}, which has modseq {newer.ModSeq}", newer.Committed.By, newer.First.By, select);
                }
            }
        }
    }

    private static Dictionary<uint, Reading<Listing>> LastTold(MailboxChronicle mailbox)
    {
        var last = new Dictionary<uint, Reading<Listing>>();
        foreach (Reading<Listing> listing in mailbox.Listings)
        {
            foreach (uint uid in listing.Told.Uids.Uids())
                last[uid] = listing;
        }
        return last;
    }
}
