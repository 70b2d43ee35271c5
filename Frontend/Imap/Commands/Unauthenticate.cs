using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>
/// UNAUTHENTICATE (RFC 8437), for operators, who act as one user after the other. Never answered with NO, since clients send the next AUTHENTICATE along: where it can't be done the session ends.
/// All state but that of TLS ends with it, compression too: the client's behind the command, ours behind its OK (§4.1).
/// </summary>
internal static class Unauthenticate
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        if (!session.MayUnauthenticate)
            return Completion.Bad("Only operators change the user of a connection");
        command.ParseNothing();
        if (!await session.UnauthenticateAsync())
        {
            session.Bye(null, "There are too many connections from your address that are not logged in");
            return Completion.Answered;
        }
        if (!session.Connection.IsCompressed)
            return Completion.Ok("CAPABILITY " + Capabilities.Of(session), "Who are you now?");
        if (!await session.EndCompressionAsync(() => session.Reply.Status(command.Tag, "OK"u8, "CAPABILITY " + Capabilities.Of(session), "Who are you now?")))
            session.Bye(null, "Behind UNAUTHENTICATE nothing is compressed");
        return Completion.Answered;
    }
}
