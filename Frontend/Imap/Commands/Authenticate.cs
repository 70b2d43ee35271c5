using System.Buffers.Text;
using System.Security.Cryptography;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>AUTHENTICATE PLAIN (RFC 9051 §6.2.2, RFC 4616), with an initial response (RFC 4959) or without.</summary>
internal static class Authenticate
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, NotAuthenticated state, Command command)
    {
        AuthenticateArguments arguments = command.Parse(SessionGrammar.ParseAuthenticate);
        if (arguments.Mechanism != "PLAIN")
            return Completion.No("CANNOT", "This mechanism is not known");
        if (!Capabilities.MayLogIn(session.Connection, session.Options))
            return Completion.No("PRIVACYREQUIRED", "Use STARTTLS before you send a password");
        byte[]? response = arguments.InitialResponse;
        if (response is null)
        {
            session.Reply.Raw("+ \r\n"u8);
            if (await session.NextAsync(static reader => reader.ReadLineAsync(default), line: true) is not { } line)
                return Completion.Answered;
            if (line.Status != CommandReadStatus.Command)
                return Completion.Bad("The response is too long");
            response = line.Bytes.ToArray();
        }
        if (response.AsSpan().SequenceEqual("*"u8))
            return Completion.Bad("Cancelled");
        if (!TryDecode(response, out byte[] message))
            return Completion.Bad("The response is not base64");
        try
        {
            return await PlainAsync(session, message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
            CryptographicOperations.ZeroMemory(response);
        }
    }

    /// <summary>[authzid] NUL authcid NUL passwd.</summary>
    private static ValueTask<Completion> PlainAsync(ImapSession session, byte[] message)
    {
        int first = Array.IndexOf(message, (byte)0);
        int second = first < 0 ? -1 : Array.IndexOf(message, (byte)0, first + 1);
        if (second < 0)
            return new(Completion.Bad("The response is not one of PLAIN"));
        string authorize = Login.Text(message.AsSpan(0, first));
        string user = Login.Text(message.AsSpan(first + 1, second - first - 1));
        string password = Login.Text(message.AsSpan(second + 1));
        if (authorize.Length > 0 && !authorize.Equals(user, StringComparison.OrdinalIgnoreCase))
            return new(Completion.No("AUTHORIZATIONFAILED", "You can't act for somebody else"));
        return Login.CheckAsync(session, "PLAIN", user, password);
    }

    private static bool TryDecode(ReadOnlySpan<byte> base64, out byte[] message)
    {
        message = [];
        if (!Base64.IsValid(base64, out int length))
            return false;
        message = new byte[length];
        return Base64.DecodeFromUtf8(base64, message, out _, out int written) == System.Buffers.OperationStatus.Done && written == length;
    }
}
