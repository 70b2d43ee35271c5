using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MimeKit.Utils;

namespace MailCluster.Imap.Search;

/// <summary>What SORT and THREAD compare, as it is taken from an envelope.</summary>
internal static class KeyTexts
{
    /// <summary>The text of a criterion before it is mapped to the octets that are compared; of a subject, whether a subj-refwd was taken off.</summary>
    public static (string Text, bool IsReplyOrForward) Of(KeyKind kind, EnvelopeData envelope) => kind switch
    {
        KeyKind.From => (MailboxOf(envelope.From), false),
        KeyKind.To => (MailboxOf(envelope.To), false),
        KeyKind.Cc => (MailboxOf(envelope.Cc), false),
        KeyKind.DisplayFrom => (DisplayOf(envelope.From), false),
        KeyKind.DisplayTo => (DisplayOf(envelope.To), false),
        KeyKind.Subject => BaseSubject.Of(envelope.Subject.IsEmpty ? "" : MessageText.DecodeHeader(envelope.Subject)) is var subject ? (subject.Text, subject.IsReplyOrForward) : default,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is no text."),
    };

    /// <summary>The moment that the Date field names, in seconds since 1970; INTERNALDATE where it can't be read (RFC 5256 §2.2).</summary>
    public static long SentDate(MessageRef message, EnvelopeData envelope) =>
        !envelope.Date.IsEmpty && DateUtils.TryParse(envelope.Date.Bytes.ToArray(), out DateTimeOffset date)
            ? date.ToUnixTimeSeconds()
            : message.InternalDate.ToUnixTimeSeconds();

    /// <summary>The message's own identifier; null where it has none.</summary>
    public static string? IdOf(EnvelopeData envelope) => Ids(envelope.MessageId).FirstOrDefault();

    /// <summary>References, or without any the first of In-Reply-To (RFC 5256 §4, step 1).</summary>
    public static IEnumerable<string> ReferencesOf(EnvelopeData envelope, MessageContent? content)
    {
        string[] references = [.. (content?.Headers ?? [])
            .Where(static h => h.Name.EqualsIgnoreCase("References"u8)).SelectMany(static h => Ids(h.Value))];
        return references.Length > 0 ? references : Ids(envelope.InReplyTo).Take(1);
    }

    /// <summary>The identifiers of a field; quoting makes no difference (RFC 5256 §4).</summary>
    internal static IEnumerable<string> Ids(RawText value) =>
        MessageIds.Parse(value.Span).Select(static id => id.Contains('"') ? id.Replace("\"", "", StringComparison.Ordinal) : id);

    /// <summary>addr-mailbox of the first address (RFC 5256 §3); of a group it is the name.</summary>
    private static string MailboxOf(IReadOnlyList<EnvelopeAddress> addresses) => addresses.Count == 0 ? "" : Text(addresses[0].Mailbox);

    /// <summary>The name of the first address or group; without one the address (RFC 5957 §3).</summary>
    private static string DisplayOf(IReadOnlyList<EnvelopeAddress> addresses)
    {
        if (addresses.Count == 0)
            return "";
        EnvelopeAddress first = addresses[0];
        if (!first.Name.IsEmpty)
            return Text(first.Name);
        return first.Host.IsEmpty ? Text(first.Mailbox) : $"{Text(first.Mailbox)}@{Text(first.Host)}";
    }

    private static string Text(RawText raw) => raw.IsEmpty ? "" : MessageText.DecodeHeader(raw);
}
