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
        for (int i = 0; i + 1 < message.Versions.Count; i++)
        {
            MessageVersion told = message.Versions[i], next = message.Versions[i + 1];
            foreach (Reading<SeenMessage> reading in told.Readings)
            {
                // What is gone may still be shown as it was.
                if (reading.At < message.MayGo.At && next.Committed.At < reading.From)
                {
                    yield return Checker.Broken(
                        "stale-read", $"{message.Subject} modseq", $"{message} is told with modseq {told.ModSeq} after {next.ModSeq} was committed",
                        next.Committed.By, next.First.By, reading.By);
                }
            }
        }
    }
}
