using MailCluster.Contracts;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>MOVE and UID MOVE (RFC 9051 §6.4.8): COPYUID comes untagged, before the EXPUNGE or VANISHED of the source (RFC 6851 §4.3).</summary>
internal static class Move
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        (MailResult<CopyResult?> result, _, uint? lowest) = await Copy.TransferAsync(session, state, command, move: true);
        if (result.Error is { } error)
            return error;
        if (result.Value is not { Uids.IsEmpty: false } moved)
            return Completion.Done;
        session.Reply.Status(null, "OK"u8, Copy.CopyUid(moved), "Moved");
        return MessageLimit.Told(session, state.User.QResync ? Completion.DoneWithModSeq : Completion.Done, lowest);
    }
}
