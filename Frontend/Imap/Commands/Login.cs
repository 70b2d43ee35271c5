using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using MailCluster.Sasl;

namespace MailCluster.Imap.Commands;

/// <summary>LOGIN (RFC 9051 §6.2.3).</summary>
internal static class Login
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, NotAuthenticated state, Command command)
    {
        LoginArguments arguments = command.Parse(SessionGrammar.ParseLogin);
        return End(session, await session.Services.Sasl.PasswordAsync(
            "LOGIN", SaslText.Of(arguments.User), SaslText.Of(arguments.Password), session.LogsIn(), session.Gone));
    }

    /// <summary>The part that LOGIN and AUTHENTICATE share: OK tells the new capabilities unasked.</summary>
    public static Completion End(ImapSession session, SaslStep outcome)
    {
        if (outcome is SaslSuccess { Session: { } live })
        {
            session.LoggedIn(live);
            return Completion.Ok("CAPABILITY " + Capabilities.Of(session), "Logged in");
        }
        var failure = (SaslFailure)outcome;
        if (failure.Error.Code == Contracts.MailErrorCode.AuthenticationFailed && ++session.FailedLogins >= session.Options.FailedLogins)
            session.Bye(null, "Too many failed log-ins");
        return failure.Kind switch
        {
            SaslFailureKind.Malformed => Completion.Bad(failure.Error.Text),
            SaslFailureKind.UnknownMechanism => Completion.No("CANNOT", failure.Error.Text),
            SaslFailureKind.TlsNeeded => Completion.No("PRIVACYREQUIRED", "Use STARTTLS before you log in"),
            _ => failure.Error,
        };
    }
}
