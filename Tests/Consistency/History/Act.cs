using MailCluster.Contracts;

namespace MailCluster.Consistency.History;

/// <summary>What an operation asked for, and, for changes, what its answer said was done. UIDs, never message numbers: the client has translated them.</summary>
internal abstract record Act;

/// <summary>APPEND (RFC 9051 §6.3.12, RFC 3502): all messages or none.</summary>
/// <param name="Into">Null when the client can't tell which mailbox had the name at that moment and the answer gave no UIDVALIDITY that says so.</param>
/// <param name="Uids">From APPENDUID, in the order of the messages; empty when not OK or not told.</param>
internal sealed record Append(MailboxRef? Into, string Name, IReadOnlyList<NewMessage> Messages, IReadOnlyList<uint> Uids) : Act;

/// <summary>One recipient of an LMTP delivery (RFC 2033): goes to the INBOX of the account.</summary>
internal sealed record Deliver(string Recipient, NewMessage Message) : Act;

internal enum StoreKind
{
    Add,
    Remove,
    Replace,
}

/// <summary>STORE (RFC 9051 §6.4.6; RFC 7162 §3.1.3).</summary>
/// <param name="Uids">What the command named, as UIDs.</param>
/// <param name="UnchangedSince">Null without UNCHANGEDSINCE.</param>
/// <param name="Modified">The UIDs of the MODIFIED response code: not changed.</param>
internal sealed record Store(MailboxRef In, UidSet Uids, StoreKind Kind, FlagSet Flags, long? UnchangedSince, UidSet Modified) : Act;

/// <summary>STORE of annotations (RFC 5257 §4.5); as <see cref="Store"/>.</summary>
internal sealed record Annotate(MailboxRef In, UidSet Uids, IReadOnlyList<Annotation> Values, UidSet Modified) : Act;

/// <summary>What tenants say of each other, by an administrator: whether accounts of the one may work in what accounts of the other share with them, and the other way round.</summary>
/// <param name="One">The accounts of the one; <paramref name="Other"/>: of the other.</param>
internal sealed record Consent(IReadOnlyList<string> One, IReadOnlyList<string> Other, bool Given) : Act;

/// <summary>COPY and MOVE (RFC 9051 §6.4.7, RFC 6851).</summary>
/// <param name="Uids">What the command named.</param>
/// <param name="To">Null as in <see cref="Append.Into"/>.</param>
/// <param name="Pairs">From COPYUID: source and destination UIDs.</param>
internal sealed record Transfer(MailboxRef From, MailboxRef? To, string ToName, UidSet Uids, bool Move, IReadOnlyList<(uint Source, uint Destination)> Pairs) : Act;

/// <summary>REPLACE and UID REPLACE (RFC 8508): stores one message and expunges another, or neither.</summary>
/// <param name="In">Where the one is that goes.</param>
/// <param name="Into">Null as in <see cref="Append.Into"/>.</param>
/// <param name="NewUid">From APPENDUID; null when not OK or not told.</param>
internal sealed record Replace(MailboxRef In, uint Uid, MailboxRef? Into, string Name, NewMessage Message, uint? NewUid) : Act;

/// <summary>EXPUNGE, UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9), CLOSE (RFC 9051 §6.4.1).</summary>
/// <param name="Uids">Null: all that are \Deleted.</param>
internal sealed record Expunge(MailboxRef In, UidSet? Uids) : Act;

/// <summary>QUIT of a POP3 session that has marked messages (RFC 1939 §6): these go, whatever their flags.</summary>
internal sealed record Remove(MailboxRef In, UidSet Uids) : Act;

/// <summary>SELECT and EXAMINE, with QRESYNC (RFC 7162 §3.2.5) when <paramref name="Since"/> is given, and the UIDVALIDITY of then is still that of now.</summary>
/// <param name="In">Null when refused.</param>
/// <param name="Known">The known UIDs of QRESYNC: nothing is told of others. Null: all are.</param>
internal sealed record Select(string Name, MailboxRef? In, bool ReadOnly, long? Since, UidSet? Known = null) : Act;

/// <summary>Anything that changes no mailbox: NOOP, CHECK, FETCH, SEARCH, STATUS, IDLE, LOGIN, LOGOUT, LIST…</summary>
/// <param name="Command">Its name, for reports and weights.</param>
/// <param name="In">The selected mailbox.</param>
internal sealed record Read(string Command, MailboxRef? In) : Act;

/// <summary>CREATE (RFC 9051 §6.3.4).</summary>
/// <param name="Made">From the MAILBOXID response code (RFC 8474 §4.1).</param>
internal sealed record Create(string Name, MailboxRef? Made) : Act;

/// <summary>DELETE (RFC 9051 §6.3.5).</summary>
/// <param name="Gone">Which mailbox had the name shortly before; another may have had it by then.</param>
internal sealed record Delete(string Name, MailboxRef? Gone) : Act;

/// <summary>RENAME (RFC 9051 §6.3.6).</summary>
internal sealed record Rename(string Name, string To) : Act;
