using MailCluster.Contracts;

namespace MailCluster.Consistency.History;

/// <summary>Something that a client was told, at a moment (ticks as in <see cref="Operation"/>) during an operation.</summary>
internal abstract record Seen(long At);

/// <summary>FETCH: a message with what was told of it. Null: not told.</summary>
/// <param name="Mark">From the header field X-Check.</param>
/// <param name="Whole">False where the octets of BODY[] were fetched and are not those that were stored under this mark.</param>
/// <param name="MayBeNews">It may have been on its way before the command was read (NOTIFY, RFC 5465 §5.2): it was so at some moment before, however long ago.</param>
internal sealed record SeenMessage(long At, MailboxRef In, uint Uid, string? Mark, FlagSet? Flags, long? ModSeq, bool Whole = true, bool MayBeNews = false) : Seen(At);

/// <summary>FETCH of annotations (RFC 5257 §4.3).</summary>
internal sealed record SeenAnnotations(long At, MailboxRef In, uint Uid, IReadOnlyList<Annotation> Told) : Seen(At);

/// <summary>
/// All UIDs of the mailbox, from a command that is told EXPUNGEs before its answer (UID SEARCH ALL and the like), so that it is the mailbox at some moment of
/// the operation, or later than what any operation had done that completed before this one was invoked.
/// </summary>
/// <param name="HighestModSeq">Where the answer named one.</param>
internal sealed record SeenAll(long At, MailboxRef In, UidSet Uids, long? HighestModSeq) : Seen(At);

/// <summary>UID SEARCH of a flag: the messages of the mailbox that have it, exactly (same moment as <see cref="SeenAll"/>).</summary>
internal sealed record SeenFlag(long At, MailboxRef In, string Flag, UidSet Uids) : Seen(At);

/// <summary>SELECT's and STATUS's figures. Null: not told.</summary>
/// <param name="In">Null: STATUS of a name of which the client does not know which mailbox has it.</param>
internal sealed record SeenCounts(
    long At, MailboxRef? In, string Name, long? Messages, uint? UidNext, uint? UidValidity, long? HighestModSeq, long? Unseen, long? Size) : Seen(At);

/// <summary>STATUS because of NOTIFY (RFC 5465): it was so at some moment before, however long ago.</summary>
internal sealed record SeenNews(long At, MailboxRef In, uint? UidNext, long? HighestModSeq) : Seen(At);

/// <summary>EXPUNGE and VANISHED: these messages are gone.</summary>
internal sealed record SeenGone(long At, MailboxRef In, UidSet Uids) : Seen(At);

/// <summary>VANISHED (EARLIER) of SELECT with QRESYNC or of FETCH with VANISHED: gone since <paramref name="Since"/>; may name more than there ever was.</summary>
internal sealed record SeenVanished(long At, MailboxRef In, long Since, UidSet Uids) : Seen(At);

/// <summary>QUOTA (RFC 9208): what the account uses now.</summary>
internal sealed record SeenUsage(long At, string Account, long? StorageKilobytes, long? Messages) : Seen(At);

/// <summary>
/// The client's own bookkeeping failed: a message number outside of what EXISTS and EXPUNGE told, another UID at a number, a UID that is not larger than those
/// before it, a reply that is no IMAP, silence where an answer was due… Always a violation.
/// </summary>
internal sealed record SeenBreach(long At, MailboxRef? In, string Promise, string What) : Seen(At);

/// <summary>The server ended the connection, unasked. Whether that is a violation depends on the faults of that moment, and on mailboxes that went away.</summary>
/// <param name="In">The selected mailbox.</param>
/// <param name="Bye">The text of the BYE (RFC 9051 §7.1.5) with its code; null where it ended without one.</param>
internal sealed record SeenEnd(long At, MailboxRef? In, string? Bye) : Seen(At);
