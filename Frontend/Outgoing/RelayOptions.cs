namespace MailCluster.Outgoing;

/// <summary>The mail server that takes what filters send.</summary>
public sealed record RelayOptions
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    public RelayTls Tls { get; init; } = RelayTls.WhenOffered;

    /// <summary>Null: no log-in.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>What EHLO says.</summary>
    public string HostName { get; init; } = Environment.MachineName;

    /// <summary>Connections to the relay at the same time from this node. Default 2.</summary>
    public int Senders { get; init; } = 2;

    /// <summary>Between looks at the outbox. Default 1 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a message is a sender's own without a sign of it. Default 1 min: when a node dies, another sends after that time.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait for each answer of the relay. Default 2 min (RFC 5321 §4.5.3.2 has 5 to 10 for unknown hosts; this one is near).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Between the first two attempts; then twice as long each time. Default 30 s.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait between attempts. Default 1 h.</summary>
    public TimeSpan MaxRetry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Then a message is given up. Default 4 days (RFC 5321 §4.5.4.1: at least 4 to 5).</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(4);
}

public enum RelayTls
{
    Off = 0,

    /// <summary>STARTTLS where the relay has it, whatever its certificate.</summary>
    WhenOffered,

    /// <summary>STARTTLS with a certificate that is valid for the host, or nothing is sent.</summary>
    Required,

    /// <summary>TLS from the first octet, with a valid certificate.</summary>
    Implicit,
}
