using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// An acknowledged STORE is seen by what is read after it. With a modseq, message and modseq together determine the flags (RFC 7162 §3.1). Each flag of each message is a
/// register (<see cref="FlagRegister"/>), read by FETCH and by searches for the flag. Messages that may be gone are left out: a session may be told their last flags.
/// </summary>
internal static class FlagReads
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) =>
        chronicle.Mailboxes.SelectMany(static m => m.Messages.SelectMany(Fetched).Concat(Searched(m)));

    private static IEnumerable<Violation> Fetched(MessageChronicle message)
    {
        IReadOnlySet<string> flags = message.FlagNames;
        foreach (MessageVersion version in message.Versions)
        {
            Reading<SeenMessage> flagged = version.Flagged;
            if (flagged.By is null)
                continue;
            foreach (Reading<SeenMessage> reading in version.Readings)
            {
                if (reading.Told.Flags is { } seen
                    && !Perspectives.Common(flagged.Told.Flags!, flagged.By, reading.By).Equals(Perspectives.Common(seen, flagged.By, reading.By)))
                {
                    yield return Checker.Broken(
                        "flags", $"{message.Subject} at modseq {version.ModSeq}", $"{message} at modseq {version.ModSeq} has flags {flagged.Told.Flags} and {seen}", flagged.By, reading.By);
                }
            }
            foreach (Violation violation in version.Readings.GroupBy(static r => r.By.Account).SelectMany(readings => Read(message, version, [.. readings], flags)))
                yield return violation;
        }
        foreach (Reading<SeenMessage> reading in message.Readings)
        {
            if (reading.Told is not { ModSeq: null, Flags: { } seen } || reading.At >= message.MayGo.At)
                continue;
            foreach (string flag in flags)
            {
                if (Perspectives.IsTold(flag, reading.By) && Broken(message, flag, seen.Contains(flag), reading.From, reading.At, reading.By) is { } violation)
                    yield return violation;
            }
        }
    }

    /// <summary>A version as one account was told it.</summary>
    private static IEnumerable<Violation> Read(MessageChronicle message, MessageVersion version, Reading<SeenMessage>[] readings, IReadOnlySet<string> flags)
    {
        Reading<SeenMessage> first = Array.Find(readings, static r => r.Told.Flags is not null);
        if (first.By is null)
            yield break;
        // A version was there from its first reading to its last: it is as if it were read once, in the shortest span.
        long from = long.MinValue, at = long.MaxValue;
        Operation? last = null;
        foreach (Reading<SeenMessage> reading in readings)
        {
            if (reading.Told.Flags is { } seen && !first.Told.Flags!.Equals(seen))
            {
                yield return Checker.Broken(
                    "flags", $"{message.Subject} at modseq {version.ModSeq}", $"{message} at modseq {version.ModSeq} has flags {first.Told.Flags} and {seen}", first.By, reading.By);
            }
            if (reading.At >= message.MayGo.At)
                continue;
            at = Math.Min(at, reading.At);
            if (last is null || reading.From > from)
                (from, last) = (reading.From, reading.By);
        }
        if (last is null)
            yield break;
        foreach (string flag in flags)
        {
            if (Perspectives.IsTold(flag, first.By) && Broken(message, flag, first.Told.Flags!.Contains(flag), from, at, last) is { } violation)
                yield return violation;
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
