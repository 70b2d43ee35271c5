using System.Security.Cryptography;
using System.Text;
using MailCluster.Pop3.Session;
using MailCluster.Sasl;

namespace MailCluster.Pop3.Commands;

/// <summary>AUTH (RFC 5034): carries the octets of a SASL exchange.</summary>
internal static class Auth
{
    public static async ValueTask RunAsync(Pop3Session session, string argument)
    {
        string[] words = argument.Split(' ', 2);
        if (words[0].Length == 0)
        {
            session.Bad("AUTH takes a mechanism");
            return;
        }
        (SaslExchange? exchange, SaslFailure? refused) = session.Services.Sasl.Begin(words[0], session.LogsIn());
        if (exchange is null)
        {
            LogIn.Refuse(session, refused!);
            return;
        }
        await using SaslExchange running = exchange;
        // "=" is an initial response without an octet; without an initial response the client waits for what it is asked.
        string? line = words.Length == 1 ? null : words[1] == "=" ? "" : words[1];
        while (true)
        {
            byte[]? response = null;
            if (line == "*")
            {
                session.Err(null, "Cancelled");
                return;
            }
            if (line is not null && !SaslText.TryDecode(Encoding.UTF8.GetBytes(line), out response))
            {
                session.Bad("The response is not base64");
                return;
            }
            SaslStep step = await exchange.NextAsync(response, session.Gone);
            CryptographicOperations.ZeroMemory(response);
            if (step is not SaslChallenge challenge)
            {
                await LogIn.EndAsync(session, step);
                return;
            }
            session.Line("+ " + Convert.ToBase64String(challenge.Bytes.Span));
            line = await session.ReadLineAsync();
            if (line is null)
                return;
        }
    }
}
