using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>FLAGS, PERMANENTFLAGS, and the FETCH that tells changed flags (RFC 9051 §7.3.5, §7.1, §7.5.2).</summary>
public static class FlagsResponse
{
    private const SystemFlags System = SystemFlags.Answered | SystemFlags.Flagged | SystemFlags.Deleted | SystemFlags.Seen | SystemFlags.Draft;

    /// <summary>FLAGS, and what of it can be stored.</summary>
    public static void Of(ReplyWriter reply, SelectedMailbox mailbox)
    {
        string[] keywords = [.. mailbox.Keywords.Order(StringComparer.OrdinalIgnoreCase)];
        reply.Untagged().Raw("FLAGS "u8).Flags(System, keywords).NewLine();
        reply.BeginStatus(null, "OK"u8).Raw("[PERMANENTFLAGS "u8);
        FlagMask mask = mailbox.ReadOnly ? default : mailbox.ToldRights.Flags();
        if (!mask.Keywords)
            keywords = [];
        else if (keywords.Length < KeywordTable.MaxKeywords)
            keywords = [.. keywords, "\\*"];
        reply.Flags(mask.System, keywords).Raw("] "u8).Text(mask.IsNone ? "No flags can be stored" : "Flags that can be stored").NewLine();
    }

    /// <summary>FLAGS once more when a keyword has come up that the client has not seen there.</summary>
    public static void NewKeywords(ReplyWriter reply, SelectedMailbox mailbox, KeywordTable table)
    {
        // Other rights are other flags that can be stored (RFC 4314 §5.1.1).
        if (mailbox.ToldRights.Flags() != mailbox.Rights.Flags())
        {
            mailbox.ToldRights = mailbox.Rights;
            mailbox.Keywords.UnionWith(table.All());
            mailbox.KeywordsOf = table;
            Of(reply, mailbox);
            return;
        }
        if (ReferenceEquals(table, mailbox.KeywordsOf))
            return;
        mailbox.KeywordsOf = table;
        int known = mailbox.Keywords.Count;
        mailbox.Keywords.UnionWith(table.All());
        if (mailbox.Keywords.Count > known)
            Of(reply, mailbox);
    }

    /// <summary>The start of a FETCH answer, up to its parenthesis; with UIDONLY of a UIDFETCH, which is about a UID (RFC 9586 §3).</summary>
    public static void Begin(ReplyWriter reply, ImapUser user, MessageRef message)
    {
        if (user.UidOnly)
            reply.Untagged(message.Uid).Raw("UIDFETCH ("u8);
        else
            reply.Untagged((uint)message.Index + 1).Raw("FETCH ("u8);
    }

    /// <summary>
    /// A FETCH that nobody asked for. UID is in it for UID commands (RFC 9051 §6.4.9), with CONDSTORE (RFC 7162 §3.2.4: with QRESYNC it must), and in rev2.
    /// </summary>
    /// <param name="annotations">Names of entries that others have changed (RFC 5257 §4.4); null for none.</param>
    public static void Changed(
        ReplyWriter reply, ImapUser user, SelectedMailbox mailbox, MessageRef message, bool withUid, bool withFlags = true, IEnumerable<string>? annotations = null)
    {
        Begin(reply, user, message);
        bool first = true;
        if (!user.UidOnly && (withUid || user.CondStore || user.Rev2))
            Item("UID "u8).Number(message.Uid);
        if (withFlags)
            Item("FLAGS "u8).Flags(message.SystemFlags, message.Keywords, !user.Rev2 && mailbox.Recent.Contains(message.Uid));
        if (annotations is not null)
        {
            bool next = false;
            Item("ANNOTATION ("u8);
            foreach (string entry in annotations)
            {
                if (next)
                    reply.Space();
                next = true;
                reply.AString(entry);
            }
            reply.Close();
        }
        if (user.CondStore)
            Item("MODSEQ ("u8).Number(message.ModSeq).Close();
        reply.Close().NewLine();

        ReplyWriter Item(ReadOnlySpan<byte> name)
        {
            if (!first)
                reply.Space();
            first = false;
            return reply.Raw(name);
        }
    }
}
