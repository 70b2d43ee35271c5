using MailCluster.Imap.Wire;

namespace MailCluster.Imap;

/// <summary>Limits and choices of the IMAP doors.</summary>
public sealed record ImapOptions
{
    /// <summary>Bounds of one command in octets; see there.</summary>
    public CommandReaderOptions Commands { get; init; } = new();

    /// <summary>The largest message of APPEND, octets, told as APPENDLIMIT (RFC 7889). Default 50 MB: what other servers' attachments need after base64.</summary>
    public long AppendLimit { get; init; } = 50L * 1024 * 1024;

    /// <summary>APPEND takes messages with 8-bit headers from every session, not only from those that enabled IMAP4rev2. Default true: old clients and migrations have them.</summary>
    public bool AppendEightBitHeaders { get; init; } = true;

    /// <summary>From the connection to a log-in. Default 60 s: time for a password to be typed, not for a connection to be parked.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Without a command, never in IDLE. Default 30 min: the least that RFC 9051 §5.4 allows.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Between two untagged OK in IDLE. Default 2 min: below the time after which mobile networks forget a connection.</summary>
    public TimeSpan IdleKeepAlive { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Passwords are accepted without TLS also from other machines. Default false (RFC 8314 §4.1); loopback always may.</summary>
    public bool AllowPlaintextLogin { get; init; }

    /// <summary>Bad commands in a row before BYE, not logged in. Default 3: other protocols' clients are told apart at once.</summary>
    public int BadCommandsBeforeLogin { get; init; } = 3;

    /// <summary>Bad commands in a row before BYE, logged in. Default 20: a client that is stuck must not fill the log.</summary>
    public int BadCommands { get; init; } = 20;

    /// <summary>Failed log-ins on one connection before BYE. Default 5: a user mistypes, a guesser reconnects and is slowed down by address.</summary>
    public int FailedLogins { get; init; } = 5;

    /// <summary>The most messages that one command works on (MESSAGELIMIT, RFC 9738), at least 1,000; null for any number. Default null: commands of any size are done in pieces here.</summary>
    public int? MessageLimit { get; init; }

    /// <summary>Octets of the value of an annotation of a message (RFC 5257 §4.1), at least 1,024. Default 16 KiB, which owners of mailboxes hold to as well.</summary>
    public int AnnotationOctets { get; init; } = 16 * 1024;

    /// <summary>Connections that may be compressed at once (RFC 4978), in this process. Default 10,000: each keeps some 40 KB for what its client sends, though nothing while it waits for what is sent to it.</summary>
    public int CompressedConnections { get; init; } = 10_000;

    /// <summary>Searches of a session whose results are followed (UPDATE, RFC 5267), at least 1. Default 10: what a client shows at once; the results themselves are bounded, too.</summary>
    public int SearchContexts { get; init; } = 10;

    /// <summary>The tag of the language that LANGUAGE "default" chooses (RFC 5255 §3.2), one of <see cref="Languages.Language.All"/>. Default i-default, English: nothing is known of who the users are.</summary>
    public string Language { get; init; } = "i-default";

    /// <summary>Also what clients older than IMAP4rev1 say is understood (see Dialects/). Default false. Passwords then never travel without TLS but from this machine, whatever <see cref="AllowPlaintextLogin"/> says.</summary>
    public bool Dialects { get; init; }

    /// <summary>The version that ID tells to users who are logged in; null for none.</summary>
    public string? Version { get; init; }
}
