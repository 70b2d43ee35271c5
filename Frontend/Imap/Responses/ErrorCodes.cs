using MailCluster.Contracts;

namespace MailCluster.Imap.Responses;

/// <summary>The response code that goes with an expected failure (RFC 9051 §7.1, RFC 5530, RFC 5257, RFC 5464, RFC 6154, RFC 7889).</summary>
public static class ErrorCodes
{
    /// <summary>What is asked for is away for now (RFC 5530 §3).</summary>
    public const string Unavailable = "UNAVAILABLE";

    public static string Of(MailErrorCode code) => code switch
    {
        MailErrorCode.NonExistent => "NONEXISTENT",
        MailErrorCode.TryCreate => "TRYCREATE",
        MailErrorCode.AlreadyExists => "ALREADYEXISTS",
        MailErrorCode.OverQuota => "OVERQUOTA",
        MailErrorCode.Cannot => "CANNOT",
        MailErrorCode.Limit => "LIMIT",
        MailErrorCode.AuthenticationFailed => "AUTHENTICATIONFAILED",
        MailErrorCode.AuthorizationFailed => "AUTHORIZATIONFAILED",
        MailErrorCode.MailboxGone or MailErrorCode.Renamed => "NONEXISTENT",
        MailErrorCode.TooBig => "TOOBIG",
        MailErrorCode.InUse => "INUSE",
        MailErrorCode.MessageGone => "EXPUNGEISSUED",
        MailErrorCode.UseAttribute => "USEATTR",
        MailErrorCode.NoPermission => "NOPERM",
        MailErrorCode.TooManyAnnotations => "METADATA TOOMANY",
        MailErrorCode.AnnotationTooBig => "ANNOTATE TOOBIG",
        MailErrorCode.TooManyMessageAnnotations => "ANNOTATE TOOMANY",
        // Tried again for long enough, and still without an answer.
        MailErrorCode.Unavailable or MailErrorCode.StaleEpoch or MailErrorCode.BodyGone => Unavailable,
        MailErrorCode.DeliveryDeferred => Unavailable,
        MailErrorCode.DeliveryRefused => "CANNOT",
        _ => "SERVERBUG",
    };
}
