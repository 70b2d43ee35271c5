using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>The charsets that mail is written in, by their MIME names.</summary>
internal static class Charsets
{
    static Charsets() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Null for a name that is unknown or that nobody may use (UTF-7). Never throws; bad bytes decode to U+FFFD.</summary>
    public static Encoding? Find(string name)
    {
        name = name.Trim();
        if (name.Length is 0 or > 64 || name.Contains("utf-7", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            // Mail that calls itself Latin-1 or ASCII often holds Windows-1252, which differs from it only in control characters.
            return name.ToUpperInvariant() switch
            {
                "ISO-8859-1" or "LATIN1" or "US-ASCII" or "ASCII" or "ANSI_X3.4-1968" => Western,
                "UTF8" => Encoding.UTF8,
                "CP932" or "WINDOWS-31J" => Encoding.GetEncoding(932),
                "KS_C_5601-1987" or "EUC-KR" => Encoding.GetEncoding(949),
                "GB2312" or "GBK" => Encoding.GetEncoding(936),
                _ => Encoding.GetEncoding(name),
            };
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>What 8-bit bytes of an unknown charset are taken for when they are not UTF-8.</summary>
    public static Encoding Western => Encoding.GetEncoding(1252);
}
