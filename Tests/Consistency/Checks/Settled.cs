using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// When all is quiet all agree: in operations with the command "settle", with no change under way or sent between them, every session is told the same UIDs, and the same flags,
/// keywords, modseq and mark of each message. Whoever records "settle" has waited until nothing of unknown outcome can still be under way.
/// </summary>
internal static class Settled
{
    public const string Command = "settle";

    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        var round = new Dictionary<MailboxRef, (SeenAll? All, Operation? By, Dictionary<uint, (SeenMessage Told, Operation By)> Messages)>();
        long changesEnd = long.MinValue;
        foreach (Operation operation in chronicle.History)
        {
            if (operation.Act is not (Read or Select))
            {
                round.Clear();
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
                else if (seen is SeenMessage message)
                {
                    var had = round.GetValueOrDefault(message.In);
                    if (had.Messages is null)
                        round[message.In] = had = (null, null, []);
                    if (!had.Messages.TryAdd(message.Uid, (message, operation)) && Differ(had.Messages[message.Uid].Told, message))
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
    private static bool Differ(SeenMessage one, SeenMessage other) =>
        (one.Flags is not null && other.Flags is not null && !one.Flags.Equals(other.Flags))
        || (one.ModSeq is not null && other.ModSeq is not null && one.ModSeq != other.ModSeq)
        || (one.Mark is not null && other.Mark is not null && one.Mark != other.Mark);
}
