using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Nothing acknowledged is lost, and nothing that is gone comes back: a mailbox is a set whose elements are added once and removed once. A message is in every listing that
/// began after it was acknowledged or told, or after a larger UID was (commit order), unless something that may have removed it was sent before the listing was there. It is in no
/// listing that began after it was told to be gone, acknowledged as moved away, or missing in an earlier listing. One pass over the listings in the order of their beginning, with
/// the messages that must or may be there.
/// </summary>
internal static class Membership
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) => chronicle.Mailboxes.SelectMany(static m => Missing(m).Concat(Risen(m)));

    private static List<Violation> Missing(MailboxChronicle mailbox)
    {
        var violations = new List<Violation>();
        MessageChronicle[] byAdded = [.. mailbox.Messages.OrderBy(static m => m.Added.At)];
        var present = new List<MessageChronicle>();
        int next = 0;
        for (int at = 0; at < mailbox.Listings.Count; at++)
        {
            Reading<Listing> listing = mailbox.Listings[at];
            if (listing.Told.Flag is not null)
                continue;
            while (next < byAdded.Length && byAdded[next].Added.At < listing.From)
                present.Add(byAdded[next++]);
            int kept = 0;
            for (int i = 0; i < present.Count; i++)
            {
                MessageChronicle message = present[i];
                if (listing.Told.Uids.Contains(message.Uid))
                {
                    present[kept++] = message;
                    continue;
                }
                message.Gone = message.Gone.OrEarlier(new Proof(listing.At, listing.By));
                if (message.MayGo.At > listing.At)
                    violations.Add(Missing(message, at));
            }
            present.RemoveRange(kept, present.Count - kept);
        }
        return violations;
    }

    private static Violation Missing(MessageChronicle message, int at)
    {
        MailboxChronicle mailbox = message.Mailbox;
        Reading<Listing> listing = mailbox.Listings[at];
        string without = $"is not in the listing of operation {listing.By.Number}, though nothing can have removed it";
        if (message.Known.At >= listing.From)
        {
            return Checker.Broken(
                "uid-order", message.Subject, $"{message} appears after a larger UID was there: it {without} by then", message.Added.By, listing.By, message.Known.By);
        }
        Operation? again = mailbox.Listings.Skip(at + 1).FirstOrDefault(l => l.From > listing.At && l.Told.Uids.Contains(message.Uid)).By;
        return again is null
            ? Checker.Broken("lost", message.Subject, $"{message} {without}", message.Known.By, listing.By)
            : Checker.Broken("stale-read", message.Subject, $"{message} {without}, and is there again later", message.Known.By, listing.By, again);
    }

    private static IEnumerable<Violation> Risen(MailboxChronicle mailbox)
    {
        foreach (Reading<Listing> listing in mailbox.Listings)
        {
            foreach (MessageChronicle message in mailbox.Of(listing.Told.Uids))
            {
                if (message.Gone.At < listing.From)
                {
                    yield return Checker.Broken(
                        "resurrected", message.Subject, $"{message} is in the listing of operation {listing.By.Number}, though it was gone before", message.Gone.By, listing.By);
                }
            }
        }
    }
}
