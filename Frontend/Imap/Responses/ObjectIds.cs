using MailCluster.Contracts;

namespace MailCluster.Imap.Responses;

/// <summary>Object ids on the wire (RFC 8474 §3): a letter for the kind, then the number.</summary>
public static class ObjectIds
{
    public static string Of(MailboxId mailbox) => "F" + mailbox.Value;

    public static string Of(EmailId email) => "M" + email.Value;

    public static string OfThread(long thread) => "T" + (ulong)thread;
}
