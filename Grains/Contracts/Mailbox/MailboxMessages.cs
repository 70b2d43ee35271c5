namespace MailCluster.Contracts;

/// <summary>What SELECT tells (RFC 9051 §6.3.2), from the counters.</summary>
/// <param name="RecentFrom">The first UID that this session may show as \Recent; EXAMINE leaves it to others. Above the last UID when there is none.</param>
/// <param name="Keywords">The keywords in use, in the case first seen.</param>
/// <param name="Rights">What who asked may do here.</param>
/// <param name="Foreign">Who asked is of another tenant.</param>
[GenerateSerializer, Immutable, Alias("MailboxSelected")]
public sealed record MailboxSelected(
    [property: Id(0)] long Epoch,
    [property: Id(1)] MailboxStatus Status,
    [property: Id(2)] uint RecentFrom,
    [property: Id(3)] IReadOnlyList<string> Keywords,
    [property: Id(4)] MailRights Rights = MailRights.All,
    [property: Id(5)] bool Foreign = false);

/// <summary>The counters of a mailbox (RFC 9051 §6.3.11, RFC 8438), kept in its row by every change.</summary>
/// <param name="Bytes">The sum of RFC822.SIZE.</param>
/// <param name="Recent">Messages that no session was told to be \Recent.</param>
/// <param name="DeletedBytes">The sum of RFC822.SIZE of those that are \Deleted (RFC 9208 §4.1.4); null where it was not asked for.</param>
[GenerateSerializer, Immutable, Alias("MailboxStatus")]
public sealed record MailboxStatus(
    [property: Id(0)] MailboxId Id,
    [property: Id(1)] uint UidValidity,
    [property: Id(2)] uint UidNext,
    [property: Id(3)] long HighestModSeq,
    [property: Id(4)] long Messages,
    [property: Id(5)] long Unseen,
    [property: Id(6)] long Deleted,
    [property: Id(7)] long Bytes,
    [property: Id(8)] long Recent,
    [property: Id(9)] long? DeletedBytes = null);

/// <summary>The way from the caller's version to the owner's.</summary>
/// <param name="Epoch">The owner's epoch.</param>
/// <param name="ModSeq">The owner's version.</param>
/// <param name="Deltas">Deltas from the caller's version to it, in order; empty when the caller is up to date.</param>
/// <param name="Reload">Not null: the caller's version is too old (or it has none): fetch this many chunks with <see cref="IMailboxGrain.GetChunks"/>.</param>
/// <param name="UidNext">Of the owner's version.</param>
/// <param name="Silo">Where the owner is: its <see cref="ILeaseDesk"/> renews the lease. Null from nodes of earlier releases.</param>
/// <param name="Sharing">Of the owner's version, with <paramref name="Reload"/>.</param>
[GenerateSerializer, Immutable, Alias("SyncReply")]
public sealed record SyncReply(
    [property: Id(0)] long Epoch,
    [property: Id(1)] long ModSeq,
    [property: Id(2)] IReadOnlyList<MailboxDelta> Deltas,
    [property: Id(3)] int? Reload,
    [property: Id(4)] uint UidNext,
    [property: Id(5)] uint UidValidity = 0,
    [property: Id(6)] string? Silo = null,
    [property: Id(7)] MailboxSharing? Sharing = null);

/// <summary>Some chunks of a version, and the keyword table that their codes refer to.</summary>
[GenerateSerializer, Immutable, Alias("SnapshotPage")]
public sealed record SnapshotPage([property: Id(0)] KeywordTable Keywords, [property: Id(1)] IReadOnlyList<MessageChunk> Chunks);

/// <summary>Who does a change, for the log: who, from where, with what. Never a secret.</summary>
/// <param name="Session">The session's id in the logs, or the delivery's queue id.</param>
/// <param name="Address">The client's address, or null for the server's own work.</param>
/// <param name="Account">The account that acts: the owner of a mailbox of another knows what it may do there. Null: the mailbox's own.</param>
[GenerateSerializer, Immutable, Alias("Actor")]
public sealed record Actor(
    [property: Id(0)] string User, [property: Id(1)] string Session, [property: Id(2)] string? Address, [property: Id(3)] AccountId? Account = null);

/// <summary>One message to add; its body was staged with <see cref="IMessageBodies.StageAsync"/>.</summary>
/// <param name="Claim">Which of the staged body's claims this message takes, 0 ≤ claim &lt; <see cref="StagedBody.Claims"/>; each can be taken once.</param>
/// <param name="Prefix">Header lines that come before the body (Return-Path, Delivered-To…), CRLF ended; empty for none.</param>
/// <param name="Size">RFC822.SIZE: prefix and body.</param>
/// <param name="InternalDate">Seconds since 1970 UTC, 0 ≤ value ≤ 253402300799.</param>
/// <param name="ThreadKeys">Hashes of Message-ID, In-Reply-To and References, own Message-ID first; messages that share one share THREADID.</param>
/// <param name="Annotations">What it comes with (RFC 5257 §4.7), all with values; null for nothing.</param>
[GenerateSerializer, Immutable, Alias("NewMessage")]
public sealed record NewMessage(
    [property: Id(0)] BodyId Body,
    [property: Id(1)] int Claim,
    [property: Id(2)] byte[] Prefix,
    [property: Id(3)] uint Size,
    [property: Id(4)] long InternalDate,
    [property: Id(5)] short ZoneMinutes,
    [property: Id(6)] FlagList Flags,
    [property: Id(7)] IReadOnlyList<long> ThreadKeys,
    [property: Id(8)] IReadOnlyList<AnnotationValue>? Annotations = null);

/// <param name="Delivery">
/// Not null for a delivery: identifies its bytes and envelope. A delivery with the same value to this account in the last 24 h is not stored again,
/// and <see cref="AppendResult.Duplicate"/> says so.
/// </param>
/// <param name="Path">Not null: the name, as stored, that the mailbox must have when the change is made; else <see cref="MailErrorCode.Renamed"/>.</param>
/// <param name="Unfiltered">
/// Only where neither the account nor its tenant has an active filter when the change is made; else <see cref="MailErrorCode.Filtered"/>. Travels <see cref="Sealed"/>.
/// </param>
[GenerateSerializer, Immutable, Alias("AppendRequest")]
public sealed record AppendRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] IReadOnlyList<NewMessage> Messages,
    [property: Id(3)] Guid? Delivery = null,
    [property: Id(4)] MailboxPath? Path = null,
    [property: Id(5)] bool Unfiltered = false)
{
    /// <summary>
    /// With the complements of its claims, and so back again: an owner of a release that does not look at <see cref="Unfiltered"/> finds no such claim, and stores nothing
    /// (<see cref="MailErrorCode.BodyGone"/>).
    /// </summary>
    public AppendRequest Sealed() => this with { Messages = [.. Messages.Select(static m => m with { Claim = ~m.Claim })] };
}

/// <summary>Response code APPENDUID (RFC 4315 §3).</summary>
/// <param name="UidValidity">0, here and in the results of REPLACE, COPY and MOVE: not known; an earlier try has done it, and the mailbox is gone since.</param>
[GenerateSerializer, Immutable, Alias("AppendResult")]
public sealed record AppendResult([property: Id(0)] uint UidValidity, [property: Id(1)] UidSet Uids, [property: Id(2)] long ModSeq, [property: Id(3)] bool Duplicate);

/// <param name="Source">Where the message is that is replaced: mostly the mailbox that is called itself.</param>
/// <param name="Uid">Which one.</param>
/// <param name="Path">As <see cref="AppendRequest.Path"/>.</param>
[GenerateSerializer, Immutable, Alias("ReplaceRequest")]
public sealed record ReplaceRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] NewMessage Message,
    [property: Id(3)] MailboxKey Source,
    [property: Id(4)] uint Uid,
    [property: Id(5)] MailboxPath? Path = null);

/// <summary>Response code APPENDUID, and the modseqs of the addition and of the removal at the source.</summary>
[GenerateSerializer, Immutable, Alias("ReplaceResult")]
public sealed record ReplaceResult([property: Id(0)] uint UidValidity, [property: Id(1)] uint Uid, [property: Id(2)] long ModSeq, [property: Id(3)] long SourceModSeq);

/// <param name="UnchangedSince">RFC 7162 §3.1.3; null for an unconditional STORE.</param>
[GenerateSerializer, Immutable, Alias("StoreRequest")]
public sealed record StoreRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] UidSet Uids,
    [property: Id(3)] StoreMode Mode,
    [property: Id(4)] FlagList Flags,
    [property: Id(5)] long? UnchangedSince = null);

/// <param name="Changed">The messages whose flags really changed.</param>
/// <param name="Modified">The messages that UNCHANGEDSINCE kept from being changed (response code MODIFIED).</param>
/// <param name="ModSeq">The modseq of the changed messages.</param>
[GenerateSerializer, Immutable, Alias("StoreResult")]
public sealed record StoreResult([property: Id(0)] UidSet Changed, [property: Id(1)] UidSet Modified, [property: Id(2)] long ModSeq);

/// <param name="Uids">Null for all.</param>
[GenerateSerializer, Immutable, Alias("ExpungeRequest")]
public sealed record ExpungeRequest([property: Id(0)] OperationId Operation, [property: Id(1)] Actor Actor, [property: Id(2)] UidSet? Uids);

/// <param name="Uids">Which messages; those that are gone are passed over.</param>
[GenerateSerializer, Immutable, Alias("RemoveRequest")]
public sealed record RemoveRequest([property: Id(0)] OperationId Operation, [property: Id(1)] Actor Actor, [property: Id(2)] UidSet Uids);

/// <param name="Uids">The messages that were removed.</param>
[GenerateSerializer, Immutable, Alias("ExpungeResult")]
public sealed record ExpungeResult([property: Id(0)] UidSet Uids, [property: Id(1)] long ModSeq);

/// <param name="Source">Where the messages are.</param>
/// <param name="Uids">Which of them; those that are gone are passed over.</param>
/// <param name="Move">True: they are removed from the source in the same change.</param>
[GenerateSerializer, Immutable, Alias("CopyRequest")]
public sealed record CopyRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] MailboxKey Source,
    [property: Id(3)] UidSet Uids,
    [property: Id(4)] bool Move);

/// <summary>Response code COPYUID (RFC 4315 §3): the n-th UID of one set became the n-th of the other.</summary>
/// <param name="SourceModSeq">For MOVE, the source's modseq of the removal.</param>
[GenerateSerializer, Immutable, Alias("CopyResult")]
public sealed record CopyResult(
    [property: Id(0)] uint UidValidity,
    [property: Id(1)] UidSet SourceUids,
    [property: Id(2)] UidSet Uids,
    [property: Id(3)] long ModSeq,
    [property: Id(4)] long? SourceModSeq);

/// <summary>The POP3 unique-id that a message had where it was imported from: 1 to 70 characters in the range 0x21 to 0x7E, unique in its mailbox.</summary>
[GenerateSerializer, Immutable, Alias("ImportedUidl")]
public sealed record ImportedUidl([property: Id(0)] uint Uid, [property: Id(1)] string Uidl);

/// <summary>Changes one line of a mailbox's list of rights (RFC 4314 §3.1, §3.2).</summary>
/// <param name="Grantee">An account of the mailbox's tenant, or <see cref="MailboxAcl.Anyone"/>.</param>
/// <param name="Negative">The line of rights that are taken away ("-name").</param>
[GenerateSerializer, Immutable, Alias("SetRightsRequest")]
public sealed record SetRightsRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] AccountId Grantee,
    [property: Id(3)] bool Negative,
    [property: Id(4)] StoreMode Mode,
    [property: Id(5)] MailRights Rights);
