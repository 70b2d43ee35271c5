using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// An acknowledged STORE is seen by what is read after it. With a modseq, message and modseq together determine the flags (RFC 7162 §3.1). Each flag of each message is a
/// register (<see cref="FlagRegister"/>), read by FETCH and by searches for the flag. Messages that may be gone are left out: a session may be told their last flags.
/// </summary>
internal static class FlagReads
{
    /// <summary>Copies of copies are followed so far.</summary>
    private const int MaxCopies = 20;

    public static IEnumerable<Violation> Check(Chronicle chronicle) =>
        chronicle.Mailboxes.SelectMany(static m => m.Messages.SelectMany(Fetched).Concat(Searched(m)));

    private static IEnumerable<Violation> Fetched(MessageChronicle message)
    {
        var versions = new Dictionary<long, (FlagSet Flags, Operation By)>();
        var flags = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (Reading<SeenMessage> reading in message.Readings)
        {
            if (reading.Told.Flags is { } seen)
                flags.UnionWith(seen.Names);
        }
        // What it was copied from may have had flags that it was never told with.
        int copies = 0;
        for (MessageChronicle? of = message; of is not null && copies < MaxCopies; of = of.Source, copies++)
        {
            flags.UnionWith(of.New?.Flags.Names ?? []);
            foreach (Operation store in of.Stores)
                flags.UnionWith(((Store)store.Act).Flags.Names);
        }

        FlagSet? same = null;
        long sameModSeq = 0, sameFrom = 0, sameAt = 0;
        foreach (Reading<SeenMessage> reading in message.Readings)
        {
            if (reading.Told.Flags is not { } seen)
                continue;
            if (reading.Told.ModSeq is { } modSeq)
            {
                if (!versions.TryAdd(modSeq, (seen, reading.By)) && !versions[modSeq].Flags.Equals(seen))
                {
                    yield return Checker.Broken(
                        "flags", $"{message.Subject} at modseq {modSeq}", $"{message} at modseq {modSeq} has flags {versions[modSeq].Flags} and {seen}", versions[modSeq].By, reading.By);
                }
            }
            if (reading.At >= message.MayGo.At)
                continue;
            // The same answer as just before, in a span that includes that of before, tells nothing new.
            if (same is not null && same.Equals(seen) && sameModSeq == (reading.Told.ModSeq ?? -1) && reading.From <= sameFrom && reading.At >= sameAt)
                continue;
            (same, sameModSeq, sameFrom, sameAt) = (seen, reading.Told.ModSeq ?? -1, reading.From, reading.At);
            foreach (string flag in flags)
            {
                if (Broken(message, flag, seen.Contains(flag), reading.From, reading.At, reading.By) is { } violation)
                    yield return violation;
            }
        }
    }

    private static IEnumerable<Violation> Searched(MailboxChronicle mailbox)
    {
        if (!mailbox.Listings.Exists(static l => l.Told.Flag is not null))
            yield break;
        MessageChronicle[] byAdded = [.. mailbox.Messages.OrderBy(static m => m.Added.At)];
        var present = new List<MessageChronicle>();
        int next = 0;
        foreach (Reading<Listing> listing in mailbox.Listings)
        {
            while (next < byAdded.Length && byAdded[next].Added.At < listing.From)
                present.Add(byAdded[next++]);
            present.RemoveAll(m => m.MayGo.At <= listing.From);
            if (listing.Told.Flag is not { } flag)
                continue;
            foreach (MessageChronicle message in present)
            {
                if (message.MayGo.At > listing.At
                    && Broken(message, flag, listing.Told.Uids.Contains(message.Uid), listing.From, listing.At, listing.By) is { } violation)
                    yield return violation;
            }
        }
    }

    private static Violation? Broken(MessageChronicle message, string flag, bool value, long from, long at, Operation by)
    {
        FlagRegister register = message.Register(flag);
        if (register.Could(value, from, at))
            return null;
        Operation? other = register.Overwriting(value, from);
        string why = other is not null
            ? $"operation {other.Number} had {(value ? "cleared" : "set")} it before, and nothing has {(value ? "set" : "cleared")} it since"
            : $"nothing can have {(value ? "set" : "cleared")} it";
        return Checker.Broken(
            "flags", $"{message.Subject} {flag}", $"{message} is told {(value ? "with" : "without")} {flag} in operation {by.Number}, but {why}", other ?? message.Origin, by);
    }
}
