namespace MailCluster.Contracts.Content;

/// <summary>How a part is built, and so how IMAP numbers what is inside it (RFC 9051 §6.4.5.1).</summary>
public enum BodyPartKind : byte
{
    /// <summary>No parts inside.</summary>
    Leaf = 0,

    /// <summary>message/rfc822 or message/global: exactly one part inside, the root of the embedded message.</summary>
    Message = 1,

    /// <summary>multipart/*: one part or more; one empty text/plain part stands for none.</summary>
    Multipart = 2,
}

/// <summary>A parameter of Content-Type or Content-Disposition as written: RFC 2231 pieces are neither joined nor decoded; only quoting is removed.</summary>
public readonly record struct BodyParameter(RawText Name, RawText Value);

/// <summary>
/// One MIME part. Offsets and lengths are bytes in the stored body (CRLF line ends, without the headers this server puts in front).
/// For the root of a message, embedded or not, the header range is the message's own header.
/// </summary>
public sealed record BodyPart
{
    public BodyPartKind Kind { get; init; }

    /// <summary>Start of the header block; its length includes the empty line that ends it, where there is one.</summary>
    public long HeaderOffset { get; init; }
    public long HeaderLength { get; init; }

    /// <summary>The content, still transfer-encoded, without the line end that belongs to the following boundary.</summary>
    public long BodyOffset { get; init; }
    public long BodyLength { get; init; }

    /// <summary>Lines of the body; a last line without line end counts.</summary>
    public long Lines { get; init; }

    /// <summary>Media type as written, or its default; never absent.</summary>
    public RawText Type { get; init; }
    public RawText Subtype { get; init; }
    public IReadOnlyList<BodyParameter> Parameters { get; init; } = [];

    public RawText Id { get; init; }
    public RawText Description { get; init; }

    /// <summary>Content-Transfer-Encoding as written; absent means 7bit.</summary>
    public RawText Encoding { get; init; }
    public RawText Md5 { get; init; }

    /// <summary>Content-Disposition's type; absent without that header.</summary>
    public RawText Disposition { get; init; }
    public IReadOnlyList<BodyParameter> DispositionParameters { get; init; } = [];
    public IReadOnlyList<RawText> Languages { get; init; } = [];
    public RawText Location { get; init; }

    /// <summary>Of the embedded message, where <see cref="Kind"/> is <see cref="BodyPartKind.Message"/>; otherwise null.</summary>
    public EnvelopeData? Envelope { get; init; }
    public IReadOnlyList<BodyPart> Parts { get; init; } = [];

    public bool IsText => Type.EqualsIgnoreCase("text"u8);

    /// <summary>The value of a parameter by name without case, or the absent text.</summary>
    public RawText Parameter(ReadOnlySpan<byte> name)
    {
        foreach (var parameter in Parameters)
        {
            if (parameter.Name.EqualsIgnoreCase(name))
                return parameter.Value;
        }
        return default;
    }
}
