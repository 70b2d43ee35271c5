using Orleans.Concurrency;

namespace MailCluster.Contracts;

/// <summary>
/// The owner of one mailbox: its UIDs, flags and modseqs. Key: <see cref="MailboxKey.ToString"/>.
/// <para>Atomicity: every change is one operation, on PostgreSQL's disk before the call returns, wholly or not at all.</para>
/// <para>Ordering: operations take effect in the order of their modseqs; the owner has published a change before its call returns, so that
/// whatever starts afterwards, on any node, sees it.</para>
/// <para>Retries: a call that failed with an exception or <see cref="MailErrorCode.Unavailable"/> has an unknown outcome;
/// calling again with the same <see cref="OperationId"/> finds it out or does it, once. What adds messages finds it out also where the mailbox was deleted since, or the rights for it are gone: a refusal
/// is of all tries (<see cref="MailError.NotDone"/>).</para>
/// <para>Every method may answer <see cref="MailErrorCode.MailboxGone"/> (deleted; final) and <see cref="MailErrorCode.Unavailable"/>.</para>
/// <para>Rights: a change by an account that is not the mailbox's (<see cref="Actor.Account"/>) is done as far as its rights go (RFC 4314 §4), else
/// <see cref="MailErrorCode.NoPermission"/>.</para>
/// </summary>
[Alias("MailCluster.IMailboxGrain")]
public interface IMailboxGrain : IGrainWithStringKey
{
    /// <summary>SELECT and EXAMINE: answered from the mailbox's counters, without loading a message.</summary>
    [Alias("Select")]
    ValueTask<MailResult<MailboxSelected>> Select(bool readOnly);

    /// <summary>
    /// As <see cref="Select"/>, for an account that need not be the mailbox's: UNSEEN is its own, \Recent the owner's.
    /// Failures: <see cref="MailErrorCode.NoPermission"/>, <see cref="MailErrorCode.NonExistent"/> (it may not even know that there is one).
    /// </summary>
    [Alias("SelectAs")]
    ValueTask<MailResult<MailboxSelected>> SelectAs(bool readOnly, AccountId viewer);

    /// <summary>As <see cref="Status"/>, with the UNSEEN of an account that is not the mailbox's.</summary>
    [Alias("StatusAs")]
    ValueTask<MailResult<MailboxStatus?>> StatusAs(AccountId viewer);

    /// <summary>
    /// Changes the list of rights; it is a part of the version, with a modseq of its own. Returns the list after it.
    /// Failures: <see cref="MailErrorCode.NoPermission"/>, <see cref="MailErrorCode.Limit"/> (<see cref="MailboxAcl.MaxEntries"/>).
    /// </summary>
    [Alias("SetRights")]
    ValueTask<MailResult<MailboxAcl>> SetRights(SetRightsRequest request);

    /// <summary>
    /// STATUS: the counters of the version in memory. Null when there is none: then the mailbox's row, which the caller read before it asked, is
    /// no newer than anything that anybody is told afterwards. Claims and loads nothing.
    /// </summary>
    [Alias("Status")]
    ValueTask<MailResult<MailboxStatus?>> Status();

    /// <summary>
    /// What happened since the version that the caller has. Also (re)news the caller's lease as an observer: deltas are pushed to it for
    /// <see cref="MailboxLimits.ObserverLease"/>. Pushes may be lost; only an answer of this method is proof of being up to date.
    /// </summary>
    [Alias("Sync")]
    ValueTask<MailResult<SyncReply>> Sync(long epoch, long modSeq, IMailboxObserver? observer);

    /// <summary>
    /// A part of a version, by chunks, for a first copy. The version is the one that <see cref="Sync"/> named with
    /// <see cref="SyncReply.Reload"/>; it is kept for some seconds. <see cref="MailErrorCode.StaleEpoch"/>: it is gone, sync again.
    /// </summary>
    [Alias("GetChunks")]
    ValueTask<MailResult<SnapshotPage>> GetChunks(long epoch, long modSeq, int from, int count);

    /// <summary>
    /// Takes for the calling session the messages that no session was told to be \Recent, up to and including <paramref name="upTo"/>
    /// (RFC 3501 §2.3.2): exactly one session gets each. Returns the first UID that is the caller's; above <paramref name="upTo"/> when none is.
    /// </summary>
    [Alias("ClaimRecent")]
    ValueTask<MailResult<uint>> ClaimRecent(uint upTo);

    /// <summary>
    /// Adds messages in the given order, all or none (RFC 9051 §6.3.12, RFC 3502).
    /// Failures: <see cref="MailErrorCode.OverQuota"/>, <see cref="MailErrorCode.Limit"/> (keywords), <see cref="MailErrorCode.BodyGone"/>, <see cref="MailErrorCode.Renamed"/>,
    /// <see cref="MailErrorCode.Filtered"/>; with annotations also those of <see cref="Annotate"/>.
    /// </summary>
    [Alias("Append")]
    ValueTask<MailResult<AppendResult>> Append(AppendRequest request);

    /// <summary>
    /// Changes flags (RFC 9051 §6.4.6; RFC 7162 §3.1.3). UIDs that do not exist are passed over; a message whose flags stay the same keeps its modseq.
    /// Failures: <see cref="MailErrorCode.Limit"/> (keywords).
    /// </summary>
    [Alias("Store")]
    ValueTask<MailResult<StoreResult>> Store(StoreRequest request);

    /// <summary>
    /// Changes annotations (RFC 5257 §4.5). UIDs that do not exist are passed over; a message whose annotations stay the same keeps its modseq.
    /// Failures: <see cref="MailErrorCode.NoPermission"/>, <see cref="MailErrorCode.AnnotationTooBig"/>, <see cref="MailErrorCode.TooManyMessageAnnotations"/>, <see cref="MailErrorCode.OverQuota"/>.
    /// </summary>
    [Alias("Annotate")]
    ValueTask<MailResult<StoreResult>> Annotate(AnnotateRequest request);

    /// <summary>Removes the messages of <see cref="ExpungeRequest.Uids"/> that are \Deleted when the change is made (RFC 9051 §6.4.3, RFC 4315 §2.1).</summary>
    [Alias("Expunge")]
    ValueTask<MailResult<ExpungeResult>> Expunge(ExpungeRequest request);

    /// <summary>Removes these messages whatever their flags, as one change (RFC 1939 §6, QUIT). UIDs that do not exist are passed over.</summary>
    [Alias("Remove")]
    ValueTask<MailResult<ExpungeResult>> Remove(RemoveRequest request);

    /// <summary>
    /// Called at the destination: adds a message here and expunges one of the source, as one change in both mailboxes before the call returns (RFC 8508); both may be the same.
    /// Quota: room is needed for what is more than before. Failures: those of <see cref="Append"/>, <see cref="MailErrorCode.MessageGone"/> (the message to be replaced is not there
    /// any more; nothing is stored, the body can still be used), <see cref="MailErrorCode.NonExistent"/> (the source is gone).
    /// </summary>
    [Alias("Replace")]
    ValueTask<MailResult<ReplaceResult>> Replace(ReplaceRequest request);

    /// <summary>
    /// Called at the destination: adds copies of a source's messages, all that still exist, in UID order (RFC 9051 §6.4.7), or moves them
    /// (RFC 6851): then removal there and addition here are one change, in both mailboxes before the call returns.
    /// Failures: <see cref="MailErrorCode.OverQuota"/>, <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.NonExistent"/> (the source is gone).
    /// </summary>
    [Alias("CopyFrom")]
    ValueTask<MailResult<CopyResult>> CopyFrom(CopyRequest request);

    /// <summary>
    /// The UIDs that were expunged after <paramref name="since"/> (RFC 7162 §3.2.10); when the log no longer reaches back so far, every UID below
    /// UIDNEXT that does not exist. Reads the log: not for every command.
    /// </summary>
    [Alias("Vanished"), ResponseTimeout("00:00:05")]
    ValueTask<MailResult<UidSet>> Vanished(long since);

    /// <summary>
    /// The messages from UID <paramref name="from"/> on that were imported with a POP3 unique-id (RFC 1939 section 7), in UID order, <paramref name="count"/> at most:
    /// fewer means that there are no more. Read from the rows.
    /// </summary>
    [Alias("ImportedUidls")]
    ValueTask<MailResult<IReadOnlyList<ImportedUidl>>> ImportedUidls(uint from, int count);

    /// <summary>
    /// For other owners: a change of theirs (MOVE, REPLACE) has altered this mailbox. Returns when it is published here. Deltas of an older epoch are without effect.
    /// </summary>
    [Alias("Applied")]
    ValueTask Applied(MailboxDelta delta);

    /// <summary>
    /// The mailbox's row has this version. Returns when it is published here; an owner of that epoch that does not hear of the change within
    /// <see cref="MailboxLimits.Unheard"/> gives up its claim, and the next one reads the rows.
    /// </summary>
    [Alias("Committed")]
    ValueTask Committed(long epoch, long modSeq);

    /// <summary>
    /// For the account's owner, before it renames or deletes the mailbox: from now on this owner does not say what the mailbox is called. For good, so that
    /// nobody need tell it how that ended; the next claim reads the name again.
    /// </summary>
    [Alias("Unname")]
    ValueTask Unname();

    /// <summary>For the account's owner: the mailbox was deleted (final) or its name got another UIDVALIDITY; sessions are told and the activation ends.</summary>
    [Alias("End")]
    ValueTask End(MailboxEnd reason);
}

/// <summary>Why a mailbox went away under its sessions; each answers BYE at the next command.</summary>
public enum MailboxEnd
{
    Deleted = 1,

    /// <summary>RENAME gave the mailbox a new UIDVALIDITY.</summary>
    UidValidityChanged,

    /// <summary>The owner lost its claim; the receiver syncs again. Not final.</summary>
    OwnerChanged,
}

/// <summary>A front-end process that keeps copies of mailboxes for its sessions. One object a process; pushes are hints and may be lost.</summary>
[Alias("MailCluster.IMailboxObserver")]
public interface IMailboxObserver : IGrainObserver
{
    [OneWay, Alias("Changed")]
    Task Changed(MailboxKey mailbox, MailboxDelta delta);

    [OneWay, Alias("Ended")]
    Task Ended(MailboxKey mailbox, MailboxEnd reason);
}

/// <summary>Bounds that both sides of a contract rely on.</summary>
public static class MailboxLimits
{
    /// <summary>A change of more messages runs apart from the others, and may take long although nothing is wrong.</summary>
    public const int LengthyChange = 500;

    /// <summary>Imported unique-ids that one call answers at most: some 300 KB.</summary>
    public const int UidlPage = 4096;

    /// <summary>How long an observer hears of changes after its last <see cref="IMailboxGrain.Sync"/>; it renews at a third of this.</summary>
    public static readonly TimeSpan ObserverLease = TimeSpan.FromSeconds(15);

    /// <summary>How long after a commit its owner must have heard of it: the answer to a statement comes within milliseconds, the notice of a MOVE as soon.</summary>
    public static readonly TimeSpan Unheard = TimeSpan.FromSeconds(1);
}
