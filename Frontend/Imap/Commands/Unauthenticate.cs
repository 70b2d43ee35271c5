using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>
/// UNAUTHENTICATE (RFC 8437), for operators, who act as one user after the other. Never answered with NO, since clients send the next AUTHENTICATE along: where it can't be done the session ends.
/// Not while the connection is compressed: all state but that of TLS ends here, and DEFLATE has no end that both sides would see in the same place.
/// </summary>
internal static class Unauthenticate
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        if (!session.MayUnauthenticate)
            return Completion.Bad("Only operators change the user of a connection, and only before it is compressed");
        command.ParseNothing();
        if (!await session.UnauthenticateAsync())
        {
            session.Bye(null, "There are too many connections from your address that are not logged in");
            return Completion.Answered;
        }
        return Completion.Ok("CAPABILITY " + Capabilities.Of(session), "Who are you now?");
    }
}
