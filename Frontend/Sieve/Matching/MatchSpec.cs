using System.Globalization;
using System.Text.RegularExpressions;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Matching;

internal enum MatchKind : byte
{
    Is,
    Contains,
    Matches,

    /// <summary>draft-ietf-sieve-regex.</summary>
    Regex,

    /// <summary>RFC 5231.</summary>
    Value,

    /// <summary>RFC 5231: the number of values is compared.</summary>
    Count,
}

/// <summary>How the values of a test are compared with its keys.</summary>
/// <param name="Relation">gt, ge, lt, le, eq, ne; for <see cref="MatchKind.Value"/> and <see cref="MatchKind.Count"/>.</param>
internal sealed record MatchSpec(MatchKind Type, Comparator Comparator, string Relation)
{
    public static readonly MatchSpec Default = new(MatchKind.Is, Comparator.AsciiCasemap, "");

    /// <summary>True where one of the values matches one of the keys. Sets the run's match variables (RFC 5229 §3.2).</summary>
    public bool Test(Run run, IEnumerable<string> values, IReadOnlyList<Text> keys)
    {
        string[] expanded = [.. keys.Select(k => k.Expand(run))];
        if (Type == MatchKind.Count)
            values = [values.Count().ToString(CultureInfo.InvariantCulture)];
        foreach (string value in values)
        {
            foreach (string key in expanded)
            {
                run.Step(value.Length);
                if (TestOne(run, value, key))
                    return true;
            }
        }
        return false;
    }

    private bool TestOne(Run run, string value, string key)
    {
        switch (Type)
        {
            case MatchKind.Is:
                return Comparator.AreEqual(value, key);
            case MatchKind.Contains:
                // Most keys are short; a long one may fit nearly, at each place.
                run.Step(value.Length * (key.Length / 64L));
                return Comparator.Contains(value, key);
            case MatchKind.Matches:
                run.Step(value.Length * (long)Math.Max(1, key.Length / 8));
                return Found(run, Wildcards.Match(value, key, Comparator));
            case MatchKind.Regex:
                Regex regex = run.RegexOf(key, Comparator);
                run.Step(value.Length * 8L);
                return Found(run, SieveRegex.Match(regex, value));
            default:
                int order = Comparator.Compare(value, key);
                return Relation switch
                {
                    "gt" => order > 0,
                    "ge" => order >= 0,
                    "lt" => order < 0,
                    "le" => order <= 0,
                    "eq" => order == 0,
                    _ => order != 0,
                };
        }
    }

    private static bool Found(Run run, List<string>? matched)
    {
        if (matched is null)
            return false;
        run.Scope.Matched = matched;
        return true;
    }
}
