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

    /// <summary>Bytes of the stored body.</summary>
    public long Size { get; init; }
    public EnvelopeData Envelope { get; init; } = EnvelopeData.None;

    /// <summary>In the order of the message, at most <see cref="MaxHeaderBytes"/>.</summary>
    public IReadOnlyList<ContentHeader> Headers { get; init; } = [];

    /// <summary>True when fields are missing from <see cref="Headers"/>: who searches them must read the header block.</summary>
    public bool HeadersTruncated { get; init; }
    public required BodyPart Root { get; init; }

    /// <summary>The stored form; its first byte is the format (1).</summary>
    public byte[] Encode() => ContentEncoder.Encode(this);

    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static MessageContent Decode(ReadOnlyMemory<byte> encoded) => ContentDecoder.Decode(encoded);

    /// <summary>The envelope alone, without looking at headers and structure.</summary>
    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static EnvelopeData DecodeEnvelope(ReadOnlyMemory<byte> encoded) => ContentDecoder.DecodeEnvelope(encoded);

    /// <summary>The structure alone.</summary>
    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static BodyPart DecodeStructure(ReadOnlyMemory<byte> encoded) => ContentDecoder.DecodeStructure(encoded);

    /// <summary>The headers alone.</summary>
    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static (IReadOnlyList<ContentHeader> Headers, bool Truncated) DecodeHeaders(ReadOnlyMemory<byte> encoded) => ContentDecoder.DecodeHeaders(encoded);
}

/// <summary>Stored content that cannot be read: damaged, or written by a newer version.</summary>
public sealed class MalformedContentException(string message) : Exception(message);
