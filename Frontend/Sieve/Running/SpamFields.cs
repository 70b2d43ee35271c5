using System.Globalization;
using System.Text.RegularExpressions;

namespace MailCluster.Sieve.Running;

/// <summary>
/// Where a spam filter in front has left what it found (RFC 5235). The fields are believed: the mail server in front must take away those that a message comes with.
/// </summary>
/// <param name="SpamField">e.g. "X-Spamd-Result: default: False [3.40 / 15.00]" (rspamd), "X-Spam-Status: No, score=3.4 required=5.0" (SpamAssassin), or a number.</param>
/// <param name="SpamMaximum">The score that is certainly spam, where the field does not tell.</param>
/// <param name="VirusField">e.g. "X-Virus-Status: Clean", "Infected".</param>
public sealed partial record SpamFields(string SpamField = "X-Spamd-Result", double SpamMaximum = 15, string VirusField = "X-Virus-Status")
{
    /// <summary>From 0, certainly none, to 1, certainly spam; null: not tested.</summary>
    internal double? Spam(MessageHeader header, int maxOctets)
    {
        if (header.Of(SpamField).FirstOrDefault()?.Value(maxOctets) is not { } value)
            return null;
        Match both = ScoreOf().Match(value);
        Match one = both.Success ? both : Number().Match(value);
        if (!one.Success || !double.TryParse(one.Groups["score"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double score))
            return null;
        double maximum = both.Success && double.TryParse(both.Groups["max"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double told) && told > 0 ? told : SpamMaximum;
        return Math.Clamp(score / maximum, 0, 1);
    }

    /// <summary>RFC 5235 §2.5: 0 not tested, 1 none, 5 certainly.</summary>
    internal int Virus(MessageHeader header, int maxOctets) => header.Of(VirusField).FirstOrDefault()?.Value(maxOctets) switch
    {
        null => 0,
        var v when v.Equals("clean", StringComparison.OrdinalIgnoreCase) || v.StartsWith("no", StringComparison.OrdinalIgnoreCase) => 1,
        var v when v.StartsWith("cleaned", StringComparison.OrdinalIgnoreCase) || v.StartsWith("repaired", StringComparison.OrdinalIgnoreCase) => 3,
        var v when v.StartsWith("infected", StringComparison.OrdinalIgnoreCase) || v.StartsWith("yes", StringComparison.OrdinalIgnoreCase) => 5,
        _ => 0,
    };

    [GeneratedRegex(@"(?:\[\s*|score=\s*)(?<score>[-+]?[0-9]{1,6}(?:\.[0-9]{1,6})?)(?:\s*/\s*|.{0,40}?required=\s*)(?<max>[-+]?[0-9]{1,6}(?:\.[0-9]{1,6})?)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ScoreOf();

    [GeneratedRegex(@"(?<score>[-+]?[0-9]{1,6}(?:\.[0-9]{1,6})?)", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
