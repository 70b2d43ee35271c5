using System.Collections.Frozen;

namespace MailCluster.Sieve.Compiler;

/// <summary>What "require" may name, by the names that are registered with IANA.</summary>
public static class SieveExtensions
{
    /// <summary>All that is known here, in the order in which it is told.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "fileinto", "reject", "ereject", "envelope", "body", "variables", "vacation", "vacation-seconds", "imap4flags", "copy", "date", "index", "relational",
        "subaddress", "regex", "editheader", "mailbox", "mboxmetadata", "servermetadata", "special-use", "mailboxid", "duplicate", "include", "environment", "enotify", "spamtest", "spamtestplus",
        "virustest", "encoded-character", "comparator-i;octet", "comparator-i;ascii-casemap", "comparator-i;ascii-numeric",
    ];

    /// <summary>Those that make mail which has to leave: nothing without a relay.</summary>
    public static readonly FrozenSet<string> Outgoing = FrozenSet.Create("vacation", "vacation-seconds", "enotify");

    /// <summary>Those that a script can have with a relay, or without.</summary>
    public static IReadOnlyList<string> With(bool outgoing) => outgoing ? All : [.. All.Where(static e => !Outgoing.Contains(e))];

    /// <summary>Extensions that bring others along: RFC 6131 §3.</summary>
    internal static IEnumerable<string> Implied(string extension) => extension switch
    {
        "vacation-seconds" => ["vacation"],
        "spamtestplus" => ["spamtest"],
        _ => [],
    };
}
