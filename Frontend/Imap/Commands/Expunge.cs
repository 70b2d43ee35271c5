using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9). The messages are told by the row's sync.</summary>
internal static class Expunge
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        SelectedMailbox mailbox = state.Mailbox;
        UidSet? uids = null;
        uint? lowest = null;
        if (command.Uid)
        {
            uids = mailbox.Resolve(command.Parse(MailboxGrammar.ParseUidExpunge), uid: true);
            // Of those only the ones that are \Deleted are worked on; a plain EXPUNGE has no limit (RFC 9738 §3.1).
            if (session.Options.MessageLimit is not null)
                uids = MessageLimit.Of(session, UidSet.FromUids(mailbox.Messages.Messages.Messages(uids).Where(static m => (m.SystemFlags & SystemFlags.Deleted) != 0).Select(static m => m.Uid)), out lowest);
        }
        else
            command.ParseNothing();
        if (uids is { IsEmpty: true })
            return Completion.Done;
        MailResult<ExpungeResult> result = await session.PatientAsync(
            session.Cluster.ExpungeAsync(mailbox.Key, state.User.Actor, uids, mailbox.Open.Current, mailbox.Count, session.Wait), "Still expunging");
        if (result.Error is { } error)
            return error;
        // RFC 7162 §3.2.10: a client that follows modseqs must not miss this one.
        return MessageLimit.Told(session, state.User.QResync && !result.Value!.Uids.IsEmpty ? Completion.DoneWithModSeq : Completion.Done, lowest);
    }
}
