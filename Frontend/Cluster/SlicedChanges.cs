using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>
/// Changes of many messages as operations of at most <see cref="MailClusterOptions.SliceMessages"/> each, one after the other in the order of UIDs, with modseqs of their own: whoever shares the
/// mailbox, or its account's usage, waits for one of them and not for all. Each happens wholly, and once; where a later one fails the earlier ones stay, which is told with the error. IMAP wants
/// COPY and APPEND to be all or nothing (RFC 9051 §6.4.7, §6.3.12), and of STORE, EXPUNGE and MOVE only that it is so for each message (RFC 6851 §3.3): copies are one operation.
/// </summary>
public static class SlicedChanges
{
    /// <summary>STORE. Messages that it has changed before an error are told by the mailbox's news, as others' changes are.</summary>
    /// <param name="uids">Messages that the caller knows.</param>
    public static async ValueTask<MailResult<StoreResult>> StoreAsync(
        this MailClusterClient cluster, MailboxKey mailbox, Actor actor, UidSet uids, StoreMode mode, FlagList flags, long? unchangedSince, CommandWait wait)
    {
        IMailboxGrain owner = cluster.Mailbox(mailbox);
        StoreResult? all = null;
        foreach (UidSet slice in Slices(uids, cluster.Options.SliceMessages))
        {
            var request = new StoreRequest(cluster.NextOperation(), actor, slice, mode, flags, unchangedSince);
            MailResult<StoreResult> result = await cluster.CallAsync(
                () => cluster.Mailboxes.Local.OwnerOf(mailbox)?.TryStore(request, wait.Resume(slice.Cardinality)) is { } here ? new(here) : owner.Store(request), wait, slice.Cardinality).ConfigureAwait(false);
            if (result is not { Value: { } done })
                return result.Error!;
            all = all is null ? done : new StoreResult(all.Changed.Union(done.Changed), all.Modified.Union(done.Modified), done.ModSeq);
        }
        return all ?? throw new ArgumentException("A STORE of nothing.", nameof(uids));
    }

    /// <summary>STORE of annotations (RFC 5257 §4.5), as <see cref="StoreAsync"/>.</summary>
    /// <param name="own">Gets the modseqs of the changes.</param>
    public static async ValueTask<MailResult<StoreResult>> AnnotateAsync(
        this MailClusterClient cluster, MailboxKey mailbox, Actor actor, UidSet uids, IReadOnlyList<AnnotationValue> values, long? unchangedSince, ISet<long> own, CommandWait wait)
    {
        IMailboxGrain owner = cluster.Mailbox(mailbox);
        StoreResult? all = null;
        foreach (UidSet slice in Slices(uids, cluster.Options.SliceMessages))
        {
            var request = new AnnotateRequest(cluster.NextOperation(), actor, slice, values, unchangedSince);
            MailResult<StoreResult> result = await cluster.CallAsync(() => owner.Annotate(request), wait, slice.Cardinality).ConfigureAwait(false);
            if (result is not { Value: { } done })
                return result.Error!;
            if (!done.Changed.IsEmpty)
                own.Add(done.ModSeq);
            all = all is null ? done : new StoreResult(all.Changed.Union(done.Changed), all.Modified.Union(done.Modified), done.ModSeq);
        }
        return all ?? throw new ArgumentException("A STORE of nothing.", nameof(uids));
    }

    /// <summary>EXPUNGE of what is \Deleted among these UIDs, or in the whole mailbox, also what the caller does not know of.</summary>
    /// <param name="known">The caller's version: where its \Deleted messages are, so that each operation finds about as many; null where there are few messages.</param>
    /// <param name="messages">How many messages the mailbox has.</param>
    public static async ValueTask<MailResult<ExpungeResult>> ExpungeAsync(
        this MailClusterClient cluster, MailboxKey mailbox, Actor actor, UidSet? uids, MailboxSnapshot? known, long messages, CommandWait wait)
    {
        IMailboxGrain owner = cluster.Mailbox(mailbox);
        var all = new ExpungeResult(UidSet.Empty, 0);
        foreach (UidSet? slice in ExpungeSlices(uids, known, cluster.Options.SliceMessages))
        {
            var request = new ExpungeRequest(cluster.NextOperation(), actor, slice);
            MailResult<ExpungeResult> result = await cluster.CallAsync(
                () => cluster.Mailboxes.Local.OwnerOf(mailbox)?.TryExpunge(request, wait.Resume(messages)) is { } here ? new(here) : owner.Expunge(request), wait, messages).ConfigureAwait(false);
            if (result is not { Value: { } done })
                return result.Error!;
            all = new ExpungeResult(all.Uids.Union(done.Uids), done.ModSeq);
        }
        return all;
    }

    /// <summary>
    /// COPY and MOVE. A copy, and a move into another account, whose quota may refuse it, are one operation; of another move both results may be given: what was moved, and why not the rest.
    /// </summary>
    /// <param name="uids">Messages that the caller knows.</param>
    public static async ValueTask<(CopyResult? Done, MailError? Error)> TransferAsync(
        this MailClusterClient cluster, MailboxKey source, MailboxKey target, Actor actor, UidSet uids, bool move, CommandWait wait)
    {
        IMailboxGrain owner = cluster.Mailbox(target);
        CopyResult? all = null;
        foreach (UidSet slice in move && source.Account == target.Account ? Slices(uids, cluster.Options.SliceMessages) : [uids])
        {
            var request = new CopyRequest(cluster.NextOperation(), actor, source, slice, move);
            MailResult<CopyResult> result = await cluster.ChangeAsync(() => owner.CopyFrom(request), wait, slice.Cardinality).ConfigureAwait(false);
            if (result is not { Value: { } done })
                return (all, result.Error);
            // The n-th of one set became the n-th of the other, also of all together: both only rise.
            all = all is null ? done
                : new CopyResult(done.UidValidity, all.SourceUids.Union(done.SourceUids), all.Uids.Union(done.Uids), Math.Max(all.ModSeq, done.ModSeq), done.SourceModSeq ?? all.SourceModSeq);
        }
        return (all, null);
    }

    /// <summary>The set in parts of at most <paramref name="size"/> UIDs, in their order.</summary>
    internal static IEnumerable<UidSet> Slices(UidSet uids, int size)
    {
        var part = new List<UidRange>();
        long room = size;
        foreach (UidRange range in uids)
        {
            for (UidRange rest = range; ;)
            {
                if (rest.Count <= room)
                {
                    part.Add(rest);
                    room -= rest.Count;
                    break;
                }
                if (room > 0)
                {
                    part.Add(new UidRange(rest.First, rest.First + (uint)room - 1));
                    rest = new UidRange(rest.First + (uint)room, rest.Last);
                }
                yield return UidSet.FromRanges(part);
                part.Clear();
                room = size;
            }
        }
        if (part.Count > 0)
            yield return UidSet.FromRanges(part);
    }

    /// <summary>
    /// The set, or the whole space of UIDs (one null where it is not cut), in parts that have at most <paramref name="size"/> messages that are \Deleted as far as is known.
    /// </summary>
    internal static IEnumerable<UidSet?> ExpungeSlices(UidSet? uids, MailboxSnapshot? known, int size)
    {
        uint first = 1;
        int found = 0;
        // The whole is the last part, as long as nothing was cut off.
        foreach (uint uid in known is null ? [] : Deleted(uids, known))
        {
            if (found++ < size)
                continue;
            yield return Between(first, uid - 1);
            first = uid;
            found = 1;
        }
        if (first == 1)
            yield return uids;
        else
            yield return Between(first, uint.MaxValue);

        UidSet Between(uint from, uint to)
        {
            UidSet range = UidSet.FromRanges([new UidRange(from, to)]);
            return uids?.Intersect(range) ?? range;
        }
    }

    private static IEnumerable<uint> Deleted(UidSet? uids, MailboxSnapshot known) =>
        (uids is null ? known.Messages() : known.Messages(uids)).Where(static m => (m.SystemFlags & SystemFlags.Deleted) != 0).Select(static m => m.Uid);
}
