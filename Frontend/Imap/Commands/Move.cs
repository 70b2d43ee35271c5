using MailCluster.Contracts;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>MOVE and UID MOVE (RFC 9051 §6.4.8): COPYUID comes untagged, before the EXPUNGE or VANISHED of the source (RFC 6851 §4.3).</summary>
internal static class Move
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        Transfer transfer = await Copy.TransferAsync(session, state, command, move: true);
        if (transfer.Done is { Uids.IsEmpty: false, UidValidity: not 0 } moved)
            session.Reply.Status(null, "OK"u8, Copy.CopyUid(moved), "Moved");
        if (transfer.Error is { } error)
        {
            // Of a move that was broken off the client is told what it has lost here, and where that has gone.
            if (transfer.Done is not null)
                await session.SyncAsync(state, new Telling(command.Uid, Expunged: true, Asked: true));
            return error;
        }
        if (transfer.Refused is { } gone)
            return gone;
        if (transfer.Done is not { Uids.IsEmpty: false })
            return Completion.Done;
        return MessageLimit.Told(session, state.User.QResync ? Completion.DoneWithModSeq : Completion.Done, transfer.Lowest);
    }
}
