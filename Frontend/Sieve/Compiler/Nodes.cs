using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Compiler;

/// <summary>A command that was checked: it can only fail for what the message or the store has to do with it.</summary>
internal abstract class Statement
{
    /// <exception cref="SieveFailure">The script can't go on.</exception>
    public abstract ValueTask RunAsync(Run run);
}

/// <summary>A test that was checked.</summary>
internal abstract class Test
{
    /// <exception cref="SieveFailure">The script can't go on.</exception>
    public abstract ValueTask<bool> TestAsync(Run run);
}

/// <summary>Commands in a row.</summary>
internal sealed class Block(IReadOnlyList<Statement> statements)
{
    public async ValueTask RunAsync(Run run)
    {
        foreach (Statement statement in statements)
        {
            run.Step();
            await statement.RunAsync(run).ConfigureAwait(false);
            if (run.Flow != Flow.On)
                return;
        }
    }
}
