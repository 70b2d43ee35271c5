using System.Text;
using MailCluster.Sieve.Compiler;
using MailCluster.Sieve.Language;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve;

/// <summary>A script that was checked; it has no state and can be run by many at once.</summary>
public sealed class SieveScript
{
    private SieveScript(Block block, Checker checker, int octets)
    {
        Block = block;
        Warnings = checker.Warnings;
        Includes = checker.Includes;
        Extensions = checker.Required;
        Octets = octets;
    }

    /// <summary>Odd things that are no errors.</summary>
    public IReadOnlyList<SieveProblem> Warnings { get; }

    /// <summary>The scripts that it includes, whether they exist or not.</summary>
    public IReadOnlyCollection<IncludedScript> Includes { get; }

    /// <summary>What it requires.</summary>
    public IReadOnlySet<string> Extensions { get; }

    /// <summary>Of the source.</summary>
    public int Octets { get; }

    internal Block Block { get; }

    /// <summary>Compiles a script (RFC 5228 §2.10.6: it is wholly checked before anything of it is run).</summary>
    /// <param name="source">UTF-8.</param>
    /// <param name="outgoing">Whether mail can leave: without it redirect, vacation and notify are errors.</param>
    /// <exception cref="SieveSyntaxException">It is not valid; tells the first error.</exception>
    public static SieveScript Compile(ReadOnlySpan<byte> source, bool outgoing, SieveLimits? limits = null)
    {
        limits ??= SieveLimits.Default;
        if (source.Length > limits.ScriptOctets)
            throw new SieveSyntaxException(new SieveProblem(0, 0, $"The script is larger than {limits.ScriptOctets} octets."));
        if (source.StartsWith("\uFEFF"u8))
            source = source[3..];
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(source);
        }
        catch (DecoderFallbackException)
        {
            throw new SieveSyntaxException(new SieveProblem(0, 0, "The script is not UTF-8."));
        }
        var checker = new Checker(limits, outgoing);
        return new SieveScript(checker.Block(Parser.Parse(text, limits.Nesting)), checker, source.Length);
    }
}

/// <summary>A script that another one includes (RFC 6609 §3.2).</summary>
/// <param name="Global">The tenant's; otherwise the account's own.</param>
public sealed record IncludedScript(bool Global, string Name);
