using System.Security.Cryptography;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using MailCluster.Sasl;

namespace MailCluster.Imap.Commands;

/// <summary>AUTHENTICATE (RFC 9051 §6.2.2), with an initial response (RFC 4959) or without: carries the octets of a SASL exchange.</summary>
internal static class Authenticate
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, NotAuthenticated state, Command command)
    {
        AuthenticateArguments arguments = command.Parse(SessionGrammar.ParseAuthenticate);
        (SaslExchange? exchange, SaslFailure? refused) = session.Services.Sasl.Begin(arguments.Mechanism, session.LogsIn());
        if (exchange is null)
            return Login.End(session, refused!);
        await using SaslExchange running = exchange;
        byte[]? line = arguments.InitialResponse;
        while (true)
        {
            byte[]? response = null;
            if (line is not null)
            {
                if (line.AsSpan().SequenceEqual("*"u8))
                    return Completion.Bad("Cancelled");
                if (!SaslText.TryDecode(line, out response))
                    return Completion.Bad("The response is not base64");
            }
            SaslStep step = await exchange.NextAsync(response, session.Gone);
            CryptographicOperations.ZeroMemory(response);
            CryptographicOperations.ZeroMemory(line);
            if (step is not SaslChallenge challenge)
                return Login.End(session, step);
            session.Reply.Raw("+ "u8).Raw(Convert.ToBase64String(challenge.Bytes.Span)).NewLine();
            if (await session.NextAsync(static reader => reader.ReadLineAsync(default), line: true) is not { } read)
                return Completion.Answered;
            if (read.Status != CommandReadStatus.Command)
                return Completion.Bad("The response is too long");
            line = read.Bytes.ToArray();
        }
    }
}
