namespace MailCluster.Consistency.Clusters;

/// <summary>What kind of cluster is to be started.</summary>
internal sealed record ClusterPlan
{
    public int Silos { get; init; } = 3;

    public int FrontEnds { get; init; } = 2;

    /// <summary>Silos are nodes of role all: their own doors are used in place of front ends.</summary>
    public bool OneRole { get; init; }

    /// <summary>PostgreSQL has a synchronous standby.</summary>
    public bool Standby { get; init; }

    /// <summary>Each node lives in a network namespace of its own.</summary>
    public bool Network { get; init; }

    public int Accounts { get; init; } = 4;

    /// <summary>How many of them are another tenant's.</summary>
    public int Guests { get; init; }

    /// <summary>The server's program; null for the one that was built with the checker.</summary>
    public string? Program { get; init; }

    /// <summary>Variables that its nodes get.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Seconds that expunges stay in the log: QRESYNC from before is answered with the complement.</summary>
    public int ExpungedSeconds { get; init; } = 5;
}
