using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>What SELECT and EXAMINE answer before their tagged OK (RFC 9051 §6.3.2, RFC 3501 §6.3.1, RFC 7162 §3.1.2, RFC 8474 §4.2).</summary>
public static class SelectResponses
{
    /// <param name="asked">The name that the client used.</param>
    public static void Write(ReplyWriter reply, ImapUser user, SelectedMailbox mailbox, string asked)
    {
        MailboxStatus told = mailbox.Told.Status;
        MailboxSnapshot? rows = mailbox.View?.Messages;
        FlagsResponse.Of(reply, mailbox);
        reply.Untagged((uint)(rows?.Count ?? told.Messages), "EXISTS"u8);
        if (!user.Rev2)
            reply.Untagged((uint)mailbox.RecentCount, "RECENT"u8);
        Code("UIDVALIDITY "u8, told.UidValidity, "UIDs are valid");
        Code("UIDNEXT "u8, rows?.UidNext ?? told.UidNext, "The next UID");
        Code("HIGHESTMODSEQ "u8, rows?.ModSeq ?? told.HighestModSeq, "Highest");
        reply.Status(null, "OK"u8, $"MAILBOXID ({ObjectIds.Of(told.Id)})", "The mailbox's id");
        if (user.Rev2)
            Name(reply, user, mailbox.Name, asked);

        void Code(ReadOnlySpan<byte> name, long value, string text) =>
            reply.BeginStatus(null, "OK"u8).Raw("["u8).Raw(name).Number(value).Raw("] "u8).Text(text).NewLine();
    }

    /// <summary>What a mailbox is called, for clients of IMAP4rev2: OLDNAME tells one that used the name in another form (RFC 9051 §6.3.9.7).</summary>
    public static void Name(ReplyWriter reply, ImapUser user, string name, string asked)
    {
        reply.Untagged().Raw("LIST () "u8).Delimiter(user.Names).Space().Mailbox(name);
        if (name != asked)
            reply.Raw(" (\"OLDNAME\" ("u8).Mailbox(asked).Raw("))"u8);
        reply.NewLine();
    }

    /// <summary>The hierarchy delimiter as a string.</summary>
    public static ReplyWriter Delimiter(this ReplyWriter reply, MailboxNames names) => reply.String(names.Delimiter.ToString());
}
