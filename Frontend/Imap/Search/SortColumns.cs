using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;
using MimeKit.Utils;

namespace MailCluster.Imap.Search;

/// <summary>What one criterion of SORT compares, of each message: a number or the octets of a text.</summary>
internal abstract class SortColumn
{
    /// <summary>Adds the next message.</summary>
    /// <param name="envelope">Empty where only the snapshot is asked.</param>
    public abstract void Add(MessageRef message, EnvelopeData envelope);

    /// <summary>The order of two messages by their places.</summary>
    public abstract int Compare(int left, int right);

    public static SortColumn Of(SortKey key) => key switch
    {
        SortKey.Arrival => new Numbers(static (message, _) => message.InternalDate.ToUnixTimeSeconds()),
        SortKey.Size => new Numbers(static (message, _) => message.Size),
        // What fits at all fits as well as the rest.
        SortKey.Relevancy => new Numbers(static (_, _) => -FuzzyKeys.Score),
        SortKey.Date => new Numbers(SentDate),
        SortKey.Cc => new Texts(static e => MailboxOf(e.Cc)),
        SortKey.From => new Texts(static e => MailboxOf(e.From)),
        SortKey.To => new Texts(static e => MailboxOf(e.To)),
        SortKey.DisplayFrom => new Texts(static e => DisplayOf(e.From)),
        SortKey.DisplayTo => new Texts(static e => DisplayOf(e.To)),
        _ => new Texts(static e => BaseSubject.Of(SubjectOf(e)).Text),
    };

    /// <summary>The criterion needs more than the snapshot.</summary>
    public static bool NeedsEnvelope(SortKey key) => key is not (SortKey.Arrival or SortKey.Size or SortKey.Relevancy);

    /// <summary>The moment that the Date field names, in seconds since 1970; INTERNALDATE where it can't be read (RFC 5256 §2.2).</summary>
    public static long SentDate(MessageRef message, EnvelopeData envelope) =>
        !envelope.Date.IsEmpty && DateUtils.TryParse(envelope.Date.Bytes.ToArray(), out DateTimeOffset date)
            ? date.ToUnixTimeSeconds()
            : message.InternalDate.ToUnixTimeSeconds();

    public static string SubjectOf(EnvelopeData envelope) => envelope.Subject.IsEmpty ? "" : MessageText.DecodeHeader(envelope.Subject);

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

    private sealed class Numbers(Func<MessageRef, EnvelopeData, long> valueOf) : SortColumn
    {
        private readonly List<long> _values = [];

        public override void Add(MessageRef message, EnvelopeData envelope) => _values.Add(valueOf(message, envelope));

        public override int Compare(int left, int right) => _values[left].CompareTo(_values[right]);
    }

    private sealed class Texts(Func<EnvelopeData, string> valueOf) : SortColumn
    {
        private readonly List<byte[]> _values = [];
        private readonly Dictionary<string, byte[]> _known = new(StringComparer.Ordinal);

        public override void Add(MessageRef message, EnvelopeData envelope)
        {
            // Many messages have the same sender or subject: one copy for all.
            string value = valueOf(envelope);
            if (!_known.TryGetValue(value, out byte[]? key))
                _known[value] = key = UnicodeCasemap.Key(value);
            _values.Add(key);
        }

        public override int Compare(int left, int right)
        {
            (byte[] a, byte[] b) = (_values[left], _values[right]);
            return ReferenceEquals(a, b) ? 0 : a.AsSpan().SequenceCompareTo(b);
        }
    }
}
