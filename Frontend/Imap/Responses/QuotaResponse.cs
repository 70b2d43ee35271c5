using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>QUOTA and QUOTAROOT (RFC 9208 §4.2). Octets are told in units of 1,024: what is in use rounded up, limits rounded down.</summary>
public static class QuotaResponse
{
    public const int Unit = 1024;

    public static void WriteRoot(ReplyWriter reply, string mailbox, AccountQuota quota)
    {
        reply.Untagged().Raw("QUOTAROOT "u8).Mailbox(mailbox).Space().AString(quota.Account.Name);
        if (quota.Tenant is { } tenant)
            reply.Space().AString(tenant.Name);
        reply.NewLine();
    }

    /// <summary>Resources without a limit are not named.</summary>
    public static void Write(ReplyWriter reply, QuotaRoot root)
    {
        bool first = true;
        reply.Untagged().Raw("QUOTA "u8).AString(root.Name).Raw(" ("u8);
        Resource("STORAGE"u8, Up(root.Used.Bytes), root.Limits.Bytes / Unit);
        Resource("MESSAGE"u8, root.Used.Messages, root.Limits.Messages);
        Resource("MAILBOX"u8, root.Used.Mailboxes, root.Limits.Mailboxes);
        Resource("ANNOTATION-STORAGE"u8, Up(root.Used.AnnotationBytes), root.Limits.AnnotationBytes / Unit);
        reply.Close().NewLine();

        void Resource(ReadOnlySpan<byte> name, long used, long? limit)
        {
            if (limit is not { } most)
                return;
            if (!first)
                reply.Space();
            first = false;
            reply.Raw(name).Space().Number(used).Space().Number(most);
        }
    }

    /// <summary>
    /// A root with more in use than may be is told of with [OVERQUOTA], where that can be meant of the selected mailbox only (RFC 9208 §4.3.1):
    /// of the account's root and the tenant's alike.
    /// </summary>
    public static void WriteExceeded(ImapSession session, AccountQuota quota)
    {
        if (session.State is Selected { Mailbox.Key.Account: var account, User.Settings: var settings } && account == settings.Account
            && (quota.Account.IsExceeded || quota.Tenant is { IsExceeded: true }))
            session.Reply.Status(null, "NO"u8, ErrorCodes.Of(MailErrorCode.OverQuota), "More is in use than may be");
    }

    private static long Up(long octets) => (octets + Unit - 1) / Unit;
}
