namespace MailCluster.Contracts;

/// <summary>The special uses that a mailbox can be given (RFC 6154, RFC 8457, RFC 9979).</summary>
public static class SpecialUses
{
    private static readonly string[] _known = [@"\All", @"\Archive", @"\Drafts", @"\Flagged", @"\Important", @"\Junk", @"\Memos", @"\Scheduled", @"\Sent", @"\Snoozed", @"\Trash"];

    public static bool IsKnown(string use) => Array.Exists(_known, known => known.Equals(use, StringComparison.OrdinalIgnoreCase));

    /// <summary>A known one in the RFC's spelling.</summary>
    public static string Spelt(string use) => Array.Find(_known, known => known.Equals(use, StringComparison.OrdinalIgnoreCase)) ?? use;
}
