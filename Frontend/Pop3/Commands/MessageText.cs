using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Net;
using MailCluster.Pop3.Session;
using MailCluster.Pop3.Wire;

namespace MailCluster.Pop3.Commands;

/// <summary>Sends a message, or its top, as the client takes it.</summary>
internal static class MessageText
{
    /// <summary>Octets of a body that is read at once, with one question to the store; larger ones are read by range.</summary>
    private const int SmallBody = 32 * 1024;

    /// <summary>Octets of a header that is looked through for 8-bit ones at most.</summary>
    private const int MaxHeader = 1024 * 1024;

    /// <summary>Answers with a message. False where the answer was -ERR.</summary>
    /// <param name="lines">Lines of the body; null for all.</param>
    /// <exception cref="StoreUnavailableException">The store can't be reached, and nothing was sent.</exception>
    public static async ValueTask<bool> SendAsync(Pop3Session session, Transaction state, int number, string text, int? lines)
    {
        MessageRef row = state.Maildrop[number];
        StoredEmail? email = (await session.Cluster.Bodies.GetEmailsAsync(state.Live.Account, [row.Email], withContent: false, session.Gone))[0];
        if (email is null)
        {
            session.Err(null, $"Message {number} was removed by another session");
            return false;
        }
        try
        {
            MessageBytes bytes = await ReadAsync(session, email);
            if (!session.Utf8 && !session.Options.EightBitHeaders && await HasEightBitHeaderAsync(bytes, session.Gone))
            {
                session.Err(ErrorCodes.Utf8, "The message has a header in UTF-8: say UTF8 before you log in");
                return false;
            }
            await SendAsync(session, bytes, text, lines);
            return true;
        }
        catch (BodyGoneException)
        {
            session.Err(null, $"Message {number} was removed by another session");
            return false;
        }
    }

    private static async ValueTask<MessageBytes> ReadAsync(Pop3Session session, StoredEmail email)
    {
        byte[]? body = email.BodySize <= SmallBody ? (await session.Cluster.Bodies.GetBodiesAsync([email.Body], SmallBody, session.Gone))[0] : null;
        return body is null ? new MessageBytes(session.Cluster.Bodies, email) : new MessageBytes(email.Prefix, body);
    }

    private static async ValueTask SendAsync(Pop3Session session, MessageBytes bytes, string text, int? lines)
    {
        IAsyncEnumerator<ReadOnlyMemory<byte>> pieces = bytes.ReadAsync(new ByteRange(0, bytes.Length), session.Gone).GetAsyncEnumerator();
        await using (pieces)
        {
            // What is not there is found out before anything is said.
            bool more = await pieces.MoveNextAsync();
            session.Ok(text);
            bytes.HasBegunToLeave = true;
            var stuffing = new DotStuffing();
            var top = new TopLines(lines ?? 0);
            bool ended = false;
            try
            {
                while (more && !ended)
                {
                    Write(session.Connection.Output, pieces.Current.Span);
                    await session.FlushIfFullAsync();
                    more = !ended && await pieces.MoveNextAsync();
                }
            }
            catch (Exception e) when (e is not ConnectionClosedException)
            {
                // A part has left: whatever came now would be read as the rest of the message.
                session.Connection.Abort("a message could not be read to its end");
                throw new ConnectionClosedException("A message could not be read to its end", e);
            }
            stuffing.End(session.Connection.Output);

            void Write(ConnectionOutput output, ReadOnlySpan<byte> piece) =>
                stuffing.Write(lines is null ? piece : top.Take(piece, out ended), output);
        }
    }

    private static async ValueTask<bool> HasEightBitHeaderAsync(MessageBytes bytes, CancellationToken cancellationToken)
    {
        var header = new TopLines(0);
        await foreach (ReadOnlyMemory<byte> piece in bytes.ReadAsync(new ByteRange(0, Math.Min(bytes.Length, MaxHeader)), cancellationToken))
        {
            if (header.Take(piece.Span, out bool ended).ContainsAnyInRange((byte)0x80, (byte)0xFF))
                return true;
            if (ended)
                break;
        }
        return false;
    }
}
