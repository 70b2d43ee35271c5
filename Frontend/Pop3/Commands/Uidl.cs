using MailCluster.Contracts;
using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>UIDL (RFC 1939 section 7): what the message was imported with, or else UIDVALIDITY and UID, which no other message of the maildrop ever has.</summary>
internal static class Uidl
{
    public static async ValueTask RunAsync(Pop3Session session, Transaction state, string argument)
    {
        Maildrop maildrop = state.Maildrop;
        var names = new UniqueIds(session, maildrop);
        if (argument.Length > 0)
        {
            if (await Messages.FindAsync(session, state, argument) is not { } number)
                return;
            MailResult<string> name = await names.OfAsync(maildrop[number].Uid, 1);
            if (name.Error is { } failed)
                session.Err(failed);
            else
                session.Ok($"{number} {name.Value}");
            return;
        }
        if ((await maildrop.SyncAsync(session.Wait) ?? await names.BeginAsync()) is { } error)
        {
            session.Err(error);
            return;
        }
        session.Ok("Unique-id listing follows");
        foreach ((int number, MessageRef message) in maildrop.Listed())
        {
            MailResult<string> name = await names.OfAsync(message.Uid);
            if (name.Error is { } lost)
            {
                // The answer has begun: what is missing would be taken for messages that are gone.
                session.Connection.Abort("the unique-ids of a maildrop could not be read to their end");
                return;
            }
            session.Line($"{number} {name.Value}");
            await session.FlushIfFullAsync();
        }
        session.Line(".");
    }
}
