using MailCluster.Contracts;
using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>
/// QUIT, and with it UPDATE (RFC 1939 section 6): all that is marked goes by one change of the mailbox, whatever its flags, and +OK comes when that is on PostgreSQL's disk. -ERR: its
/// outcome is not known, or nothing was removed; all is or nothing.
/// </summary>
internal static class Quit
{
    public static async ValueTask RunAsync(Pop3Session session, SessionState state)
    {
        MailError? error = state is Transaction transaction ? await UpdateAsync(session, transaction) : null;
        // The next session of this client must find the lock free as soon as it has the answer.
        await session.DisposeAsync();
        if (error is null)
            session.Ok("POP3 server signing off");
        else
            session.Err(ErrorCodes.Of(error.Code), "Deleted messages were not removed: " + error.Text);
    }

    private static async ValueTask<MailError?> UpdateAsync(Pop3Session session, Transaction state)
    {
        UidSet uids = state.Maildrop.Marked();
        if (uids.IsEmpty)
            return null;
        IMailboxGrain owner = session.Cluster.Mailbox(state.Maildrop.Key);
        var request = new RemoveRequest(session.Cluster.NextOperation(), state.Live.Actor, uids);
        MailResult<ExpungeResult> result = await session.Cluster.CallAsync(() => owner.Remove(request), session.Wait, uids.Cardinality);
        if (result.Error is { } error)
            return error;
        Pop3Metrics.Deleted.Add(result.Value!.Uids.Cardinality);
        return null;
    }
}
