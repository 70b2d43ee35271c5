using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>STAT (RFC 1939 section 5).</summary>
internal static class Stat
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state)
    {
        if (await state.Maildrop.SyncAsync(session.Wait) is { } error)
            session.Err(error);
        else
            session.Ok($"{state.Maildrop.Messages} {state.Maildrop.Octets}");
    }
}
