namespace MailCluster.Sieve;

/// <summary>What a script may take, when it is compiled and when it runs.</summary>
public sealed record SieveLimits
{
    public static readonly SieveLimits Default = new();

    /// <summary>Octets of a script. Default 65,536: some thousand rules.</summary>
    public int ScriptOctets { get; init; } = 64 * 1024;

    /// <summary>Blocks in blocks, and tests in tests. Default 32 (RFC 5228 §2.10.7 asks for 15).</summary>
    public int Nesting { get; init; } = 32;

    /// <summary>
    /// Steps of one run: a command, a test, or the comparison of a value with a key are one each, and one more for every 64 characters that are compared. Default 200,000:
    /// some tens of milliseconds.
    /// </summary>
    public int Steps { get; init; } = 200_000;

    /// <summary>Actions of one run. Default 32 (RFC 5228 §2.10.7 asks for none).</summary>
    public int Actions { get; init; } = 32;

    /// <summary>Redirections of one run (RFC 5228 §10). Default 4.</summary>
    public int Redirects { get; init; } = 4;

    /// <summary>Variables of one script. Default 256 (RFC 5229 §3 asks for 128).</summary>
    public int Variables { get; init; } = 256;

    /// <summary>Characters of a variable's value; longer ones are cut (RFC 5229 §3 asks for 4,000).</summary>
    public int VariableLength { get; init; } = 8192;

    /// <summary>Characters of a text after its variables were put in; beyond it the script fails. Default 65,536.</summary>
    public int TextLength { get; init; } = 64 * 1024;

    /// <summary>Octets of a header field's value that a test sees. Default 16,384.</summary>
    public int FieldLength { get; init; } = 16 * 1024;

    /// <summary>Octets of a message that the body test looks at, from its beginning. Default 1 MB.</summary>
    public int BodyOctets { get; init; } = 1024 * 1024;

    /// <summary>Characters of a regular expression. Default 1,024.</summary>
    public int RegexLength { get; init; } = 1024;

    /// <summary>Scripts included in one another. Default 10 (RFC 6609 §3.1 asks for 3).</summary>
    public int IncludeDepth { get; init; } = 10;

    /// <summary>Inclusions of one run. Default 64.</summary>
    public int Includes { get; init; } = 64;
}

/// <summary>A place in a script, each from 1, and what is wrong there.</summary>
public sealed record SieveProblem(int Line, int Column, string Text)
{
    public override string ToString() => Line > 0 ? $"line {Line}, column {Column}: {Text}" : Text;
}

/// <summary>The script is not valid.</summary>
public sealed class SieveSyntaxException(SieveProblem problem) : Exception(problem.ToString())
{
    public SieveProblem Problem => problem;
}
