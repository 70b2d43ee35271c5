using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Nothing is lost before anybody saw it: a delivery (or an APPEND without APPENDUID) that was acknowledged, and a MOVE or REPLACE of unknown outcome that has certainly taken its message away,
/// have put a message into the mailbox. If nobody was ever told one with this mark there, every later listing, all of whose UIDs are known to be other messages, shows that it is lost:
/// unless something may have removed it unseen.
/// </summary>
internal static class UnseenMessages
{
    /// <summary>So many listings are tried for one message: early ones may hold UIDs whose mark nobody has fetched.</summary>
    private const int MaxListings = 50;

    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        var mayGo = new Dictionary<(MailboxChronicle, bool), long>();
        foreach (Arrival arrival in chronicle.Arrivals)
        {
            if (arrival.Into is not { } mailbox || arrival.Mark is not { } mark || Since(arrival) is not { By: { } shown } since
                || HasInstance(mailbox, mark))
                continue;
            bool mayBeDeleted = arrival.New?.Flags.Contains(@"\Deleted") ?? true;
            if (!mayGo.TryGetValue((mailbox, mayBeDeleted), out long until))
                mayGo[(mailbox, mayBeDeleted)] = until = MayGoUnseen(mailbox, mayBeDeleted);
            Reading<Listing> without = mailbox.Listings
                .Where(l => l.Told.Flag is null && l.From > since.At).Take(MaxListings).FirstOrDefault(l => l.At < until && AllAreKnown(mailbox, l.Told.Uids));
            if (without.By is not null)
            {
                yield return Checker.Broken(
                    "lost", $"mark {mark} in {mailbox.Ref}", $"mark {mark} is nowhere in {mailbox.Ref}, where operation {arrival.By.Number} has put it", arrival.By, shown, without.By);
            }
        }
    }

    /// <summary>Since when it is certain to have happened.</summary>
    private static Proof Since(Arrival arrival)
    {
        if (arrival.Done is { } done)
            return new Proof(done.Completed, done);
        return arrival.Takes is { Gone.IsKnown: true } taken
            && taken.Removers.TrueForAll(o => o.Number == arrival.By.Number || o.Invoked > taken.Gone.At)
            ? taken.Gone
            : Proof.Never;
    }

    private static bool HasInstance(MailboxChronicle mailbox, string mark)
    {
        foreach (MessageChronicle message in mailbox.Messages)
        {
            if (message.Mark == mark)
                return true;
        }
        return false;
    }

    private static bool AllAreKnown(MailboxChronicle mailbox, UidSet uids) =>
        mailbox.Of(uids).All(static m => m.Mark is not null || m.IsOlder);

    /// <summary>The first operation that may have removed a message that nobody was told of.</summary>
    private static long MayGoUnseen(MailboxChronicle mailbox, bool mayBeDeleted)
    {
        IEnumerable<Operation> may = mailbox.Deletes
            .Concat(mailbox.Moves.Where(o => MayNameUnseen(mailbox, o.Act is Transfer move ? move.Uids : UidSet.Single(((Replace)o.Act).Uid))))
            .Concat(mailbox.Removes.Where(o => MayNameUnseen(mailbox, ((Remove)o.Act).Uids)))
            .Concat(mailbox.Stores.Where(o => ((Store)o.Act).Flags.Contains(@"\Deleted") && MayNameUnseen(mailbox, ((Store)o.Act).Uids)));
        if (mayBeDeleted)
            may = may.Concat(mailbox.Expunges);
        return may.Select(static o => o.Invoked).DefaultIfEmpty(long.MaxValue).Min();
    }

    private static bool MayNameUnseen(MailboxChronicle mailbox, UidSet uids) =>
        uids.Cardinality > mailbox.Of(uids).Count(static m => m.Mark is not null || m.IsOlder);
}
