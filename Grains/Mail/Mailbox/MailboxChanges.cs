using MailCluster.Contracts;
using MailCluster.Storage.Lanes;

namespace MailCluster.Grains;

/// <summary>The changes that an owner makes in its turns and lends to doors of its process (<see cref="LocalOwner"/>): what the lane is asked for, and what comes of it.</summary>
internal static class MailboxChanges
{
    /// <param name="messages">Those of the request, with the flags that may be set.</param>
    /// <param name="inPlace">See <see cref="CommitOperation.InPlace"/>.</param>
    public static CommitOperation Append(
        MailboxKey mailbox, MailboxOwnership owned, AppendRequest request, IReadOnlyList<NewMessage> messages, AccountId? viewer, long[] emails, AnnotationLimits? limits, bool inPlace = false) => new()
        {
            Kind = CommitKind.Append, Mailbox = mailbox, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor, InPlace = inPlace,
            Viewer = viewer, Messages = messages, Emails = emails, Delivery = request.Delivery, Path = request.Path, Unfiltered = request.Unfiltered, Rows = messages.Count, FirstRecent = owned.FirstRecent,
            AnnotationLimits = limits,
        };

    public static AppendResult Appended(MailboxOwnership owned, CommitOutcome outcome) =>
        new(owned.UidValidity, outcome.Uids, outcome.ModSeq, outcome.Status == CommitStatus.DeliveredBefore);

    public static CommitOperation Store(
        MailboxKey mailbox, MailboxOwnership owned, MailboxVersion version, StoreRequest request, FlagMask mask, AccountId? viewer, bool inPlace = false) => new()
        {
            Kind = CommitKind.Store, Mailbox = mailbox, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor, InPlace = inPlace,
            Viewer = viewer, Mask = mask, Uids = request.Uids, Mode = request.Mode, Flags = mask.Of(request.Flags), UnchangedSince = request.UnchangedSince,
            Rows = Math.Min(request.Uids.Cardinality, version.Snapshot.Count), FirstRecent = owned.FirstRecent,
        };

    public static StoreResult Stored(MailboxOwnership owned, CommitOperation operation, CommitOutcome outcome) =>
        new(outcome.Uids, outcome.Status == CommitStatus.DoneBefore ? ModifiedSince(owned, operation, outcome.Uids) : outcome.Modified, outcome.ModSeq);

    public static CommitOperation Expunge(
        MailboxKey mailbox, MailboxOwnership owned, MailboxVersion version, CommitKind kind, OperationId operation, Actor actor, UidSet uids, bool inPlace = false) => new()
        {
            Kind = kind, Mailbox = mailbox, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = operation, Actor = actor, InPlace = inPlace,
            Uids = uids, Rows = Math.Min(uids.Cardinality, version.Snapshot.Count), FirstRecent = owned.FirstRecent,
        };

    public static ExpungeResult Expunged(CommitOutcome outcome) => new(outcome.Uids, outcome.ModSeq);

    /// <summary>The step of the mailbox's version that a commit of one of these has made; null where it has made none, or an earlier commit has.</summary>
    public static MailboxDelta? Delta(MailboxOwnership owned, CommitOperation operation, CommitOutcome outcome)
    {
        if (outcome.Status != CommitStatus.Done || outcome.Uids.IsEmpty)
            return null;
        MailboxEffect? effect = operation.Kind switch
        {
            CommitKind.Append => Added(operation, outcome),
            CommitKind.Store => new FlagsChanged(outcome.ModSeq, outcome.Uids, operation.Mode, operation.Flags, operation.Viewer, operation.Mask == FlagMask.All ? null : operation.Mask),
            // Nodes that know of no annotations take it for what it is to them: other modseqs, the same flags.
            CommitKind.Annotate => new FlagsChanged(outcome.ModSeq, outcome.Uids, StoreMode.Add, FlagList.None),
            CommitKind.Expunge or CommitKind.Remove => new MessagesExpunged(outcome.ModSeq, outcome.Uids),
            _ => null,
        };
        return effect is null ? null : new MailboxDelta(owned.Epoch, outcome.ModSeq - 1, outcome.ModSeq, [effect]);
    }

    /// <summary>The messages of an operation as they were stored. Where it has a viewer, their \Seen is that account's own.</summary>
    public static MessagesAdded Added(CommitOperation operation, CommitOutcome outcome)
    {
        uint first = outcome.Uids[0].First;
        AccountId? viewer = operation.Viewer;
        MessageRow[] rows = [.. operation.Messages.Select((m, i) => new MessageRow(
            (uint)(first + i), new EmailId(operation.Emails[i]), m.Size, m.InternalDate, m.ZoneMinutes, outcome.SaveDate,
            viewer is null ? m.Flags : m.Flags with { System = m.Flags.System & ~SystemFlags.Seen }, outcome.ModSeq, outcome.Threads[i]))];
        return viewer is null ? new MessagesAdded(outcome.ModSeq, rows) : new MessagesAdded(outcome.ModSeq, rows, viewer, UidSet.FromUids(
            Enumerable.Range(0, rows.Length).Where(i => (operation.Messages[i].Flags.System & SystemFlags.Seen) != 0).Select(i => (uint)(first + i))));
    }

    /// <summary>
    /// What an UNCHANGEDSINCE kept back that was made before: of an earlier commit only what it changed is known. What has a later modseq now it did not change, or
    /// need not have.
    /// </summary>
    private static UidSet ModifiedSince(MailboxOwnership owned, CommitOperation operation, UidSet changed) => operation.UnchangedSince is { } since && owned.Loaded is { Snapshot: var now }
        ? UidSet.FromUids(now.Messages(operation.Uids.Except(changed)).Where(m => m.ModSeq > since).Select(static m => m.Uid))
        : UidSet.Empty;
}
