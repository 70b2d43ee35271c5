using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>How the strings of a SEARCH become text (its CHARSET). Without one, and for US-ASCII, 8-bit is taken as UTF-8.</summary>
sealed class SearchText
{
    static readonly UTF8Encoding StrictUtf8 = new(false, true);

    /// <summary>The name that CodePages gives no encoding for, or that would be dangerous: null.</summary>
    readonly Encoding? _encoding;

    SearchText(Encoding? encoding) => _encoding = encoding;

    public static SearchText Default { get; } = new(StrictUtf8);

    public static SearchText Unknown { get; } = new(null);

    public bool IsUnknown => _encoding is null;

    public static SearchText For(ReadOnlySpan<byte> charset)
    {
        if (Ascii.EqualsIgnoreCase(charset, "UTF-8"u8) || Ascii.EqualsIgnoreCase(charset, "US-ASCII"u8))
        {
            return Default;
        }
        if (Ascii.EqualsIgnoreCase(charset, "ISO-8859-1"u8))
        {
            return new(Encoding.Latin1);
        }
        // 16-bit charsets would hold NUL, which no string of the protocol can; the provider does not know UTF-7, which is just as well.
        var encoding = charset.Length <= 64 && Ascii.IsValid(charset)
            ? CodePagesEncodingProvider.Instance.GetEncoding(Encoding.ASCII.GetString(charset))
            : null;
        return encoding is null ? Unknown : new(encoding);
    }

    public string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return (_encoding ?? Encoding.Latin1).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new ImapSyntaxException("A string is not in the charset of the SEARCH");
        }
    }
}
