using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Commands;

/// <summary>include (RFC 6609 §3.2): another script of the account, or one of the tenant's (:global).</summary>
internal sealed class Include(IncludedScript script, bool once, bool optional) : Statement
{
    public static Include Make(Arguments arguments)
    {
        bool personal = arguments.Flag("personal");
        bool global = arguments.Flag("global");
        if (personal && global)
            throw Checker.At(arguments.Place, "':personal' and ':global' can't be combined");
        bool once = arguments.Flag("once");
        bool optional = arguments.Flag("optional");
        arguments.Positional(1);
        string name = arguments.NextConstant();
        if (name.Length is 0 or > 128)
            throw Checker.At(arguments.Place, "a script's name has 1 to 128 characters");
        var script = new IncludedScript(global, name);
        arguments.Checker.Includes.Add(script);
        return new Include(script, once, optional);
    }

    public override async ValueTask RunAsync(Run run)
    {
        if (once && run.Included.Contains(script))
            return;
        if (run.Including.Contains(script))
            throw new SieveFailure($"the script '{script.Name}' includes itself");
        if (run.Including.Count >= run.Limits.IncludeDepth || ++run.Inclusions > run.Limits.Includes)
            throw new SieveFailure("too many scripts are included");
        SieveScript? included = await run.Host.IncludeAsync(script, run.Cancelled).ConfigureAwait(false);
        if (included is null)
        {
            if (optional)
                return;
            throw new SieveFailure($"the script '{script.Name}', which is included, does not exist or is not valid");
        }
        run.Included.Add(script);
        run.Including.Add(script);
        Scope outer = run.Scope;
        run.Scope = run.NewScope();
        await included.Block.RunAsync(run).ConfigureAwait(false);
        run.Scope = outer;
        run.Including.RemoveAt(run.Including.Count - 1);
        if (run.Flow == Flow.Return)
            run.Flow = Flow.On;
    }
}

/// <summary>return (RFC 6609 §3.3).</summary>
internal sealed class Return : Statement
{
    public static Return Make(Arguments arguments)
    {
        arguments.Positional(0);
        return new Return();
    }

    public override ValueTask RunAsync(Run run)
    {
        run.Flow = Flow.Return;
        return default;
    }
}

/// <summary>global (RFC 6609 §3.4.1): variables that scripts share.</summary>
internal sealed class Global(IReadOnlyList<string> names) : Statement
{
    public static Global Make(Arguments arguments)
    {
        arguments.Checker.Need("variables", arguments.Place, "global");
        arguments.Positional(1);
        string[] names = [.. arguments.Plain().Select(static n => n.ToLowerInvariant())];
        return names.FirstOrDefault(static n => !Text.IsIdentifier(n)) is { } wrong
            ? throw Checker.At(arguments.Place, $"'{wrong}' is no name of a variable") : new Global(names);
    }

    public override ValueTask RunAsync(Run run)
    {
        foreach (string name in names)
            run.Scope.DeclareGlobal(name);
        return default;
    }
}
