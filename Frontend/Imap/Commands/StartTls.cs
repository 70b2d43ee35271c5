using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>STARTTLS (RFC 9051 §6.2.1).</summary>
internal static class StartTls
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, NotAuthenticated state, Command command)
    {
        command.ParseNothing();
        if (!session.Connection.CanStartTls)
            return session.Connection.IsSecure ? Completion.Bad("TLS is on already") : Completion.Bad("There is no TLS here");
        // Commands that came in the clear behind this one would run inside TLS: somebody in between may have put them there (RFC 9051 §11.1).
        if (session.Reader.HasMoreInput || session.Connection.HasBufferedInput)
        {
            session.Bye(null, "Nothing may follow STARTTLS before its answer");
            return Completion.Answered;
        }
        session.Reply.Status(command.Tag, "OK"u8, null, "Begin TLS now");
        await session.StartTlsAsync();
        return Completion.Answered;
    }
}
