namespace MailCluster.Pop3;

/// <summary>Limits and choices of the POP3 doors.</summary>
public sealed record Pop3Options
{
    /// <summary>Octets of a line. Default 64 KB: the largest response of a SASL mechanism fits in base64 (RFC 5034 section 4); commands have 255 at most (RFC 2449 section 4).</summary>
    public int MaxLineLength { get; init; } = 64 * 1024;

    /// <summary>From the connection to a log-in. Default 60 s: time for a password to be typed, not for a connection to be parked.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Without a command. Default 10 min: the least that RFC 1939 section 3 allows.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Passwords are accepted without TLS also from other machines. Default false (RFC 8314 section 4.1); loopback always may.</summary>
    public bool AllowPlaintextLogin { get; init; }

    /// <summary>
    /// Messages with 8-bit headers are sent as they are to clients that did not say UTF8, too. Default true: such a client would otherwise stop at the first of them, at each of its
    /// visits; false refuses them with [UTF8], as RFC 6856 section 2.1 asks.
    /// </summary>
    public bool EightBitHeaders { get; init; } = true;

    /// <summary>The least time between two log-ins of an account by POP3, told as LOGIN-DELAY (RFC 2449 section 6.5). Default 0: none.</summary>
    public TimeSpan LoginDelay { get; init; } = TimeSpan.Zero;

    /// <summary>Bad commands in a row before the connection ends, not logged in. Default 3: other protocols' clients are told apart at once.</summary>
    public int BadCommandsBeforeLogin { get; init; } = 3;

    /// <summary>Bad commands in a row before the connection ends, logged in. Default 20: a client that is stuck must not fill the log.</summary>
    public int BadCommands { get; init; } = 20;

    /// <summary>Failed log-ins on one connection before it ends. Default 5: a user mistypes, a guesser reconnects and is slowed down by address.</summary>
    public int FailedLogins { get; init; } = 5;

    /// <summary>The version that IMPLEMENTATION tells to users who are logged in; null for none.</summary>
    public string? Version { get; init; }
}
