using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// STORE with UNCHANGEDSINCE (RFC 7162 §3.1.3) changes nothing that has changed: where it did not name a message in MODIFIED, no version above its modseq was committed before
/// it was sent; and of two that start from the same version of a message, and both change it, one fails.
/// </summary>
internal static class ConditionalStores
{
    public static IEnumerable<Violation> Check(Chronicle chronicle) => chronicle.Mailboxes.SelectMany(static m => m.Messages).SelectMany(Check);

    private static IEnumerable<Violation> Check(MessageChronicle message)
    {
        var winners = new Dictionary<long, Operation>();
        foreach (Operation operation in message.Stores)
        {
            var store = (Store)operation.Act;
            if (operation.Outcome != Outcome.Ok || store.UnchangedSince is not { } since || message.MayGo.At <= operation.Completed
                || message.Added.At >= operation.Invoked)
                continue;
            if (message.Versions.FirstOrDefault(v => v.ModSeq > since) is { } later && later.Committed.At < operation.Invoked)
            {
                yield return Checker.Broken(
                    "unchangedsince", message.Subject, $"{operation.Text} changed {message}, whose modseq was {later.ModSeq} before", later.Committed.By, later.First.By, operation);
            }
            Reading<SeenMessage> basis = message.Versions.FirstOrDefault(v => v.ModSeq == since)?.FlaggedFor(operation.Account) ?? default;
            if (basis.By is null || basis.At >= operation.Invoked || Applied(basis.Told.Flags!, store).Equals(basis.Told.Flags))
                continue;
            if (!winners.TryAdd(since, operation))
            {
                yield return Checker.Broken(
                    "unchangedsince", message.Subject, $"{winners[since].Text} and {operation.Text} have both changed {message} at modseq {since}", basis.By, winners[since], operation);
            }
        }
    }

    private static FlagSet Applied(FlagSet flags, Store store) => store.Kind switch
    {
        StoreKind.Add => flags.With(store.Flags),
        StoreKind.Remove => flags.Without(store.Flags),
        _ => store.Flags,
    };
}
