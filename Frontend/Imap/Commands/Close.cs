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
            IMailboxGrain owner = session.Cluster.Mailbox(mailbox.Key);
            var request = new ExpungeRequest(session.Cluster.NextOperation(), state.User.Actor, null);
            MailResult<ExpungeResult> result = await session.Cluster.CallAsync(() => owner.Expunge(request), session.Wait, mailbox.Count);
            if (result.Error is { Code: not MailErrorCode.NoPermission } error)
                return error;
        }
        session.State = new Authenticated(state.User);
        return Completion.Done;
    }
}
