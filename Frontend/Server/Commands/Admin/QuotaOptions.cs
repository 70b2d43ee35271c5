using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary>--bytes and --messages of the quota commands: a number (bytes with K, M, G or T for powers of 1,024), or "none".</summary>
internal sealed class QuotaOptions
{
    private readonly Option<string?> _bytes = new("--bytes") { Description = "octets, e.g. 500M, 10G, or none" };
    private readonly Option<string?> _messages = new("--messages") { Description = "messages, or none" };

    public IEnumerable<Symbol> All => [_bytes, _messages];

    /// <summary>What is not given stays.</summary>
    /// <exception cref="OptionsException">A value is no number, or none is given.</exception>
    public Quota Read(ParseResult parsed, Quota now)
    {
        var (bytes, messages) = (parsed.GetValue(_bytes), parsed.GetValue(_messages));
        return bytes is null && messages is null
            ? throw new OptionsException("Say --bytes, --messages, or both.")
            : new(messages is null ? now.MaxMessages : Parse(messages), bytes is null ? now.MaxBytes : Parse(bytes));
    }

    public static string Show(long? limit) => limit?.ToString(CultureInfo.InvariantCulture) ?? "-";

    internal static long? Parse(string text)
    {
        if (text == "none")
        {
            return null;
        }
        var unit = char.ToUpperInvariant(text.Length > 0 ? text[^1] : ' ');
        var shift = unit switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        var digits = shift > 0 ? text[..^1] : text;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> shift
            ? number << shift
            : throw new OptionsException($"'{text}' is no number (of octets: with K, M, G or T), and not 'none'.");
    }
}
