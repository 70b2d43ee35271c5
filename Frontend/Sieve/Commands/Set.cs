using System.Globalization;
using System.Text;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>set (RFC 5229 §4) with its modifiers, that of regular expressions and :encodeurl (RFC 5435 §6).</summary>
internal sealed class Set(string name, Text value, IReadOnlyList<Modifier> modifiers) : Statement
{
    public static Set Make(Arguments arguments)
    {
        var modifiers = new List<Modifier>();
        foreach (Modifier modifier in Modifier.All)
        {
            if (arguments.Flag(modifier.Tag, modifier.Extension))
                modifiers.Add(modifiers.Any(m => m.Precedence == modifier.Precedence) ? throw Checker.At(arguments.Place, $"':{modifier.Tag}' can't be combined with another one of its kind") : modifier);
        }
        arguments.Positional(2);
        string name = arguments.NextConstant().ToLowerInvariant();
        bool isGlobal = name.StartsWith("global.", StringComparison.Ordinal) && arguments.Checker.Has("include");
        if (!Text.IsIdentifier(isGlobal ? name["global.".Length..] : name))
            throw Checker.At(arguments.Place, $"'{name}' is no name of a variable");
        return new Set(name, arguments.NextString(), [.. modifiers.OrderByDescending(static m => m.Precedence)]);
    }

    public override ValueTask RunAsync(Run run)
    {
        string text = value.Expand(run);
        foreach (Modifier modifier in modifiers)
        {
            run.Step(text.Length);
            text = modifier.Apply(text);
        }
        run.Scope.Set(name, text);
        return default;
    }
}

/// <summary>One modifier; those of higher precedence are applied first (RFC 5229 §4.1).</summary>
internal sealed record Modifier(string Tag, int Precedence, string? Extension, Func<string, string> Apply)
{
    public static readonly Modifier[] All =
    [
        new("lower", 40, null, static s => s.ToLowerInvariant()),
        new("upper", 40, null, static s => s.ToUpperInvariant()),
        new("lowerfirst", 30, null, static s => First(s, char.ToLowerInvariant)),
        new("upperfirst", 30, null, static s => First(s, char.ToUpperInvariant)),
        new("quotewildcard", 20, null, static s => Quote(s, @"*?\")),
        new("quoteregex", 20, "regex", static s => Quote(s, @"\.*+?()[]{}|^$")),
        new("encodeurl", 15, "enotify", Uri.EscapeDataString),
        new("length", 10, null, static s => s.EnumerateRunes().Count().ToString(CultureInfo.InvariantCulture)),
    ];

    private static string First(string text, Func<char, char> change) => text.Length == 0 ? text : change(text[0]) + text[1..];

    private static string Quote(string text, string special)
    {
        var quoted = new StringBuilder(text.Length + 8);
        foreach (char c in text)
        {
            if (special.Contains(c))
                quoted.Append('\\');
            quoted.Append(c);
        }
        return quoted.ToString();
    }
}
