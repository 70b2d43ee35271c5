namespace MailCluster.Contracts;

/// <summary>An annotation of a message as it is to be (RFC 5257 §4.5).</summary>
/// <param name="Entry">Case counts.</param>
/// <param name="Shared">For all who read the mailbox (value.shared); otherwise of the account that sets it, for itself (value.priv).</param>
/// <param name="Value">Null takes it away.</param>
[GenerateSerializer, Immutable, Alias("AnnotationValue")]
public sealed record AnnotationValue([property: Id(0)] string Entry, [property: Id(1)] bool Shared, [property: Id(2)] byte[]? Value)
{
    /// <summary>What it counts for in quotas.</summary>
    public long Octets => Value is null ? 0 : Entry.Length + Value.Length;
}

/// <param name="Values">Each entry once as shared and once as private at most.</param>
/// <param name="UnchangedSince">RFC 7162 §3.1.3; null for an unconditional STORE.</param>
[GenerateSerializer, Immutable, Alias("AnnotateRequest")]
public sealed record AnnotateRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] UidSet Uids,
    [property: Id(3)] IReadOnlyList<AnnotationValue> Values,
    [property: Id(4)] long? UnchangedSince = null);

/// <summary>An annotation that a message has.</summary>
/// <param name="Size">Octets of the value.</param>
/// <param name="Value">Null where it is larger than what comes along unasked (<see cref="IMessageAnnotations.Inline"/>).</param>
public sealed record MessageAnnotation(uint Uid, string Entry, bool Shared, long Size, byte[]? Value);

/// <param name="ModSeq">The message's when it was changed.</param>
public readonly record struct ChangedAnnotation(uint Uid, string Entry, bool Shared, long ModSeq);

/// <summary>
/// Annotations of messages as they are in PostgreSQL, which has them before the owner publishes the version that tells of their change: whoever has synchronised reads what he was told of,
/// or what came later. Each method reads shared annotations and the viewer's own. Implemented by Storage. All throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public interface IMessageAnnotations
{
    /// <summary>Octets up to which a value comes with <see cref="ListAsync"/>.</summary>
    const int Inline = 512;

    /// <summary>All annotations of some messages, in the order of UIDs and entries; shared ones first.</summary>
    Task<IReadOnlyList<MessageAnnotation>> ListAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, CancellationToken cancellationToken);

    /// <summary>The value of one; null: it is gone.</summary>
    Task<byte[]?> ReadAsync(MailboxKey mailbox, AccountId viewer, uint uid, string entry, bool shared, CancellationToken cancellationToken);

    /// <summary>Which annotations of some messages were set or taken away after a modseq.</summary>
    Task<IReadOnlyList<ChangedAnnotation>> ChangedAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, long since, CancellationToken cancellationToken);

    /// <summary>All annotations of a mailbox with their values, one by one, in no order.</summary>
    /// <param name="entry">Only this entry; null for all.</param>
    /// <param name="shared">Only shared ones, or only the viewer's; null for both.</param>
    IAsyncEnumerable<MessageAnnotation> ScanAsync(MailboxKey mailbox, AccountId viewer, string? entry, bool? shared, CancellationToken cancellationToken);
}
