namespace MailCluster.Lmtp;

/// <summary>The delivery door (RFC 2033).</summary>
public sealed record LmtpOptions
{
    /// <summary>The name in the greeting and in Received fields. Default: the machine's.</summary>
    public string HostName { get; init; } = Environment.MachineName;

    /// <summary>The largest message in octets, told as SIZE (RFC 1870). Default 50 MB: what mail systems commonly exchange.</summary>
    public long MaxMessageSize { get; init; } = 50 * 1024 * 1024;

    /// <summary>RCPT commands of one transaction that are accepted; further ones get 452 and come again in another. Default 1,000 (RFC 5321 section 4.5.3.1.8 asks for 100).</summary>
    public int MaxRecipients { get; init; } = 1000;

    /// <summary>Accounts that one transaction may deliver to, aliases resolved. Default 5,000: bounds the memory and the claims of one body.</summary>
    public int MaxTargets { get; init; } = 5000;

    /// <summary>Tenants of one transaction's recipients; further ones get 452. Default 8: each keeps a body of its own, written at the same time.</summary>
    public int MaxTenants { get; init; } = 8;

    /// <summary>Deliveries of one message that run at the same time. Default 16: a few commit batches' worth.</summary>
    public int MaxConcurrentDeliveries { get; init; } = 16;

    /// <summary>Octets of a command line. Default 4,096: a path of 256 octets and every parameter fit (RFC 5321 section 4.5.3.1.4 asks for 512).</summary>
    public int MaxLineLength { get; init; } = 4096;

    /// <summary>Wrong or unknown commands since the last delivery before the session ends. Default 20.</summary>
    public int MaxBadCommands { get; init; } = 20;

    /// <summary>The wait for a command. Default 5 min (RFC 5321 section 4.5.3.2.7).</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The wait for the next bytes of a message. Default 3 min (RFC 5321 section 4.5.3.2.5).</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(3);
}
