using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>STATUS (RFC 9051 §7.3.4, RFC 3501, RFC 7162, RFC 7889, RFC 8474, RFC 9208: DELETED-STORAGE in octets).</summary>
public static class StatusResponse
{
    public static void Write(ReplyWriter reply, ImapUser user, ImapOptions options, string name, StatusItems items, MailboxStatus status)
    {
        bool first = true;
        reply.Untagged().Raw("STATUS "u8).Mailbox(name).Raw(" ("u8);
        Item(StatusItems.Messages, "MESSAGES "u8, status.Messages);
        if (!user.Rev2)
            Item(StatusItems.Recent, "RECENT "u8, status.Recent);
        Item(StatusItems.UidNext, "UIDNEXT "u8, status.UidNext);
        Item(StatusItems.UidValidity, "UIDVALIDITY "u8, status.UidValidity);
        Item(StatusItems.Unseen, "UNSEEN "u8, status.Unseen);
        Item(StatusItems.Deleted, "DELETED "u8, status.Deleted);
        Item(StatusItems.DeletedStorage, "DELETED-STORAGE "u8, status.DeletedBytes ?? 0);
        Item(StatusItems.Size, "SIZE "u8, status.Bytes);
        Item(StatusItems.HighestModSeq, "HIGHESTMODSEQ "u8, status.HighestModSeq);
        Item(StatusItems.AppendLimit, "APPENDLIMIT "u8, options.AppendLimit);
        if (items.HasFlag(StatusItems.MailboxId))
        {
            Separate();
            reply.Raw("MAILBOXID ("u8).Raw(ObjectIds.Of(status.Id)).Close();
        }
        reply.Close().NewLine();

        void Item(StatusItems item, ReadOnlySpan<byte> name, long value)
        {
            if (!items.HasFlag(item))
                return;
            Separate();
            reply.Raw(name).Number(value);
        }

        void Separate()
        {
            if (!first)
                reply.Space();
            first = false;
        }
    }
}
