using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// When all is quiet all agree: in operations with the command "settle", with no change under way or sent between them, every session is told the same UIDs, and the same flags,
/// keywords, annotations, modseq and mark of each message. Whoever records "settle" has waited until nothing of unknown outcome can still be under way.
/// </summary>
internal static class Settled
{
    public const string Command = "settle";

    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        var round = new Dictionary<MailboxRef, (SeenAll? All, Operation? By, Dictionary<uint, (SeenMessage Told, Operation By)> Messages)>();
        var annotations = new Dictionary<(MailboxRef, uint, string), (string? Value, Operation By)>();
        long changesEnd = long.MinValue;
        foreach (Operation operation in chronicle.History)
        {
            if (operation.Act is not (Read or Select))
            {
                round.Clear();
                annotations.Clear();
                if (operation.Outcome == Outcome.Ok)
                    changesEnd = Math.Max(changesEnd, operation.Completed);
                continue;
            }
            if (operation.Act is not Read { Command: Command } || operation.Invoked <= changesEnd)
                continue;
            foreach (Seen seen in operation.Seen)
            {
                if (seen is SeenAll all)
                {
                    var had = round.GetValueOrDefault(all.In);
                    if (had.All is not null && !had.All.Uids.Equals(all.Uids))
                    {
                        UidSet missing = had.All.Uids.Except(all.Uids), more = all.Uids.Except(had.All.Uids);
                        yield return Checker.Broken(
                            "converge", $"{all.In}", $"sessions {had.By!.Session} and {operation.Session} are told different messages of {all.In}: one without {missing}, the other without {more}",
                            had.By, operation);
                    }
                    round[all.In] = (all, operation, had.Messages ?? []);
                }
                else if (seen is SeenAnnotations annotated)
                {
                    foreach (Annotation told in annotated.Told)
                    {
                        if (!annotations.TryAdd((annotated.In, annotated.Uid, told.Name), (told.Value, operation)) && annotations[(annotated.In, annotated.Uid, told.Name)] is var (value, by) && value != told.Value)
                        {
                            yield return Checker.Broken(
                                "converge", $"{annotated.In} UID {annotated.Uid} {told.Name}",
                                $"UID {annotated.Uid} of {annotated.In} has {told.Name} {value ?? "NIL"} to session {by.Session}, {told.Value ?? "NIL"} to session {operation.Session}", by, operation);
                        }
                    }
                }
                else if (seen is SeenMessage message)
                {
                    var had = round.GetValueOrDefault(message.In);
                    if (had.Messages is null)
                        round[message.In] = had = (null, null, []);
                    if (!had.Messages.TryAdd(message.Uid, (message, operation)) && Differ(had.Messages[message.Uid], (message, operation)))
                    {
                        (SeenMessage told, Operation by) = had.Messages[message.Uid];
                        yield return Checker.Broken(
                            "converge", $"{message.In} UID {message.Uid}",
                            $"UID {message.Uid} of {message.In} is {told.Flags} modseq {told.ModSeq} mark {told.Mark} to session {by.Session}, "
                            + $"{message.Flags} modseq {message.ModSeq} mark {message.Mark} to session {operation.Session}", by, operation);
                    }
                }
            }
        }
    }

    // Only what both were told can differ.
    private static bool Differ((SeenMessage Told, Operation By) one, (SeenMessage Told, Operation By) other) =>
        (one.Told.Flags is { } flags && other.Told.Flags is { } others && !Perspectives.Common(flags, one.By, other.By).Equals(Perspectives.Common(others, one.By, other.By)))
        || (one.Told.ModSeq is not null && other.Told.ModSeq is not null && one.Told.ModSeq != other.Told.ModSeq)
        || (one.Told.Mark is not null && other.Told.Mark is not null && one.Told.Mark != other.Told.Mark);
}
