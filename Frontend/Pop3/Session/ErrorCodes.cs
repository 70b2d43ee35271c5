using MailCluster.Contracts;

namespace MailCluster.Pop3.Session;

/// <summary>Response codes (RFC 2449 section 8, RFC 3206, RFC 6856 section 5).</summary>
internal static class ErrorCodes
{
    /// <summary>The credentials are wrong: ask the user for others.</summary>
    public const string Auth = "AUTH";

    /// <summary>Another session has the maildrop.</summary>
    public const string InUse = "IN-USE";

    /// <summary>Too soon after the last log-in.</summary>
    public const string LoginDelay = "LOGIN-DELAY";

    /// <summary>Try again later.</summary>
    public const string Temporary = "SYS/TEMP";

    /// <summary>Somebody has to mend something first.</summary>
    public const string Permanent = "SYS/PERM";

    /// <summary>The message needs UTF8.</summary>
    public const string Utf8 = "UTF8";

    /// <summary>The code that goes with an expected failure.</summary>
    public static string Of(MailErrorCode code) => code switch
    {
        MailErrorCode.AuthenticationFailed => Auth,
        MailErrorCode.InUse => InUse,
        MailErrorCode.LoginDelay => LoginDelay,
        MailErrorCode.AuthorizationFailed or MailErrorCode.NonExistent or MailErrorCode.MailboxGone => Permanent,
        _ => Temporary,
    };
}
