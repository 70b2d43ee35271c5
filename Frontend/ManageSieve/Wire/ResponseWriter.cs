using System.Buffers;
using System.Globalization;
using System.Text;
using MailCluster.Net;

namespace MailCluster.ManageSieve.Wire;

/// <summary>Writes responses (RFC 5804 §1.2, §4).</summary>
internal sealed class ResponseWriter(IConnection connection)
{
    /// <summary>Longer strings are literals.</summary>
    private const int MaxQuoted = 1024;

    private ConnectionOutput Output => connection.Output;

    /// <summary>OK, NO or BYE.</summary>
    /// <param name="code">e.g. "QUOTA/MAXSIZE"; null for none.</param>
    public void Status(string status, string? code = null, string? text = null)
    {
        Raw(status);
        if (code is not null)
            Raw($" ({code})");
        if (text is not null)
        {
            Raw(" ");
            String(text);
        }
        Raw("\r\n");
    }

    /// <summary>Strings in a line, then a word, where there is one.</summary>
    public void Line(string first, string? second = null, string? word = null)
    {
        String(first);
        if (second is not null)
        {
            Raw(" ");
            String(second);
        }
        if (word is not null)
            Raw(" " + word);
        Raw("\r\n");
    }

    /// <summary>As a literal, octet for octet.</summary>
    public void Literal(ReadOnlySpan<byte> bytes)
    {
        Raw(string.Create(CultureInfo.InvariantCulture, $"{{{bytes.Length}}}\r\n"));
        Output.Write(bytes);
        Raw("\r\n");
    }

    public static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    private void String(string text)
    {
        int octets = Encoding.UTF8.GetByteCount(text);
        if (octets <= MaxQuoted && text.AsSpan().IndexOfAny('\r', '\n', '\0') < 0)
            Raw(Quoted(text));
        else
            Raw($"{{{octets}}}\r\n{text}");
    }

    private void Raw(string text) => Encoding.UTF8.GetBytes(text, Output);
}
