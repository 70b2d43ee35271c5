using System.Security.Cryptography;
using MailCluster.Contracts;
using MailCluster.ManageSieve.Wire;
using MailCluster.Sasl;

namespace MailCluster.ManageSieve.Commands;

/// <summary>AUTHENTICATE (RFC 5804 §2.1): carries the octets of a SASL exchange as strings of base64.</summary>
internal static class Authenticate
{
    public static async ValueTask<bool> RunAsync(ManageSieveSession session, SieveCommand command)
    {
        if (command.Text(0) is not { } mechanism || (command.Arguments.Count == 2 && command.Bytes(1) is null))
        {
            session.Bad("A mechanism and its response are strings");
            return false;
        }
        (SaslExchange? exchange, SaslFailure? refused) = session.Sasl.Begin(mechanism, session.LogsIn());
        if (exchange is null)
            return End(session, refused!);
        await using SaslExchange running = exchange;
        byte[]? line = command.Bytes(1);
        while (true)
        {
            byte[]? response = null;
            if (line is not null && (line.AsSpan().SequenceEqual("*"u8) || !SaslText.TryDecode(line, out response)))
            {
                session.Reply.Status("NO", null, line is [(byte)'*'] ? "Cancelled" : "The response is not base64");
                return false;
            }
            SaslStep step = await exchange.NextAsync(response, session.Gone).ConfigureAwait(false);
            CryptographicOperations.ZeroMemory(response);
            CryptographicOperations.ZeroMemory(line);
            if (step is not SaslChallenge challenge)
                return End(session, step);
            session.Reply.Line(Convert.ToBase64String(challenge.Bytes.Span));
            line = await session.NextStringAsync().ConfigureAwait(false);
            if (line is null)
                return false;
        }
    }

    private static bool End(ManageSieveSession session, SaslStep outcome)
    {
        if (outcome is SaslSuccess { Session: { } live })
        {
            session.LoggedIn(live);
            session.Reply.Status("OK", null, "Logged in");
            return true;
        }
        var failure = (SaslFailure)outcome;
        if (failure.Error.Code == MailErrorCode.AuthenticationFailed && ++session.FailedLogins >= session.Options.FailedLogins)
        {
            session.Bye(null, "Too many failed log-ins");
            return false;
        }
        string? code = failure.Kind == SaslFailureKind.TlsNeeded ? "ENCRYPT-NEEDED" : failure.Error.Code is MailErrorCode.Unavailable or MailErrorCode.Limit ? "TRYLATER" : null;
        session.Reply.Status("NO", code, failure.Error.Text);
        return false;
    }
}
