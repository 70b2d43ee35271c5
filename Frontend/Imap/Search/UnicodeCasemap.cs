using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>
/// The collation i;unicode-casemap (RFC 5051), which SORT, THREAD and SEARCH compare with (RFC 5255 §4, I18NLEVEL=1): each character in title case, then
/// wholly decomposed. Two texts are equal, one is in another, or comes before it, where their maps are or do, octet by octet of UTF-8.
/// </summary>
public static class UnicodeCasemap
{
    private const int HangulFirst = 0xAC00, HangulCount = 11172, HangulVowels = 21, HangulTails = 28;

    private static readonly Lazy<FrozenDictionary<int, string>> Mapped = new(Load);

    /// <summary>The map of a text; the text itself where nothing changes.</summary>
    public static string Map(string text)
    {
        if (Ascii.IsValid(text))
            return text.ToUpperInvariant();
        var mapped = new StringBuilder(text.Length * 2);
        foreach (Rune rune in text.EnumerateRunes())
            Append(mapped, rune);
        return mapped.ToString();
    }

    /// <summary>
    /// What a search without regard to the case of ASCII takes for the same as the map of the text: letters of ASCII stay as they are, which most of mail is, the rest is mapped.
    /// </summary>
    /// <param name="text">Whole characters: no half of one at either end.</param>
    /// <param name="mapped">Where it is appended.</param>
    public static void Append(ReadOnlySpan<char> text, IBufferWriter<char> mapped)
    {
        while (!text.IsEmpty)
        {
            int plain = text.IndexOfAnyExceptInRange('\0', '\x7f');
            if (plain != 0)
            {
                mapped.Write(plain < 0 ? text : text[..plain]);
                text = plain < 0 ? default : text[plain..];
                continue;
            }
            Rune.DecodeFromUtf16(text, out Rune rune, out int length);
            text = text[length..];
            if (Mapped.Value.TryGetValue(rune.Value, out string? known))
                mapped.Write(known);
            else if (rune.Value is >= HangulFirst and < HangulFirst + HangulCount)
                mapped.Write(Map(rune.ToString()));
            else
                mapped.Advance(rune.EncodeToUtf16(mapped.GetSpan(2)));
        }
    }

    /// <summary>True where <paramref name="value"/> is in the text.</summary>
    public static bool Contains(string text, string value) => Ascii.IsValid(text)
        ? text.Contains(value, StringComparison.OrdinalIgnoreCase)
        : Map(text).Contains(Map(value), StringComparison.OrdinalIgnoreCase);

    /// <summary>The octets that are compared for order.</summary>
    public static byte[] Key(string text) => text.Length == 0 ? [] : Encoding.UTF8.GetBytes(Map(text));

    private static void Append(StringBuilder mapped, Rune rune)
    {
        if (rune.IsAscii)
            mapped.Append(char.ToUpperInvariant((char)rune.Value));
        else if (rune.Value is >= HangulFirst and < HangulFirst + HangulCount)
            AppendHangul(mapped, rune.Value - HangulFirst);
        else if (Mapped.Value.TryGetValue(rune.Value, out string? known))
            mapped.Append(known);
        else
            mapped.Append(rune.ToString());
    }

    /// <summary>A syllable's parts, by the Unicode Standard §3.12.</summary>
    private static void AppendHangul(StringBuilder mapped, int index)
    {
        mapped.Append((char)(0x1100 + (index / (HangulVowels * HangulTails))));
        mapped.Append((char)(0x1161 + (index / HangulTails % HangulVowels)));
        if (index % HangulTails != 0)
            mapped.Append((char)(0x11A7 + (index % HangulTails)));
    }

    private static FrozenDictionary<int, string> Load()
    {
        using Stream table = typeof(UnicodeCasemap).Assembly.GetManifestResourceStream("UnicodeCasemap.txt")!;
        using var lines = new StreamReader(table, Encoding.ASCII);
        var known = new Dictionary<int, string>(8192);
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            string[] codes = line.Split(' ');
            known[Number(codes[0])] = string.Concat(codes.Skip(1).Select(static c => char.ConvertFromUtf32(Number(c))));
        }
        return known.ToFrozenDictionary();

        static int Number(string hex) => int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
