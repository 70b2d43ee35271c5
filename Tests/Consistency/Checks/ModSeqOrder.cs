using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Modseqs rise in the order of commits (RFC 7162 §3.1): HIGHESTMODSEQ never falls and is not below a modseq that was told before, and a message that is read shows the last of its
/// versions that was committed before: all those up to the highest modseq that anybody was told of the mailbox.
/// </summary>
internal static class ModSeqOrder
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) =>
        chronicle.Mailboxes.SelectMany(static m => Highest(m).Concat(m.Messages.SelectMany(Stale)));

    private static IEnumerable<Violation> Highest(MailboxChronicle mailbox)
    {
        foreach (Reading<SeenCounts> reading in mailbox.Counts)
        {
            if (reading.Told.HighestModSeq is { } value && mailbox.ModSeq.Before(reading.From) is { } before && before.Value > value)
            {
                yield return Checker.Broken(
                    "modseq-order", $"{mailbox.Ref} HIGHESTMODSEQ", $"HIGHESTMODSEQ of {mailbox.Ref} is {value} after modseq {before.Value} was told", before.By, reading.By);
            }
        }
    }

    private static IEnumerable<Violation> Stale(MessageChronicle message)
    {
        (long ModSeq, Proof Committed, Operation By)[] versions =
        [
            .. message.Readings.Where(static r => r.Told.ModSeq is not null).GroupBy(static r => r.Told.ModSeq!.Value).OrderBy(static g => g.Key)
                .Select(g => (g.Key, message.Mailbox.ModSeq.Reached(g.Key), g.MinBy(static r => r.At).By)),
        ];
        if (versions.Length < 2)
            yield break;
        foreach (Reading<SeenMessage> reading in message.Readings)
        {
            // What is gone may still be shown as it was.
            if (reading.Told.ModSeq is not { } told || reading.At >= message.MayGo.At)
                continue;
            int n = versions.Length;
            while (n > 0 && versions[n - 1].Committed.At >= reading.From)
                n--;
            if (n > 0 && versions[n - 1].ModSeq > told)
            {
                (long modSeq, Proof committed, Operation by) = versions[n - 1];
                yield return Checker.Broken(
                    "stale-read", $"{message.Subject} modseq", $"{message} is told with modseq {told} after {modSeq} was committed", committed.By, by, reading.By);
            }
        }
    }
}
