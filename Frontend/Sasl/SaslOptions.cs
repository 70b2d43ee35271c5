namespace MailCluster.Sasl;

/// <summary>What this process offers to those who log in.</summary>
public sealed record SaslOptions
{
    /// <summary>
    /// Mechanisms in the order in which they are told, "-PLUS" left out: it goes with SCRAM wherever TLS ends here. Default: SCRAM-SHA-256, PLAIN and LOGIN, which every account can use.
    /// What a tenant allows is looked at when it is known who logs in.
    /// </summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = ["SCRAM-SHA-256", "PLAIN", "LOGIN"];

    /// <summary>All that can be named; EXTERNAL comes with the client's certificate.</summary>
    public static IReadOnlyList<string> Known { get; } = ["SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"];
}
