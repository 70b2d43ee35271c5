namespace MailCluster.Imap.Wire;

/// <summary>How strings and mailbox names travel in a session. It changes once, with ENABLE IMAP4rev2 (RFC 9051 §6.3.1) or UTF8=ACCEPT.</summary>
public enum WireCharset
{
    /// <summary>RFC 3501: no 8-bit in quoted strings, mailbox names in modified UTF-7.</summary>
    Rev1,

    /// <summary>RFC 9051 and RFC 6855: quoted strings and mailbox names are UTF-8.</summary>
    Utf8,
}
