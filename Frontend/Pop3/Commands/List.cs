using MailCluster.Contracts;
using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>LIST (RFC 1939 section 5): sizes are those of RETR, without the dots that are put in on the way.</summary>
internal static class List
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state, string argument)
    {
        Maildrop maildrop = state.Maildrop;
        if (argument.Length > 0)
        {
            if (await Messages.FindAsync(session, state, argument) is { } number)
                session.Ok($"{number} {maildrop[number].Size}");
            return;
        }
        if (await maildrop.SyncAsync(session.Wait) is { } error)
        {
            session.Err(error);
            return;
        }
        session.Ok($"{maildrop.Messages} messages ({maildrop.Octets} octets)");
        foreach ((int number, MessageRef message) in maildrop.Listed())
        {
            session.Line($"{number} {message.Size}");
            await session.FlushIfFullAsync();
        }
        session.Line(".");
    }
}
