using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

internal enum FlagChange : byte
{
    Set,
    Add,
    Remove,
}

/// <summary>setflag, addflag, removeflag (RFC 5232 §3), of the internal variable or one of the script's own.</summary>
internal sealed class FlagCommand(FlagChange change, string? variable, IReadOnlyList<Text> flags) : Statement
{
    public static FlagCommand Make(Arguments arguments, FlagChange change)
    {
        arguments.Positional(1, 2);
        string? variable = null;
        if (arguments.Left == 2)
        {
            arguments.Checker.Need("variables", arguments.Place, "a variable of flags");
            variable = arguments.NextConstant().ToLowerInvariant();
            if (!Text.IsVariable(variable))
                throw Checker.At(arguments.Place, $"'{variable}' is no name of a variable");
        }
        return new FlagCommand(change, variable, arguments.NextStrings());
    }

    public override ValueTask RunAsync(Run run)
    {
        List<string> named = FlagNames.Split(flags.Select(f => f.Expand(run)));
        List<string> before = variable is null ? run.Flags : FlagNames.Split([run.Scope.Get(variable)]);
        List<string> after = change switch
        {
            FlagChange.Set => named,
            FlagChange.Add => FlagNames.Split([.. before, .. named]),
            _ => [.. before.Where(b => !named.Contains(b, StringComparer.OrdinalIgnoreCase))],
        };
        run.Step(after.Count * 16L);
        if (variable is null)
            run.Flags = after;
        else
            run.Scope.Set(variable, string.Join(' ', after));
        return default;
    }
}

/// <summary>Lists of flags (RFC 5232 §2): separated by spaces, each once, without regard to case.</summary>
internal static class FlagNames
{
    /// <summary>More of them no message needs.</summary>
    private const int MaxFlags = 64;

    private const int MaxLength = 100;

    private static readonly HashSet<string> System = new(StringComparer.OrdinalIgnoreCase) { @"\Seen", @"\Answered", @"\Flagged", @"\Deleted", @"\Draft" };

    /// <summary>What :flags says, or the internal variable.</summary>
    public static IReadOnlyList<string> Of(Run run, IReadOnlyList<Text>? flags) => flags is null ? [.. run.Flags] : Split(flags.Select(f => f.Expand(run)));

    /// <summary>What is no flag that a client could set is left out (RFC 5232 §2).</summary>
    public static List<string> Split(IEnumerable<string> lists)
    {
        var flags = new List<string>();
        foreach (string flag in lists.SelectMany(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (IsFlag(flag) && !flags.Contains(flag, StringComparer.OrdinalIgnoreCase) && flags.Count < MaxFlags)
                flags.Add(flag);
        }
        return flags;
    }

    /// <summary>A system flag, or an atom.</summary>
    private static bool IsFlag(string flag) => flag[0] == '\\'
        ? System.Contains(flag)
        : flag.Length <= MaxLength && flag.All(static c => c is > ' ' and < '\x7f' and not ('(' or ')' or '{' or '%' or '*' or '"' or '\\' or ']'));
}
