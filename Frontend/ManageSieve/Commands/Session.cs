using System.Text;
using MailCluster.ManageSieve.Wire;

namespace MailCluster.ManageSieve.Commands;

internal static class Session
{
    /// <summary>LOGOUT (RFC 5804 §2.3).</summary>
    public static ValueTask<bool> LogoutAsync(ManageSieveSession session, SieveCommand command)
    {
        session.Reply.Status("OK", null, "Goodbye");
        session.End();
        return new(true);
    }

    /// <summary>NOOP (RFC 5804 §2.13): gives a string back, so that a client finds its place.</summary>
    public static ValueTask<bool> NoopAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Arguments.Count == 0)
        {
            session.Reply.Status("OK", null, "Nothing done");
            return new(true);
        }
        if (command.Text(0) is not { } tag)
        {
            session.Bad("A tag is a string of UTF-8");
            return new(false);
        }
        // In a code, a string may be a literal, too.
        string text = tag.AsSpan().IndexOfAny('\r', '\n', '\0') < 0 && tag.Length <= 256 ? ResponseWriter.Quoted(tag) : $"{{{Encoding.UTF8.GetByteCount(tag)}}}\r\n{tag}";
        session.Reply.Status("OK", "TAG " + text, "Done");
        return new(true);
    }

    /// <summary>UNAUTHENTICATE (RFC 5804 §2.14.1).</summary>
    public static async ValueTask<bool> UnauthenticateAsync(ManageSieveSession session, SieveCommand command)
    {
        await session.LoggedOutAsync().ConfigureAwait(false);
        session.Reply.Status("OK");
        return true;
    }
}

/// <summary>STARTTLS (RFC 5804 §2.2).</summary>
internal static class StartTls
{
    public static async ValueTask<bool> RunAsync(ManageSieveSession session, SieveCommand command)
    {
        if (!session.Connection.CanStartTls)
        {
            session.Bad(session.Connection.IsSecure ? "TLS is on already" : "There is no TLS here");
            return false;
        }
        if (session.Connection.HasBufferedInput)
        {
            // What follows in clear would be run as if it had come under TLS.
            session.Bye(null, "Nothing may follow STARTTLS");
            return false;
        }
        session.Reply.Status("OK", null, "Begin TLS");
        await session.StartTlsAsync().ConfigureAwait(false);
        Capability.Tell(session);
        session.Reply.Status("OK", null, "TLS is on");
        return true;
    }
}
