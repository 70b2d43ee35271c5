namespace MailCluster.Consistency.Client;

/// <summary>Why a right command may be refused in a cluster whose other clients change the same mailboxes.</summary>
internal static class Refusals
{
    private static readonly Dictionary<string, string[]> Expected = new()
    {
        ["LOGIN"] = ["LIMIT"],
        ["CREATE"] = ["ALREADYEXISTS"],
        ["RENAME"] = ["ALREADYEXISTS"],
        ["APPEND"] = ["TRYCREATE", "OVERQUOTA"],
        ["REPLACE"] = ["TRYCREATE", "OVERQUOTA", "EXPUNGEISSUED"],
        ["COPY"] = ["TRYCREATE", "OVERQUOTA", "EXPUNGEISSUED"],
        ["MOVE"] = ["TRYCREATE", "OVERQUOTA", "EXPUNGEISSUED"],
        ["FETCH"] = ["EXPUNGEISSUED"],
        ["STORE"] = ["EXPUNGEISSUED", "MODIFIED"],
        ["SEARCH"] = ["EXPUNGEISSUED"],
    };

    /// <param name="code">Null where the NO had none: expected of nothing, for a client could not tell what to do.</param>
    public static bool IsExpected(Command command, string? code)
    {
        string name = command.Name.StartsWith("UID ", StringComparison.Ordinal) ? command.Name[4..] : command.Name;
        // UNAVAILABLE, INUSE (RFC 5530): a fault is going on, another command held a lock; both are counted. NONEXISTENT: the selected mailbox was deleted just now.
        // NOPERM: what another tenant's accounts may do comes and goes; whether it was so then the checks judge.
        return code is "UNAVAILABLE" or "INUSE" or "NONEXISTENT" or "NOPERM"
            || (code is not null && (command.MayBeRefusedWith.Contains(code) || (Expected.TryGetValue(name, out string[]? codes) && codes.Contains(code))));
    }
}
