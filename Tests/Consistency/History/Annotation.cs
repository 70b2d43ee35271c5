namespace MailCluster.Consistency.History;

/// <summary>One annotation of a message (RFC 5257) as it was asked for or told: <paramref name="Name"/> says whose it is, too, so that each is a register of its own.</summary>
/// <param name="Value">Null: NIL, there is none.</param>
internal sealed record Annotation(string Name, string? Value)
{
    public static string Shared(string entry) => entry + ".shared";

    public static string Private(string entry, string account) => $"{entry}.priv@{account}";

    /// <summary>Whether an account is told of the annotations of this name, and takes them along with copies.</summary>
    public static bool IsTold(string name, string account) => name.EndsWith(".shared", StringComparison.Ordinal) || name.EndsWith(".priv@" + account, StringComparison.Ordinal);

    public override string ToString() => $"{Name} {Value ?? "NIL"}";
}
