using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// MESSAGES of STATUS and EXISTS of SELECT lie between the number of messages that were certainly there and the number that can have been: those known by their UIDs, and those
/// that operations may have stored without anybody being told. Exact where nothing happened meanwhile.
/// </summary>
internal static class MessageCounts
{
    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        long[] anywhere = Moments.Sorted(chronicle.Arrivals.Where(static a => a.Into is null).Select(static a => a.By.Invoked));
        ILookup<MailboxChronicle?, long> here = chronicle.Arrivals.ToLookup(static a => a.Into, static a => a.By.Invoked);
        return chronicle.Mailboxes.SelectMany(m => Check(m, Moments.Sorted(here[m]), anywhere));
    }

    private static IEnumerable<Violation> Check(MailboxChronicle mailbox, long[] arrivals, long[] anywhere)
    {
        long[] added = Moments.Sorted(mailbox.Messages.Select(static m => m.Added.At));
        long[] mayGo = Moments.Sorted(mailbox.Messages.Select(static m => m.MayGo.At));
        long[] from = Moments.Sorted(mailbox.Messages.Select(static m => m.AddedFrom));
        long[] gone = Moments.Sorted(mailbox.Messages.Select(static m => m.Gone.At));
        // Before the first listing there may be old messages that nobody was told of.
        long isKnownFrom = mailbox.IsNew ? long.MinValue
            : mailbox.Listings.Where(static l => l.Told.Flag is null).Select(static l => l.At).DefaultIfEmpty(long.MaxValue).Min();
        foreach (Reading<SeenCounts> reading in mailbox.Counts)
        {
            if (reading.Told.Messages is not { } told)
                continue;
            long fewest = Moments.CountUntil(added, reading.From - 1) - Moments.CountUntil(mayGo, reading.At);
            long most = Moments.CountUntil(from, reading.At) - Moments.CountUntil(gone, reading.From - 1) + Moments.CountUntil(arrivals, reading.At) + Moments.CountUntil(anywhere, reading.At);
            if (told < fewest || (told > most && isKnownFrom < reading.From))
            {
                yield return Checker.Broken(
                    "counts", $"{mailbox.Ref} operation {reading.By.Number}",
                    $"{mailbox.Ref} has {told} messages by operation {reading.By.Number}, and between {fewest} and {most} by what was acknowledged and told", reading.By);
            }
        }
    }
}
