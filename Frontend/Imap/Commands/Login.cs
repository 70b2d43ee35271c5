using System.Text;
using System.Text.Unicode;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>LOGIN (RFC 9051 §6.2.3).</summary>
internal static class Login
{
    public static ValueTask<Completion> RunAsync(ImapSession session, NotAuthenticated state, Command command)
    {
        LoginArguments arguments = command.Parse(SessionGrammar.ParseLogin);
        return CheckAsync(session, "LOGIN", Text(arguments.User), Text(arguments.Password));
    }

    /// <summary>The part that LOGIN and AUTHENTICATE share: OK tells the new capabilities unasked.</summary>
    public static async ValueTask<Completion> CheckAsync(ImapSession session, string mechanism, string user, string password)
    {
        if (!Capabilities.MayLogIn(session.Connection, session.Options))
            return Completion.No("PRIVACYREQUIRED", "Use STARTTLS before you send a password");
        var context = new LoginContext(
            "imap", mechanism, session.Connection.Remote.Address.ToString(), session.Connection.SessionId, session.Connection.IsTrusted);
        MailResult<LiveSession> result = await session.Cluster.LoginAsync(user, password, context, session.Gone);
        if (result.Error is { } error)
        {
            if (error.Code == MailErrorCode.AuthenticationFailed && ++session.FailedLogins >= session.Options.FailedLogins)
                session.Bye(null, "Too many failed log-ins");
            return error;
        }
        session.LoggedIn(result.Value!);
        return Completion.Ok("CAPABILITY " + Capabilities.Of(session.State, session.Connection, session.Options), "Logged in");
    }

    /// <summary>Names and passwords are UTF-8; old clients send ISO 8859-1.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}
