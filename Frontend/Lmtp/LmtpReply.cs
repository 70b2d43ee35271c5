using MailCluster.Contracts;

namespace MailCluster.Lmtp;

/// <summary>Reply lines (RFC 5321 section 4.2) with enhanced status codes (RFC 3463), without CRLF.</summary>
internal static class LmtpReply
{
    public const string Ok = "250 2.0.0 OK";
    public const string SenderOk = "250 2.1.0 Sender OK";
    public const string Bye = "221 2.0.0 Bye";
    public const string Help = "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT (RFC 2033)";
    public const string CannotVerify = "252 2.5.0 Send some mail, I will try";
    public const string StartData = "354 Start mail input; end with <CRLF>.<CRLF>";
    public const string ReadyForTls = "220 2.0.0 Ready to start TLS";
    public const string ShuttingDown = "421 4.3.2 Shutting down, try again";
    public const string TimedOut = "421 4.4.2 Timed out";
    public const string TooManyErrors = "421 4.7.0 Too many errors";
    public const string TooManyConnections = "421 4.7.0 Too many connections, try again later";
    public const string LineTooLong = "500 5.5.2 Line too long";
    public const string Unknown = "500 5.5.1 Command not recognised";
    public const string SpeaksLmtp = "500 5.5.1 This is LMTP: say LHLO";
    public const string NotText = "500 5.5.2 The line is not UTF-8";
    public const string NeedsName = "501 5.5.4 Say LHLO and your name";
    public const string NoArguments = "501 5.5.4 No argument is allowed";
    public const string SyntaxOfFrom = "501 5.1.7 Syntax: MAIL FROM:<address> [parameters]";
    public const string SyntaxOfTo = "501 5.1.3 Syntax: RCPT TO:<address>";
    public const string SyntaxOfBdat = "501 5.5.4 Syntax: BDAT octets [LAST]";
    public const string BadParameter = "501 5.5.4 Bad value of a parameter";
    public const string UnknownParameter = "555 5.5.4 Parameter not recognised";
    public const string NeedsSmtpUtf8 = "553 5.6.7 The address needs SMTPUTF8";
    public const string LhloFirst = "503 5.5.1 Say LHLO first";
    public const string MailFirst = "503 5.5.1 Say MAIL first";
    public const string NestedMail = "503 5.5.1 A transaction has begun already";
    public const string NoRecipients = "503 5.5.1 No valid recipients";
    public const string InChunks = "503 5.5.1 Not while BDAT is in progress";
    public const string NoTls = "502 5.5.1 STARTTLS is not offered";
    public const string Injected = "503 5.5.1 Nothing may follow STARTTLS";
    public const string TooManyRecipients = "452 4.5.3 Too many recipients, send the others in another transaction";
    public const string TooBig = "552 5.3.4 The message is too large";
    public const string StoreUnavailable = "451 4.3.0 The mail store can't be reached, try again later";

    public static string RecipientOk(string address) => $"250 2.1.5 <{address}> OK";

    public static string NoSuchUser(string address) => $"550 5.1.1 <{address}> No such user here";

    public static string Delivered(string address, string queueId) => $"250 2.1.5 <{address}> delivered {queueId}";

    /// <summary>What a delivery's failure means to the sending side: 4xx where trying again helps.</summary>
    public static string Of(MailErrorCode code, string address) => code switch
    {
        MailErrorCode.OverQuota => $"552 5.2.2 <{address}> The mailbox is full",
        MailErrorCode.NonExistent => NoSuchUser(address),
        MailErrorCode.DeliveryRefused or MailErrorCode.NoPermission => $"550 5.2.1 <{address}> The mailbox takes no mail",
        MailErrorCode.DeliveryDeferred => $"450 4.2.1 <{address}> The mailbox takes no mail now, try again later",
        MailErrorCode.Limit => $"452 4.2.0 <{address}> A limit of the mailbox is reached, try again later",
        MailErrorCode.MailboxGone or MailErrorCode.Renamed => $"451 4.2.0 <{address}> The mailbox went away, try again",
        MailErrorCode.TooBig => TooBig,
        _ => StoreUnavailable,
    };

    /// <summary>
    /// A filter's refusal (RFC 5429 §2.5): as many lines as the reason has, none longer than a reply may be (RFC 5321 §4.5.3.1.5). What the other side can't read is replaced.
    /// </summary>
    public static string Refused(string reason, bool utf8)
    {
        // Characters; each has up to 4 octets.
        const int MaxLine = 100, MaxLines = 20;
        var lines = new List<string>();
        foreach (string line in reason.ReplaceLineEndings("\n").Split('\n'))
        {
            string clean = string.Concat(line.Select(c => char.IsControl(c) ? ' ' : utf8 || c < '\x7f' ? c : '?')).TrimEnd();
            for (int at = 0; at == 0 || at < clean.Length; at += MaxLine)
                lines.Add(clean.Substring(at, Math.Min(MaxLine, clean.Length - at)));
        }
        while (lines.Count > 1 && lines[^1].Length == 0)
            lines.RemoveAt(lines.Count - 1);
        if (lines is [""])
            lines[0] = "The message was refused by the recipient's mail filter";
        lines = lines[..Math.Min(lines.Count, MaxLines)];
        return string.Join("\r\n", lines.Select((l, i) => $"550{(i == lines.Count - 1 ? ' ' : '-')}5.7.1 {l}"));
    }

    public static bool IsTransient(MailErrorCode code) => Of(code, "")[0] == '4';
}
