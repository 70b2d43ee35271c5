using System.Globalization;
using MailCluster.Sieve.Commands;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

/// <summary>string (RFC 5229 §5). Of :count, empty strings do not count.</summary>
internal sealed class StringTest(IReadOnlyList<Text> source, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static StringTest Make(Arguments arguments)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        return new StringTest(arguments.NextStrings(), arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        IEnumerable<string> values = source.Select(s => s.Expand(run));
        return new(match.Test(run, match.Type == MatchKind.Count ? values.Where(static v => v.Length > 0) : values, keys));
    }
}

/// <summary>hasflag (RFC 5232 §4).</summary>
internal sealed class HasFlag(IReadOnlyList<Text>? variables, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static HasFlag Make(Arguments arguments)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(1, 2);
        IReadOnlyList<Text>? variables = null;
        if (arguments.Left == 2)
        {
            arguments.Checker.Need("variables", arguments.Place, "a variable of flags");
            variables = arguments.NextStrings();
        }
        return new HasFlag(variables, arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        List<string> flags = variables is null ? run.Flags : FlagNames.Split(variables.Select(v => run.Scope.Get(v.Expand(run).ToLowerInvariant())));
        // A list of flags in a key is as many keys (RFC 5232 §4).
        Text[] single = match.Type is MatchKind.Is or MatchKind.Contains or MatchKind.Matches
            ? [.. keys.SelectMany(k => k.Expand(run).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(Text.Of)] : [.. keys];
        return new(match.Test(run, flags, single));
    }
}

/// <summary>environment (RFC 5183).</summary>
internal sealed class EnvironmentTest(Text name, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static EnvironmentTest Make(Arguments arguments)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(2);
        return new EnvironmentTest(arguments.NextString(), arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        SieveSetting setting = run.Setting;
        int dot = setting.HostName.IndexOf('.');
        string? value = name.Expand(run).ToLowerInvariant() switch
        {
            "domain" => dot < 0 ? "" : setting.HostName[(dot + 1)..],
            "host" => setting.HostName,
            "location" => "MDA",
            "name" => "MailCluster",
            "phase" => "during",
            "remote-host" => setting.Client.Name,
            "remote-ip" => setting.Client.Address?.ToString() ?? "",
            "version" => typeof(SieveScript).Assembly.GetName().Version?.ToString(3) ?? "",
            _ => null,
        };
        // An item that is not known matches nothing (RFC 5183 §4).
        return new(value is not null && match.Test(run, [value], keys));
    }
}

/// <summary>spamtest (RFC 5235 §3.1): "0" not tested, "1" no spam … "10"; with :percent (§3.2) 0 to 100.</summary>
internal sealed class SpamTest(Text value, MatchSpec match, bool percent) : Test
{
    public static SpamTest Make(Arguments arguments)
    {
        bool percent = arguments.Flag("percent", "spamtestplus");
        MatchSpec match = arguments.Match();
        arguments.Positional(1);
        return new SpamTest(arguments.NextString(), match, percent);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        double? found = run.Setting.Spam.Spam(run.Message.Header, run.Limits.FieldLength);
        int result = (found, percent) switch
        {
            (null, _) => 0,
            ({ } ratio, true) => (int)Math.Round(ratio * 100),
            ({ } ratio, false) => 1 + (int)Math.Floor(ratio * 9),
        };
        // Counted, a message that was not tested is nothing (RFC 5235 §3.1).
        string[] values = match.Type == MatchKind.Count && found is null ? [] : [result.ToString(CultureInfo.InvariantCulture)];
        return new(match.Test(run, values, [value]));
    }
}

/// <summary>virustest (RFC 5235 §3.3).</summary>
internal sealed class VirusTest(Text value, MatchSpec match) : Test
{
    public static VirusTest Make(Arguments arguments)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(1);
        return new VirusTest(arguments.NextString(), match);
    }

    public override ValueTask<bool> TestAsync(Run run)
    {
        int result = run.Setting.Spam.Virus(run.Message.Header, run.Limits.FieldLength);
        string[] values = match.Type == MatchKind.Count && result == 0 ? [] : [result.ToString(CultureInfo.InvariantCulture)];
        return new(match.Test(run, values, [value]));
    }
}

/// <summary>valid_notify_method (RFC 5435 §4).</summary>
internal sealed class ValidNotifyMethod(IReadOnlyList<Text> methods) : Test
{
    public static ValidNotifyMethod Make(Arguments arguments)
    {
        arguments.Positional(1);
        return new ValidNotifyMethod(arguments.NextStrings());
    }

    public override ValueTask<bool> TestAsync(Run run) => new(methods.All(m => MailtoUri.Parse(m.Expand(run)) is not null));
}

/// <summary>notify_method_capability (RFC 5435 §5): of mailto, whether somebody is there can't be known (RFC 5436 §2.3).</summary>
internal sealed class NotifyMethodCapability(Text method, Text capability, IReadOnlyList<Text> keys, MatchSpec match) : Test
{
    public static NotifyMethodCapability Make(Arguments arguments)
    {
        MatchSpec match = arguments.Match();
        arguments.Positional(3);
        return new NotifyMethodCapability(arguments.NextString(), arguments.NextString(), arguments.NextStrings(), match);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(MailtoUri.Parse(method.Expand(run)) is not null
        && capability.Expand(run).Equals("online", StringComparison.OrdinalIgnoreCase) && match.Test(run, ["maybe"], keys));
}
