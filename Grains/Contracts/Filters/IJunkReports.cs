namespace MailCluster.Contracts;

/// <summary>
/// What users have moved into and out of their Junk mailboxes, found in the log of changes and kept until it was told to the tenant's spam filter: at least once.
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public interface IJunkReports
{
    /// <summary>Looks at some Junk mailboxes after this one for what is new, where any tenant wants to know; the last one looked at, null at the end, and how many reports were found.</summary>
    ValueTask<(MailboxKey? Last, int Found)> ScanAsync(MailboxKey after, int limit, CancellationToken cancellationToken);

    /// <summary>Takes some reports that are due, for a time.</summary>
    ValueTask<IReadOnlyList<JunkReport>> TakeAsync(int limit, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>It was told, or given up.</summary>
    ValueTask EndAsync(JunkReport report, CancellationToken cancellationToken);

    ValueTask RetryAsync(JunkReport report, TimeSpan wait, CancellationToken cancellationToken);
}

/// <param name="Spam">False: ham.</param>
/// <param name="Url">Null: the tenant wants no reports any more.</param>
/// <param name="Header">"Name: value", to be sent along; may be a secret.</param>
public sealed record JunkReport(AccountId Account, EmailId Email, bool Spam, int Attempt, DateTimeOffset Created, string? Url, string? Header)
{
    public override string ToString() => $"{(Spam ? "spam" : "ham")} {Account}/{Email}";
}
