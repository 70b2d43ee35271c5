using System.IO.Pipelines;
using MailCluster.Contracts.Content;

namespace MailCluster.Contracts;

/// <summary>
/// Raw message bytes and what was computed from them, between front ends and PostgreSQL without passing a grain. Implemented by Storage.
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached; nothing is then half done that anyone could see.
/// </summary>
public interface IMessageBodies
{
    /// <summary>
    /// Stores a body that nothing refers to yet and computes its content in the same pass, in bounded memory whatever its size.
    /// Line ends are put right before anything is counted: a lone LF becomes CRLF, a lone CR stays.
    /// A staged body that no message claims is collected after some hours.
    /// </summary>
    /// <param name="tenant">Bodies are never shared between tenants.</param>
    /// <param name="source">Read to its end (as completed by the writer); not completed here.</param>
    /// <param name="claims">How many messages may refer to it: one for APPEND, one for each recipient of a delivery.</param>
    /// <param name="sizeHint">The announced size in octets, or null; a small one saves copies.</param>
    /// <param name="maxSize">Octets after line ends were put right; beyond it <see cref="MailErrorCode.TooBig"/> and nothing is kept (the source is read on to its end).</param>
    ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="StageAsync"/>, but a small body may stay in this process: the commit of an owner in the same process stores it along with its message.
    /// For an owner elsewhere it has to be stored first (<see cref="KeepAsync"/>); whoever does not know takes <see cref="StageAsync"/>.
    /// It is held until it is stored by either, or discarded.
    /// </summary>
    ValueTask<MailResult<StagedBody>> HoldAsync(TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) =>
        StageAsync(tenant, source, claims, sizeHint, maxSize, cancellationToken);

    /// <summary>Stores a held body with its claims; whoever asks meanwhile waits until it is. False: it is not held (any more), nothing was done.</summary>
    ValueTask<bool> KeepAsync(BodyId body) => new(false);

    /// <summary>The structure of a body that was staged or is held; null: it is neither.</summary>
    ValueTask<MessageContent?> GetStagedContentAsync(BodyId body, CancellationToken cancellationToken) => new((MessageContent?)null);

    /// <summary>Gives up claims of a staged body that will not be used, so that it can be collected at once.</summary>
    ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken);

    /// <summary>
    /// The emails of an account, in the order asked for; null where one no longer exists (answer [EXPUNGEISSUED]).
    /// With <paramref name="withContent"/> the parsed structure comes along. One query for all.
    /// </summary>
    ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
        AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken);

    /// <summary>
    /// Reads a range of a body in pieces of at most some hundred KB, reading only what the range touches. A piece is valid until the next is asked for.
    /// Throws <see cref="BodyGoneException"/> when the body was collected.
    /// </summary>
    /// <param name="size">Octets of the whole body (<see cref="StoredEmail.BodySize"/>).</param>
    /// <param name="offset">From the first octet of the body (without prefix).</param>
    /// <param name="count">Octets; offset + count must lie inside the body.</param>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(BodyId body, long size, long offset, long count, CancellationToken cancellationToken);

    /// <summary>Small whole bodies (up to <paramref name="maxSize"/> octets) of several emails in one query; null where one is larger or gone.</summary>
    ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken);
}

/// <summary>A body that was stored and waits for messages to refer to it.</summary>
/// <param name="Size">Octets, after line ends were put right.</param>
/// <param name="Hash">The first 16 bytes of SHA-256 over the bytes as received.</param>
/// <param name="ThreadKeys">See <see cref="NewMessage.ThreadKeys"/>.</param>
/// <param name="MessageId">The Message-ID field's value, shortened to 250 characters, for logs; null when there is none.</param>
[GenerateSerializer, Immutable, Alias("StagedBody")]
public sealed record StagedBody(
    [property: Id(0)] BodyId Body,
    [property: Id(1)] long Size,
    [property: Id(2)] Guid Hash,
    [property: Id(3)] IReadOnlyList<long> ThreadKeys,
    [property: Id(4)] string? MessageId,
    [property: Id(5)] int Claims);

/// <summary>One email as stored. The message that a client sees is <see cref="Prefix"/> followed by the body.</summary>
/// <param name="BodySize">Octets of the body without prefix.</param>
/// <param name="Content">The parsed structure (offsets count from the body's first octet), or null when it was not asked for.</param>
public sealed record StoredEmail(EmailId Id, BodyId Body, byte[] Prefix, long BodySize, MessageContent? Content);

/// <summary>PostgreSQL cannot be reached or has given up in mid-work; the caller may try again.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The body was expunged and collected.</summary>
public sealed class BodyGoneException(BodyId body) : Exception($"Body {body} is gone.");
