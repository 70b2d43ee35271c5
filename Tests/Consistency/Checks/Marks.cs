using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Nothing is stored twice, and nothing comes from nowhere: one UID is one message for ever, copies are of what was copied, and the messages that carry one mark are no more than
/// the appends, deliveries and copies that may have made one: in each mailbox, and together.
/// </summary>
internal static class Marks
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) =>
        chronicle.Mailboxes.SelectMany(static m => m.Messages).SelectMany(OneMessage)
            .Concat(chronicle.Origins.Open.SelectMany(m => Twice(chronicle.Origins, m.Key, m.Value)));

    private static IEnumerable<Violation> OneMessage(MessageChronicle message)
    {
        string? first = message.New?.Mark ?? message.Source?.Mark;
        Operation? by = first is null ? null : message.Origin;
        foreach (Reading<SeenMessage> reading in message.Readings)
        {
            if (reading.Told.Mark is not { } mark)
                continue;
            if (first is not null && first != mark)
            {
                yield return Checker.Broken(
                    "uid-reused", message.Subject, $"UID {message.Uid} of {message.Mailbox.Ref} is mark {first} and mark {mark}", by, reading.By);
            }
            first ??= mark;
            by ??= reading.By;
        }
    }

    private static IEnumerable<Violation> Twice(Origins origins, string mark, List<MessageChronicle> open)
    {
        foreach (IGrouping<MailboxChronicle, MessageChronicle> here in open.GroupBy(static m => m.Mailbox))
        {
            if (TooMany(mark, [.. here], [.. origins.Of(mark).Where(a => a.CanBeIn(here.Key))]) is { } violation)
            {
                yield return violation;
                yield break;
            }
        }
        if (TooMany(mark, open, [.. origins.Of(mark).Where(a => open.Exists(m => a.CanBeIn(m.Mailbox)))]) is { } broken)
            yield return broken;
    }

    private static Violation? TooMany(string mark, List<MessageChronicle> open, List<Arrival> arrivals)
    {
        long last = open.Max(static m => m.Known.At);
        int made = arrivals.Count(a => a.By.Invoked <= last);
        if (open.Count <= made)
            return null;
        string what = $"mark {mark} is at {string.Join(" and ", open.Select(static m => $"UID {m.Uid} of {m.Mailbox.Ref}"))}, but {made} operations can have put it there";
        return Checker.Broken("twice", $"mark {mark}", what, open.Select(static m => m.Known.By).Concat(arrivals.Take(10).Select(static a => a.By)));
    }
}
