namespace MailCluster.Contracts;

/// <summary>One committed operation's effect on a mailbox. Effects are ordered by <see cref="ModSeq"/>.</summary>
[GenerateSerializer, Immutable, Alias("MailboxEffect")]
public abstract record MailboxEffect([property: Id(0)] long ModSeq);

/// <summary>Messages that came in, in UID order, all above every UID before.</summary>
/// <param name="Viewer">Not null: who put them in is not the owner, and <paramref name="Seen"/> are those with his own \Seen.</param>
[GenerateSerializer, Immutable, Alias("MessagesAdded")]
public sealed record MessagesAdded(long ModSeq, [property: Id(0)] IReadOnlyList<MessageRow> Rows, [property: Id(1)] AccountId? Viewer = null, [property: Id(2)] UidSet? Seen = null)
    : MailboxEffect(ModSeq);

/// <summary>Flags that changed: what was asked, and the messages that it really changed (as ranges, whatever their number).</summary>
/// <param name="Viewer">Not null: who changed them is not the owner, and \Seen is his own.</param>
/// <param name="Mask">The flags that he may change; null for all.</param>
[GenerateSerializer, Immutable, Alias("FlagsChanged")]
public sealed record FlagsChanged(
    long ModSeq, [property: Id(0)] UidSet Uids, [property: Id(1)] StoreMode Mode, [property: Id(2)] FlagList Flags,
    [property: Id(3)] AccountId? Viewer = null, [property: Id(4)] FlagMask? Mask = null)
    : MailboxEffect(ModSeq);

/// <summary>Another list of rights.</summary>
[GenerateSerializer, Immutable, Alias("RightsChanged")]
public sealed record RightsChanged(long ModSeq, [property: Id(0)] MailboxAcl Acl) : MailboxEffect(ModSeq);

/// <summary>Messages that went (EXPUNGE, MOVE, REPLACE).</summary>
[GenerateSerializer, Immutable, Alias("MessagesExpunged")]
public sealed record MessagesExpunged(long ModSeq, [property: Id(0)] UidSet Uids) : MailboxEffect(ModSeq);

/// <summary>
/// The step of a mailbox from one version to the next: (<see cref="Epoch"/>, <see cref="FromModSeq"/>) to (<see cref="Epoch"/>, <see cref="ToModSeq"/>).
/// Who is not at exactly <see cref="FromModSeq"/> of that epoch has missed something and asks the owner.
/// </summary>
[GenerateSerializer, Immutable, Alias("MailboxDelta")]
public sealed record MailboxDelta(
    [property: Id(0)] long Epoch,
    [property: Id(1)] long FromModSeq,
    [property: Id(2)] long ToModSeq,
    [property: Id(3)] IReadOnlyList<MailboxEffect> Effects);
