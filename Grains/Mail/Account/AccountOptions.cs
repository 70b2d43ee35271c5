using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>Limits of an account.</summary>
public sealed class AccountOptions
{
    /// <summary>Connections of an account at a time. Default 100: some clients open one a folder on each of several devices.</summary>
    public int MaxConnections { get; set; } = 100;

    /// <summary>Connections of an account from one address. Default 50; addresses in trusted-networks are exempt.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 50;

    /// <summary>How long a session counts after its front end was last heard of. Default 90 s: two renewals may be lost.</summary>
    public TimeSpan SessionLease { get; set; } = AccountLimits.SessionLease;

    /// <summary>Mailboxes of an account. Default 10,000: LIST reads them all.</summary>
    public int MaxMailboxes { get; set; } = 10_000;

    /// <summary>Names that an account is subscribed to, its own and those of others each; they need not exist. Default 20,000: LIST reads them all.</summary>
    public int MaxSubscriptions { get; set; } = 20_000;

    /// <summary>Octets of an account's annotations (RFC 5464, RFC 5257), names and values. Default 10 MiB: notes and colours, not files.</summary>
    public long MaxAnnotationBytes { get; set; } = 10 << 20;

    /// <summary>Octets of the value of an annotation of a message (RFC 5257 §4.1). Default 16 KiB: more is a file, not a note.</summary>
    public int MaxMessageAnnotationOctets { get; set; } = 16 * 1024;

    /// <summary>Annotations of one message: shared ones, and each reader's own (RFC 5257 §4.1). Default 100: a client that loops must not fill the account.</summary>
    public int MaxMessageAnnotations { get; set; } = 100;

    /// <summary>How long a right password is remembered (as a keyed hash). Default 5 min: clients that log in for every check cost no password hash.</summary>
    public TimeSpan PasswordMemory { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How old the directory's row may be where nobody has told of a change. Default 5 s: a disabled account is out, and an old name no longer logs in, within that time.</summary>
    public TimeSpan DirectoryAge { get; set; } = AccountLimits.DirectoryAge;

    /// <summary>The first delay after a wrong password; doubled by each further one. Default 250 ms.</summary>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest delay. Default 8 s: guessing at an account stays below 450 tries an hour, from whatever addresses, and no client times out.</summary>
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Failed log-ins of one address at accounts that do not know it, before further ones are delayed, on all nodes together. Default 100: an office whose people come back from a holiday
    /// fits, and so do those who log in for the first time at one moment: each counts until it is known that it was right.
    /// </summary>
    public int ForgivenPerAddress { get; set; } = 100;
}
