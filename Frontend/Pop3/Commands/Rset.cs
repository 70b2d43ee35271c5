using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>RSET (RFC 1939 section 5).</summary>
internal static class Rset
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state)
    {
        state.Maildrop.Unmark();
        if (await state.Maildrop.SyncAsync(session.Wait) is { } error)
            session.Err(error);
        else
            session.Ok($"The maildrop has {state.Maildrop.Messages} messages ({state.Maildrop.Octets} octets)");
    }
}
