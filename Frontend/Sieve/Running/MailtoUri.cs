using System.Text;

namespace MailCluster.Sieve.Running;

/// <summary>A mailto URI as notification method (RFC 6068; RFC 5436 §2.2): recipients, and those header fields that a notification may have.</summary>
public sealed record MailtoUri(IReadOnlyList<string> To, IReadOnlyList<string> Cc, string? Subject, string? Body)
{
    private const int MaxRecipients = 8;

    /// <summary>Null where it is none, has no recipient, or more than 8.</summary>
    public static MailtoUri? Parse(string uri)
    {
        if (!uri.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
            return null;
        string rest = uri["mailto:".Length..];
        int query = rest.IndexOf('?');
        var to = new List<string>();
        var cc = new List<string>();
        string? subject = null, body = null;
        if (!AddAll(to, query < 0 ? rest : rest[..query]))
            return null;
        foreach (string field in query < 0 ? [] : rest[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = field.IndexOf('=');
            if (equals < 1 || Decode(field[..equals]) is not { } name || Decode(field[(equals + 1)..]) is not { } value)
                return null;
            switch (name.ToLowerInvariant())
            {
                case "to" when !AddAll(to, field[(equals + 1)..]):
                case "cc" when !AddAll(cc, field[(equals + 1)..]):
                    return null;
                case "subject":
                    subject = value;
                    break;
                case "body":
                    body = value;
                    break;
                    // Others are passed over: nobody may set Bcc, From or Received by them (RFC 5436 §2.2).
            }
        }
        return to.Count + cc.Count is > 0 and <= MaxRecipients ? new MailtoUri(to, cc, subject, body) : null;
    }

    private static bool AddAll(List<string> list, string encoded)
    {
        foreach (string part in encoded.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Decode(part) is not { } text || Addresses.Valid(text) is not { } address)
                return false;
            list.Add(address);
        }
        return true;
    }

    private static string? Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
                continue;
            }
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                return null;
            bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16));
            i += 2;
        }
        try
        {
            return new UTF8Encoding(false, true).GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
