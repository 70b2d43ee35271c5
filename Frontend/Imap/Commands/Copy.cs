using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// COPY and UID COPY (RFC 9051 §6.4.7): all or none. A number of a message that is gone is one of them; a UID that is gone is passed over (§6.4.9), as always.
/// </summary>
internal static class Copy
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        Transfer transfer = await TransferAsync(session, state, command, move: false);
        if (transfer.Refused is { } no)
            return no;
        if (transfer.Error is { } error)
            return error;
        return transfer.Done is { Uids.IsEmpty: false, UidValidity: not 0 } copied ? Completion.Ok(CopyUid(copied)) : Completion.Done;
    }

    /// <summary>The part that COPY and MOVE share.</summary>
    public static async ValueTask<Transfer> TransferAsync(ImapSession session, Selected state, Command command, bool move)
    {
        CopyArguments arguments = command.Parse(MailboxGrammar.ParseCopy);
        UidSet uids = state.Mailbox.Resolve(arguments.Set, command.Uid);
        // Copies are all or none; of a move the rest stays where it is.
        if (!move && MessageLimit.Refuse(session, uids.Cardinality) is { } tooMany)
            return new Transfer(null, Refused: tooMany);
        uids = MessageLimit.Of(session, uids, out uint? lowest);
        MailResult<FoundMailbox> target = await session.FindTargetAsync(state.User, arguments.Mailbox);
        if (target.Error is { } notFound)
            return new Transfer(null, notFound);
        UidSet ghosts = command.Uid ? UidSet.Empty : uids.Intersect(state.Mailbox.Messages.Ghosts);
        Completion? gone = ghosts.IsEmpty ? default(Completion?) : Completion.No("EXPUNGEISSUED", "Some of the messages no longer exist");
        uids = uids.Except(ghosts);
        if (uids.IsEmpty || (gone is not null && !move))
            return new Transfer(null, Refused: gone);
        (CopyResult? done, MailError? error) = await session.PatientAsync(
            session.Cluster.TransferAsync(state.Mailbox.Key, target.Value!.Key, state.User.Actor, uids, move, session.Wait), move ? "Still moving" : "Still copying");
        if (done is not null)
            Append.Added(session, target.Value.Key.Mailbox, done.Uids, done.ModSeq);
        return new Transfer(done, error is { Code: MailErrorCode.MailboxGone } ? new MailError(MailErrorCode.TryCreate, "The mailbox was deleted.") : error, gone, lowest);
    }

    /// <summary>RFC 4315 §3.</summary>
    public static string CopyUid(CopyResult copied) => $"COPYUID {copied.UidValidity} {copied.SourceUids} {copied.Uids}";
}

/// <summary>What became of a COPY or MOVE.</summary>
/// <param name="Done">Null where the set names no message, or nothing was done.</param>
/// <param name="Error">Why not; of a large MOVE, which has moved what <paramref name="Done"/> says, why not the rest.</param>
/// <param name="Refused">The answer to a command that is not even tried, or to a MOVE of which some messages were gone.</param>
/// <param name="Lowest">The lowest UID that was moved, where a limit has left others alone.</param>
internal readonly record struct Transfer(CopyResult? Done, MailError? Error = null, Completion? Refused = null, uint? Lowest = null);
