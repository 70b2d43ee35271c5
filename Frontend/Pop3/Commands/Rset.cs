using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>RSET (RFC 1939 section 5). Asks nobody: it never fails.</summary>
internal static class Rset
{
    public static ValueTask Run(Pop3Session session, Transaction state)
    {
        state.Maildrop.Unmark();
        session.Ok($"The maildrop has {state.Maildrop.Messages} messages ({state.Maildrop.Octets} octets)");
        return ValueTask.CompletedTask;
    }
}
