namespace MailCluster.Sieve.Running;

/// <summary>Whether a message may be answered by a machine (RFC 3834 §2, RFC 5230 §4.5 and §4.6).</summary>
internal static class AutomaticReply
{
    private static readonly string[] RecipientFields = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];

    private static readonly string[] ListFields = ["List-Id", "List-Help", "List-Post", "List-Subscribe", "List-Unsubscribe", "List-Owner", "List-Archive"];

    /// <param name="further">Addresses of the owner that only the script knows.</param>
    public static bool IsDue(Run run, IReadOnlyList<string> further)
    {
        string sender = run.Message.Sender;
        if (IsMachine(sender) || run.Setting.Addresses.Concat(further).Contains(sender, StringComparer.OrdinalIgnoreCase))
            return false;
        MessageHeader header = run.Message.Header;
        int most = run.Limits.FieldLength;
        if (header.Of("Auto-Submitted").Any(f => !f.Value(most).StartsWith("no", StringComparison.OrdinalIgnoreCase)))
            return false;
        if (ListFields.Any(l => header.Of(l).Any()))
            return false;
        if (header.Of("Precedence").Any(f => f.Value(most).ToLowerInvariant() is "bulk" or "junk" or "list"))
            return false;
        if (header.Of("X-Auto-Response-Suppress").Any(f => f.Value(most).ToLowerInvariant() is var v && (v.Contains("all") || v.Contains("oof") || v.Contains("autoreply"))))
            return false;
        // Sent to the owner, not to a list or as a blind copy.
        HashSet<string> own = new(run.Setting.Addresses.Concat(further).Append(run.Message.Recipient), StringComparer.OrdinalIgnoreCase);
        return RecipientFields.SelectMany(header.Of).SelectMany(f => Addresses.Of(f.Unfolded(most))).Any(a => own.Contains(a) || own.Contains(WithoutDetail(a)));
    }

    /// <summary>Addresses that nobody reads (RFC 5230 §4.5, RFC 3834 §2).</summary>
    private static bool IsMachine(string sender)
    {
        if (sender.Length == 0)
            return true;
        string local = sender.Split('@')[0].ToLowerInvariant();
        return local is "mailer-daemon" or "listserv" or "majordomo" or "postmaster" or "noreply" or "no-reply"
            || local.StartsWith("owner-", StringComparison.Ordinal) || local.EndsWith("-request", StringComparison.Ordinal)
            || local.EndsWith("-bounces", StringComparison.Ordinal) || local.Contains("-bounces+", StringComparison.Ordinal);
    }

    private static string WithoutDetail(string address)
    {
        int plus = address.IndexOf('+'), at = address.LastIndexOf('@');
        return plus > 0 && at > plus ? address[..plus] + address[at..] : address;
    }
}
