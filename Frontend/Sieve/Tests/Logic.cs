using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Tests;

/// <summary>true and false (RFC 5228 §5.10, §5.6).</summary>
internal sealed class Constant(bool value) : Test
{
    public static Constant Make(Arguments arguments, bool value)
    {
        arguments.Positional(0);
        return new Constant(value);
    }

    public override ValueTask<bool> TestAsync(Run run) => new(value);
}

/// <summary>not (RFC 5228 §5.8).</summary>
internal sealed class Not(Test test) : Test
{
    public static Not Make(Arguments arguments)
    {
        arguments.Positional(0);
        return new Not(arguments.Tests(one: true)[0]);
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        run.Step();
        return !await test.TestAsync(run).ConfigureAwait(false);
    }
}

/// <summary>allof and anyof (RFC 5228 §5.2, §5.3), from left to right and no further than needed.</summary>
internal sealed class Several(IReadOnlyList<Test> tests, bool all) : Test
{
    public static Several Make(Arguments arguments, bool all)
    {
        arguments.Positional(0);
        return new Several(arguments.Tests(one: false), all);
    }

    public override async ValueTask<bool> TestAsync(Run run)
    {
        foreach (Test test in tests)
        {
            run.Step();
            if (await test.TestAsync(run).ConfigureAwait(false) != all)
                return !all;
        }
        return all;
    }
}
