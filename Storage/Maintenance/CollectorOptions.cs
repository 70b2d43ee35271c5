namespace MailCluster.Storage.Maintenance;

/// <summary>How long the collector keeps what nobody needs any more.</summary>
public sealed class CollectorOptions
{
    /// <summary>Days ahead for which the tables that are split by day have partitions. Default 7: a week without maintenance harms nobody.</summary>
    public int PartitionsAhead { get; set; } = 7;

    /// <summary>Days that outcomes of operations and keys of deliveries are kept. Default 2: they are asked for within 24 hours.</summary>
    public int OperationDays { get; set; } = 2;

    /// <summary>
    /// Days that expunged messages can be restored and that the log of changes reaches back. Default 90. Clients that were away longer get
    /// VANISHED (EARLIER) as the complement of what exists (RFC 7162 §3.2.6).
    /// </summary>
    public int ExpungedDays { get; set; } = 90;

    /// <summary>In place of <see cref="ExpungedDays"/>, to the second: rows go one by one, not with their day. Default null; for tests of clients that were away too long.</summary>
    public TimeSpan? ExpungedFor { get; set; }

    /// <summary>After this time a claim on a stored body is given up, and an upload that has not ended is removed. Default 24 hours: longer than any command.</summary>
    public TimeSpan StagedFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Between marking a body and removing it. Default 1 hour: longer than any statement lives.</summary>
    public TimeSpan MarkedFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Rows that one statement works on. Default 1,000: tens of milliseconds.</summary>
    public int Slice { get; set; } = 1000;

    /// <summary>Emails that one run looks at for those that nothing refers to; the next run goes on from there. Default 100,000.</summary>
    public int SweepEmails { get; set; } = 100_000;
}
