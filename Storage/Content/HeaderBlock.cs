using MailCluster.Contracts.Content;
using MimeKit;

namespace MailCluster.Storage.Content;

/// <summary>The fields of one header block that structure and envelope are made of. Of a repeated field the first counts; address fields add up.</summary>
internal sealed class HeaderBlock(long begin)
{
    private readonly Dictionary<HeaderId, List<RawText>> fields = [];

    public long Begin { get; } = begin;

    /// <summary>After the empty line; meaningful once <see cref="Ended"/>.</summary>
    public long End { get; set; } = begin;
    public bool Ended { get; set; }

    public static bool Wants(HeaderId id) => id switch
    {
        HeaderId.ContentType or HeaderId.ContentTransferEncoding or HeaderId.ContentId or HeaderId.ContentDescription or HeaderId.ContentMd5
            or HeaderId.ContentDisposition or HeaderId.ContentLanguage or HeaderId.ContentLocation => true,
        HeaderId.Date or HeaderId.Subject or HeaderId.From or HeaderId.Sender or HeaderId.ReplyTo or HeaderId.To or HeaderId.Cc or HeaderId.Bcc
            or HeaderId.InReplyTo or HeaderId.MessageId => true,
        _ => false,
    };

    /// <summary>True when the value was kept and so costs memory.</summary>
    public bool Add(HeaderId id, RawText value)
    {
        if (!fields.TryGetValue(id, out var values))
            fields[id] = values = [];
        else if (!IsAddressField(id) || values.Count >= 100)
            return false;
        values.Add(value);
        return true;
    }

    public RawText First(HeaderId id) => fields.TryGetValue(id, out var values) ? values[0] : default;

    public EnvelopeData Envelope() => new()
    {
        Date = First(HeaderId.Date),
        Subject = First(HeaderId.Subject),
        From = Addresses(HeaderId.From),
        Sender = Addresses(HeaderId.Sender),
        ReplyTo = Addresses(HeaderId.ReplyTo),
        To = Addresses(HeaderId.To),
        Cc = Addresses(HeaderId.Cc),
        Bcc = Addresses(HeaderId.Bcc),
        InReplyTo = First(HeaderId.InReplyTo),
        MessageId = First(HeaderId.MessageId),
    };

    private IReadOnlyList<EnvelopeAddress> Addresses(HeaderId id)
    {
        if (!fields.TryGetValue(id, out var values))
            return [];
        return values.Count == 1
            ? AddressListParser.Parse(values[0].Span)
            : [.. values.SelectMany(value => AddressListParser.Parse(value.Span))];
    }

    private static bool IsAddressField(HeaderId id) =>
        id is HeaderId.From or HeaderId.Sender or HeaderId.ReplyTo or HeaderId.To or HeaderId.Cc or HeaderId.Bcc;
}
