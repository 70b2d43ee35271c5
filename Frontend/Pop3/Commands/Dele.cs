using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>DELE (RFC 1939 section 5): nothing is removed before QUIT.</summary>
internal static class Dele
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state, string argument)
    {
        if (await Messages.FindAsync(session, state, argument) is not { } number)
            return;
        state.Maildrop.Mark(number);
        session.Ok($"Message {number} marked as deleted");
    }
}
