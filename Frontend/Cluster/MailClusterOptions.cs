namespace MailCluster.Cluster;

/// <summary>How a front end talks to the owners of accounts and mailboxes.</summary>
public sealed record MailClusterOptions
{
    /// <summary>
    /// How long a call waits while its owner or PostgreSQL can't be reached; then the answer is UNAVAILABLE. Default 10 s: a frozen node is replaced in 6,
    /// and mail clients give up after half a minute.
    /// </summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The same for a change of so many messages that it may take longer by itself, as long as nothing worse is heard than silence. Default 2 min.</summary>
    public TimeSpan LengthyFor { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Messages that one operation of a large STORE, EXPUNGE or MOVE changes at most (see <see cref="SlicedChanges"/>). Default 2,000: some 10 to 50 ms each, which is what others of the same
    /// mailbox wait.
    /// </summary>
    public int SliceMessages { get; init; } = 2000;

    /// <summary>The wait before the first retry; doubled each time, with jitter. Default 20 ms: a deactivated owner is back sooner.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest wait between two tries. Default 400 ms: a new owner after a node's death is found within half a second.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How often the leases of live sessions are renewed at their accounts. Default 30 s: a third of a lease.</summary>
    public TimeSpan SessionRenewal { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Accounts that may be watched at once (IMAP NOTIFY) in this process; beyond that a session is refused. Default 10,000: some KB each, and a call every 15 s.</summary>
    public int WatchedAccounts { get; init; } = 10_000;

    /// <summary>How long the owner of a watched account may be out of reach before its sessions are told that they hear nothing any more. Default 2 min: what happens in a shorter absence they hear after it.</summary>
    public TimeSpan WatchFor { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Chunks of a mailbox fetched by one call when a copy begins. Default 64, some 32,000 messages or 1.5 MB.</summary>
    public int ChunksPerPage { get; init; } = 64;

    /// <summary>Names this process in session lists and logs.</summary>
    public string FrontEnd { get; init; } = $"{Environment.MachineName}:{Environment.ProcessId}";
}
