using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>Finds for each message what may have removed it, from when on, and what certainly has.</summary>
internal sealed class Removals(Chronicle chronicle, IReadOnlyList<Operation> deletes, IReadOnlyList<Operation> renames)
{
    private const string Deleted = @"\Deleted";

    public void Find()
    {
        foreach (MailboxChronicle mailbox in chronicle.Mailboxes)
        {
            foreach (Operation operation in deletes)
            {
                if (MayDelete(mailbox, operation))
                    mailbox.Deletes.Add(operation);
            }
            foreach (MessageChronicle message in mailbox.Messages)
            {
                foreach (Operation operation in mailbox.Deletes)
                    message.MayBeRemoved(operation, operation.Invoked);
            }
            foreach (Operation operation in mailbox.Moves)
                Move(mailbox, operation);
            foreach (Operation operation in mailbox.Removes)
                Remove(mailbox, operation);
            foreach (Operation operation in mailbox.Expunges)
            {
                if (((Expunge)operation.Act).Uids is { } uids)
                {
                    foreach (MessageChronicle message in mailbox.Of(uids))
                        Expunge(message, operation, isAll: false);
                }
            }
            Operation[] all = [.. mailbox.Expunges.Where(static o => ((Expunge)o.Act).Uids is null)];
            foreach (MessageChronicle message in mailbox.Messages)
            {
                if (!MayBeDeleted(message))
                    continue;
                foreach (Operation operation in all)
                    Expunge(message, operation, isAll: true);
            }
        }
    }

    /// <summary>
    /// Whether a DELETE can have taken a mailbox: it may have had the name, and was not told of after the DELETE was acknowledged. Which one the client believed to delete does
    /// not matter: it may have been renamed in the meantime.
    /// </summary>
    private bool MayDelete(MailboxChronicle mailbox, Operation operation)
    {
        bool isAlive = operation.Outcome == Outcome.Ok
            && ((mailbox.Listings.Count > 0 && mailbox.Listings[^1].From > operation.Completed) || (mailbox.Counts.Count > 0 && mailbox.Counts[^1].From > operation.Completed));
        return !isAlive && MailboxNames.MayHave(mailbox, (Delete)operation.Act, operation, renames);
    }

    private static void Move(MailboxChronicle mailbox, Operation operation)
    {
        IEnumerable<MessageChronicle> moved = operation.Act switch
        {
            Replace replace => [mailbox.Message(replace.Uid)],
            // One that was broken off says what it moved, and may have moved more.
            Transfer { Pairs.Count: > 0 } move when operation.Outcome == Outcome.Ok => move.Pairs.Select(p => mailbox.Message(p.Source)),
            var move => mailbox.Of(((Transfer)move).Uids),
        };
        foreach (MessageChronicle message in moved)
            message.MayBeRemoved(operation, operation.Invoked);
    }

    /// <summary>What it names its session has seen there: +OK says that all of it is gone.</summary>
    private static void Remove(MailboxChronicle mailbox, Operation operation)
    {
        foreach (MessageChronicle message in mailbox.Of(((Remove)operation.Act).Uids))
        {
            message.MayBeRemoved(operation, operation.Invoked);
            if (operation.Outcome == Outcome.Ok)
                message.Gone = message.Gone.OrEarlier(new Proof(operation.Completed, operation));
        }
    }

    private static bool MayBeDeleted(MessageChronicle message) =>
        message.Register(Deleted).Could(true, long.MinValue + 1, long.MaxValue);

    private static void Expunge(MessageChronicle message, Operation operation, bool isAll)
    {
        long end = operation.EffectEnd();
        if (message.AddedFrom > end || message.Gone.At < operation.Invoked)
            return;
        FlagRegister deleted = message.Register(Deleted);
        if (deleted.FirstPossible(true, operation.Invoked, end) is not { } from)
            return;
        message.MayBeRemoved(operation, from);
        bool isCertain = isAll && operation.Outcome == Outcome.Ok && message.Added.At < operation.Invoked
            && !deleted.Could(false, operation.Invoked, operation.Completed);
        if (isCertain)
            message.Gone = message.Gone.OrEarlier(new Proof(operation.Completed, operation));
    }
}
