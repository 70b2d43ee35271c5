using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>ENABLE (RFC 9051 §6.3.1): what is unknown is passed over; ENABLED names what this command has switched on.</summary>
internal static class Enable
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        ImapUser user = state.User;
        ReplyWriter reply = session.Reply;
        IReadOnlyList<string> names = command.Parse(SessionGrammar.ParseEnable);
        bool condStore = user.CondStore, numbersEnd = false;
        reply.Untagged().Raw("ENABLED"u8);
        foreach (string name in names)
        {
            switch (name)
            {
                case "IMAP4REV2" when !user.Rev2:
                    user.Rev2 = true;
                    reply.Raw(" IMAP4rev2"u8);
                    break;
                case "UTF8=ACCEPT" when !user.Utf8:
                    user.Utf8 = true;
                    reply.Raw(" UTF8=ACCEPT"u8);
                    break;
                case "UIDONLY" when !user.UidOnly:
                    user.UidOnly = true;
                    reply.Raw(" UIDONLY"u8);
                    numbersEnd = true;
                    break;
                case "CONDSTORE" when !user.CondStore:
                    user.CondStore = true;
                    reply.Raw(" CONDSTORE"u8);
                    break;
                case "QRESYNC" when !user.QResync:
                    // RFC 7162 §3.2.3: QRESYNC brings CONDSTORE along.
                    user.QResync = user.CondStore = true;
                    reply.Raw(" QRESYNC"u8);
                    break;
            }
        }
        reply.NewLine();
        if (user.Rev2 || user.Utf8)
            reply.Charset = WireCharset.Utf8;
        if (numbersEnd && state is Selected { Mailbox.Contexts: var contexts })
            contexts.EndNumbered(session);
        if (!condStore && user.CondStore)
            session.TellHighestModSeq();
        return new(Completion.Done);
    }
}
