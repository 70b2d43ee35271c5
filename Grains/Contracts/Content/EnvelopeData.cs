namespace MailCluster.Contracts.Content;

/// <summary>
/// The fields of IMAP's ENVELOPE (RFC 9051 §7.5.2) as they were sent. An absent header is an absent <see cref="RawText"/>
/// or an empty list; the defaults of Sender and Reply-To are not filled in here.
/// </summary>
public sealed record EnvelopeData
{
    public static EnvelopeData None { get; } = new();

    public RawText Date { get; init; }
    public RawText Subject { get; init; }
    public IReadOnlyList<EnvelopeAddress> From { get; init; } = [];
    public IReadOnlyList<EnvelopeAddress> Sender { get; init; } = [];
    public IReadOnlyList<EnvelopeAddress> ReplyTo { get; init; } = [];
    public IReadOnlyList<EnvelopeAddress> To { get; init; } = [];
    public IReadOnlyList<EnvelopeAddress> Cc { get; init; } = [];
    public IReadOnlyList<EnvelopeAddress> Bcc { get; init; } = [];
    public RawText InReplyTo { get; init; }
    public RawText MessageId { get; init; }
}

/// <summary>
/// One entry of an address list. A group is a run of entries: its start (<see cref="Mailbox"/> holds the name, no host),
/// its members, its end (neither mailbox nor host). A mailbox that was written without a domain has an empty host, never an absent one.
/// </summary>
/// <param name="Name">Display name, or the comment that stands for it, without RFC 5322 quoting.</param>
/// <param name="Route">RFC 5322 §4.4 obs-route ("@a,@b"), nearly always absent.</param>
/// <param name="Mailbox">Local part without quoting; a group's name; absent at the end of a group.</param>
/// <param name="Host">Domain; absent at the start and the end of a group.</param>
public readonly record struct EnvelopeAddress(RawText Name, RawText Route, RawText Mailbox, RawText Host)
{
    public static EnvelopeAddress GroupStart(RawText name) => new(default, default, name, default);
    public static EnvelopeAddress GroupEnd { get; }
}
