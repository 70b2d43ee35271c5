using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// What is wrong in itself: a breach that the client's own bookkeeping found, a tagged BAD (clients send no bad commands), NO [SERVERBUG], octets of a message that are
/// not those that were stored.
/// </summary>
internal static class Answers
{
    public static IEnumerable<Violation> Check(Chronicle chronicle)
    {
        foreach (Operation operation in chronicle.History)
        {
            if (operation.Outcome == Outcome.Bad)
                yield return Checker.Broken("answer", $"operation {operation.Number}", $"{operation.Text} was answered with BAD", operation);
            if (operation is { Outcome: Outcome.No, Code: "SERVERBUG" or "CONTACTADMIN" })
                yield return Checker.Broken("answer", $"operation {operation.Number}", $"{operation.Text} was answered with NO [{operation.Code}]", operation);
            foreach (Seen seen in operation.Seen)
            {
                if (seen is SeenBreach breach)
                    yield return Checker.Broken(breach.Promise, $"{breach.In} session {operation.Session}", $"{breach.What} ({operation.Account}, {operation.Text})", operation);
                if (seen is SeenMessage { Whole: false } message)
                    yield return Checker.Broken(
                        "bytes", $"{message.In} UID {message.Uid}", $"UID {message.Uid} of {message.In} (mark {message.Mark}) has not the octets that were stored", operation);
            }
        }
    }
}
