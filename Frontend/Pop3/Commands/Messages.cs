using MailCluster.Contracts;
using MailCluster.Pop3.Session;
using MailCluster.Pop3.Wire;

namespace MailCluster.Pop3.Commands;

/// <summary>The message that a command names.</summary>
internal static class Messages
{
    /// <summary>
    /// The number, after a look at what others have removed; null where the command was answered with -ERR: no such message, one that is marked as deleted or gone (never another in
    /// its place), or a mailbox that can't be reached.
    /// </summary>
    public static async ValueTask<int?> FindAsync(Pop3Session session, Transaction state, string argument)
    {
        if (CommandLine.Number(argument) is not { } number)
        {
            session.Bad("Expected a message-number");
            return null;
        }
        Maildrop maildrop = state.Maildrop;
        if (number < 1 || number > maildrop.Count)
            session.Err(null, $"No such message, only {maildrop.Count} in maildrop");
        else if (maildrop.IsMarked(number))
            session.Err(null, $"Message {number} is marked as deleted");
        else if (await maildrop.SyncAsync(session.Wait) is { } error)
            session.Err(error);
        else if (maildrop.IsGone(number))
            session.Err(null, $"Message {number} was removed by another session");
        else
            return number;
        return null;
    }
}
