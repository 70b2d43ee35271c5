using MailCluster.Contracts;
using MailCluster.Sieve;

namespace MailCluster.ManageSieve;

/// <summary>The door through which users keep their filters (RFC 5804).</summary>
public sealed record ManageSieveOptions
{
    /// <summary>What a script may take.</summary>
    public SieveLimits Limits { get; init; } = SieveLimits.Default;

    /// <summary>Mail can leave: scripts may redirect, reply and notify.</summary>
    public bool Outgoing { get; init; }

    /// <summary>What an account may keep. Default 32 scripts, 512 KB.</summary>
    public ScriptQuota Quota { get; init; } = new(32, 512 * 1024);

    /// <summary>From the connection to the log-in. Default 60 s.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Without a command, logged in. Default 30 min (RFC 5804 §1.5).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Passwords are taken without TLS also from other machines. Default false.</summary>
    public bool AllowPlaintextLogin { get; init; }

    /// <summary>Failed log-ins until the connection ends. Default 3.</summary>
    public int FailedLogins { get; init; } = 3;

    /// <summary>Wrong commands in a row until the connection ends. Default 10; 3 before the log-in.</summary>
    public int BadCommands { get; init; } = 10;

    /// <summary>Octets of a line. Default 8,192: names and what SASL needs; scripts come as literals.</summary>
    public int LineLength { get; init; } = 8192;

    /// <summary>Told to users that are logged in; null: told to nobody.</summary>
    public string? Version { get; init; }
}
