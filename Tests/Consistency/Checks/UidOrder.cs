using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// UIDs rise in the order of commits: what was sent after a UID was known gets a larger one, UIDNEXT never falls and is above every UID that was told before.
/// (That no smaller UID appears late is in <see cref="Membership"/>.)
/// </summary>
internal static class UidOrder
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) => chronicle.Mailboxes.SelectMany(static m => Late(m).Concat(Next(m)));

    private static IEnumerable<Violation> Late(MailboxChronicle mailbox)
    {
        foreach (MessageChronicle message in mailbox.Messages)
        {
            if (message.AddedFrom > message.Added.At)
            {
                yield return Checker.Broken(
                    "uid-order", message.Subject, $"{message} was stored after a larger UID, or UIDNEXT, was told", message.Added.By, message.Origin, message.Known.By);
            }
        }
    }

    private static IEnumerable<Violation> Next(MailboxChronicle mailbox)
    {
        var known = new Rising();
        foreach (MessageChronicle message in mailbox.Messages)
            known.Add(message.Known.At, message.Uid, message.Known.By!);
        foreach (Reading<SeenCounts> reading in mailbox.Counts)
        {
            if (reading.Told.UidNext is not { } next)
                continue;
            if (known.Before(reading.From) is { } uid && uid.Value >= next)
            {
                yield return Checker.Broken(
                    "uid-order", $"{mailbox.Ref} UIDNEXT", $"UIDNEXT of {mailbox.Ref} is {next} after UID {uid.Value} was there", uid.By, reading.By);
            }
            if (mailbox.UidNext.Before(reading.From) is { } before && before.Value > next)
            {
                yield return Checker.Broken(
                    "uid-order", $"{mailbox.Ref} UIDNEXT", $"UIDNEXT of {mailbox.Ref} is {next} after it was {before.Value}", before.By, reading.By);
            }
        }
    }
}
