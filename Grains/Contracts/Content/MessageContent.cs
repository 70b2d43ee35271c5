using System.Diagnostics.CodeAnalysis;

namespace MailCluster.Contracts.Content;

/// <summary>A header field of the message itself: name as written, value unfolded and trimmed.</summary>
public readonly record struct ContentHeader(RawText Name, RawText Value);

/// <summary>
/// What is known of a message's bytes without reading them again: structure, envelope, headers. Computed once when a body is stored,
/// as data and not as protocol text, and shared by every copy of the message.
/// </summary>
public sealed record MessageContent
{
    /// <summary>Levels of multipart and message parts that are looked into; what is deeper is one opaque leaf.</summary>
    public const int MaxDepth = 100;

    /// <summary>Parts that are told apart; beyond it the rest of each open multipart is one opaque leaf.</summary>
    public const int MaxParts = 10_000;

    /// <summary>Bytes of header names and values that <see cref="Headers"/> keeps.</summary>
    public const int MaxHeaderBytes = 64 * 1024;

    private readonly StoredContent? _stored;

    public MessageContent()
    {
    }

    [SetsRequiredMembers]
    internal MessageContent(StoredContent stored)
    {
        (_stored, Size) = (stored, stored.Size);
        Root = null!;
    }

    /// <summary>Bytes of the stored body.</summary>
    public long Size { get; init; }

    public EnvelopeData Envelope { get => _stored is { } stored ? stored.Envelope() : field; init; } = EnvelopeData.None;

    /// <summary>In the order of the message, at most <see cref="MaxHeaderBytes"/>.</summary>
    public IReadOnlyList<ContentHeader> Headers { get => _stored is { } stored ? stored.Headers() : field; init; } = [];

    /// <summary>True when fields are missing from <see cref="Headers"/>: who searches them must read the header block.</summary>
    public bool HeadersTruncated { get => _stored is { } stored ? stored.HeadersTruncated() : field; init; }

    public required BodyPart Root { get => _stored is { } stored ? stored.Root() : field; init; }

    /// <summary>Octets of the stored form that this is a view of; 0 where it is none.</summary>
    public int StoredOctets => _stored?.Octets ?? 0;

    /// <summary>The stored form; its first byte is the format (1).</summary>
    public byte[] Encode() => ContentEncoder.Encode(this);

    /// <summary>
    /// A view of the stored form: envelope, headers and structure are each decoded when they are asked for, and not kept. What of them is damaged is found only then, as a
    /// <see cref="MalformedContentException"/>.
    /// </summary>
    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static MessageContent Decode(ReadOnlyMemory<byte> encoded) => new(StoredContent.Of(encoded));
}

/// <summary>Stored content that cannot be read: damaged, or written by a newer version.</summary>
public sealed class MalformedContentException(string message) : Exception(message);
