using MailCluster.Contracts.Content;
using MimeKit;

namespace MailCluster.Storage.Content;

/// <summary>A part while its message is being read. Offsets are those of the reader.</summary>
internal sealed class PartNode
{
    public required BodyPartKind Kind { get; set; }
    public required long HeaderBegin { get; set; }
    public required long BodyBegin { get; set; }
    public long BodyEnd { get; set; }
    public long Lines { get; set; }
    public required RawText Type { get; set; }
    public required RawText Subtype { get; set; }
    public IReadOnlyList<BodyParameter> Parameters { get; set; } = [];
    public HeaderBlock? Fields { get; init; }

    /// <summary>Transfer encoding of a part without a header of its own.</summary>
    public RawText Encoding { get; set; }
    public EnvelopeData? Envelope { get; set; }
    public List<PartNode> Parts { get; } = [];

    /// <summary>The leaf that stands for everything in this part after the limit of parts was reached.</summary>
    public PartNode? Rest { get; set; }

    /// <summary>A leaf without header fields: the text part of a multipart that has none, and what is opaque.</summary>
    public static PartNode Bare(string type, string subtype, long begin) => new()
    {
        Kind = BodyPartKind.Leaf,
        HeaderBegin = begin,
        BodyBegin = begin,
        BodyEnd = begin,
        Type = RawText.FromLatin1(type),
        Subtype = RawText.FromLatin1(subtype),
    };

    /// <param name="origin">Offset of the message's first byte in the reader's stream.</param>
    /// <param name="end">
    /// End of what is around this part. Where an empty line or a header line is followed by a boundary, its line end counts as the
    /// boundary's, and the part ends before its header does.
    /// </param>
    public BodyPart ToBodyPart(long origin, long end)
    {
        BodyEnd = Math.Min(BodyEnd, end);
        BodyBegin = Math.Min(BodyBegin, end);
        var languages = Fields?.First(HeaderId.ContentLanguage) ?? default;
        IReadOnlyList<BodyParameter> dispositionParameters = [];
        var disposition = Fields is null ? default : StructuredField.Disposition(Fields.First(HeaderId.ContentDisposition).Span, out dispositionParameters);
        return new BodyPart
        {
            Kind = Kind,
            HeaderOffset = Math.Min(HeaderBegin, end) - origin,
            HeaderLength = Math.Max(0, BodyBegin - HeaderBegin),
            BodyOffset = BodyBegin - origin,
            BodyLength = Math.Max(0, BodyEnd - BodyBegin),
            Lines = BodyEnd > BodyBegin ? Math.Max(0, Lines) : 0,
            Type = Type,
            Subtype = Subtype,
            Parameters = Parameters,
            Id = Fields?.First(HeaderId.ContentId) ?? default,
            Description = Fields?.First(HeaderId.ContentDescription) ?? default,
            Encoding = StructuredField.Single((Fields?.First(HeaderId.ContentTransferEncoding) ?? Encoding).Span),
            Md5 = Fields?.First(HeaderId.ContentMd5) ?? default,
            Disposition = disposition,
            DispositionParameters = disposition.IsAbsent ? [] : dispositionParameters,
            Languages = languages.IsAbsent ? [] : StructuredField.Languages(languages.Span),
            Location = Fields?.First(HeaderId.ContentLocation) ?? default,
            Envelope = Kind == BodyPartKind.Message ? Envelope ?? EnvelopeData.None : null,
            Parts = [.. Parts.Select(part => part.ToBodyPart(origin, BodyEnd))],
        };
    }
}
