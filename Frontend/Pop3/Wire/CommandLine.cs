using System.Buffers;
using System.Text;

namespace MailCluster.Pop3.Wire;

/// <summary>One line of a client: a keyword, and what follows its first space (RFC 1939 section 3).</summary>
/// <param name="Keyword">In capitals.</param>
/// <param name="Argument">The rest as it came, empty for none; a password keeps its spaces.</param>
internal readonly record struct CommandLine(string Keyword, string Argument)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text of a line without its end; null where it is no UTF-8 (RFC 6856 section 2.2) or has a NUL.</summary>
    public static string? Decode(in ReadOnlySequence<byte> line)
    {
        try
        {
            string text = StrictUtf8.GetString(line);
            return text.Contains('\0') ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    public static CommandLine Parse(string line)
    {
        int space = line.IndexOf(' ');
        return space < 0 ? new CommandLine(line.ToUpperInvariant(), "") : new CommandLine(line[..space].ToUpperInvariant(), line[(space + 1)..]);
    }

    /// <summary>A number of decimal digits, spaces around it forgiven; null for anything else, and for what no message can have.</summary>
    public static int? Number(string text)
    {
        text = text.Trim(' ');
        return text.Length > 0 && text.All(char.IsAsciiDigit) && int.TryParse(text, out int number) ? number : null;
    }
}
