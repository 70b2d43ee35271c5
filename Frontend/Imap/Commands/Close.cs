using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>CLOSE (RFC 9051 §6.4.1): expunges without a word, unless the mailbox was opened read-only, and leaves it.</summary>
internal static class Close
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        command.ParseNothing();
        SelectedMailbox mailbox = state.Mailbox;
        // Who may not expunge leaves all the same (RFC 4314 §4).
        if (!mailbox.ReadOnly && mailbox.Rights.Has(MailRights.Expunge))
        {
            MailboxSnapshot? known = mailbox.Count > session.Cluster.Options.SliceMessages ? (await mailbox.Open.SyncAsync(session.Wait)).Value : null;
            MailResult<ExpungeResult> result = await session.Cluster.ExpungeAsync(mailbox.Key, state.User.Actor, null, known, mailbox.Count, session.Wait);
            if (result.Error is { Code: not MailErrorCode.NoPermission } error)
                return error;
            mailbox.Closed = result.Value;
        }
        session.State = new Authenticated(state.User);
        return Completion.Done;
    }
}
