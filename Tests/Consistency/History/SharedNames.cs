using System.Diagnostics.CodeAnalysis;

namespace MailCluster.Consistency.History;

/// <summary>Names of mailboxes of other accounts, which those share with the one that uses them (RFC 4314, RFC 2342).</summary>
internal static class SharedNames
{
    /// <summary>The namespace of other users' mailboxes, as the runs set it: without a space, so that names need no quotes.</summary>
    public const string Namespace = "Others";

    public static string Of(string owner, string name) => $"{Namespace}/{owner}/{name}";

    /// <summary>Whose mailbox a name means that an account uses.</summary>
    public static string OwnerOf(string account, string name) => TrySplit(name, out string? owner) ? owner : account;

    private static bool TrySplit(string name, [NotNullWhen(true)] out string? owner)
    {
        string[] levels = name.Split('/', 3);
        owner = levels is [Namespace, _, _] ? levels[1] : null;
        return owner is not null;
    }
}
