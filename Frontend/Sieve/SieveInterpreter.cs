using System.Text.RegularExpressions;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve;

/// <summary>Runs scripts over a message: tells what has to be done, and does nothing itself. Never throws for what a script or a message has in it.</summary>
public static class SieveInterpreter
{
    /// <summary>
    /// Runs the scripts one after the other, as if the next stood behind the one before, as long as the message would be kept: a discard, a fileinto without :copy and
    /// what else takes the place of the implicit keep ends it. (So a tenant's rules come before and behind those of the account.)
    /// </summary>
    public static async ValueTask<SieveResult> RunAsync(
        IReadOnlyList<SieveScript> scripts, SieveMessage message, SieveSetting setting, ISieveHost host, SieveLimits limits, CancellationToken cancellationToken)
    {
        var run = new Run(message, setting, host, limits, cancellationToken);
        try
        {
            foreach (SieveScript script in scripts)
            {
                run.Scope = run.NewScope();
                run.Flow = Flow.On;
                await script.Block.RunAsync(run).ConfigureAwait(false);
                if (!run.ImplicitKeep)
                    break;
            }
            // keep is what the implicit keep would be, with what the script has to say about it.
            if (run.ImplicitKeep && !run.Actions.Any(static a => a is FileInto { Mailbox: null }))
                run.Add(new FileInto(run.Header, null, [.. run.Flags]));
            return new SieveResult(run.Actions, run.Marks, null);
        }
        catch (Exception e) when (e is SieveFailure or RegexMatchTimeoutException)
        {
            return new SieveResult([new FileInto(message.Header, null, [])], [], e is SieveFailure ? e.Message : "a regular expression takes too long");
        }
    }
}
