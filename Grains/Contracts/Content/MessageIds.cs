using System.Text;

namespace MailCluster.Contracts.Content;

/// <summary>Message identifiers (RFC 5322 §3.6.4) in the form in which threads compare them.</summary>
public static class MessageIds
{
    /// <summary>Identifiers taken from one message; a References header of thousands adds nothing to a thread.</summary>
    public const int Max = 200;

    /// <summary>
    /// The message's own Message-ID first, then In-Reply-To, then References, without angle brackets, blanks and duplicates.
    /// Empty when the message names none.
    /// </summary>
    public static IReadOnlyList<string> Of(MessageContent content)
    {
        var ids = new List<string>();
        Add(ids, content.Envelope.MessageId.Span);
        Add(ids, content.Envelope.InReplyTo.Span);
        foreach (var header in content.Headers)
        {
            if (header.Name.EqualsIgnoreCase("References"u8))
                Add(ids, header.Value.Span);
        }
        return ids;
    }

    /// <summary>The identifiers of one header value: what is between angle brackets, blanks removed; the order is kept.</summary>
    public static IReadOnlyList<string> Parse(ReadOnlySpan<byte> value)
    {
        var ids = new List<string>();
        Add(ids, value);
        return ids;
    }

    private static void Add(List<string> ids, ReadOnlySpan<byte> value)
    {
        while (ids.Count < Max)
        {
            var start = value.IndexOf((byte)'<');
            if (start < 0)
                return;
            value = value[(start + 1)..];
            var end = value.IndexOf((byte)'>');
            if (end < 0)
                return;
            var id = string.Concat(Encoding.Latin1.GetString(value[..end]).Where(c => c > ' '));
            if (id.Length is > 0 and <= 1000 && !ids.Contains(id))
                ids.Add(id);
            value = value[(end + 1)..];
        }
    }
}
