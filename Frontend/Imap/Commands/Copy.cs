using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>COPY and UID COPY (RFC 9051 §6.4.7): all or none of the messages that still exist.</summary>
internal static class Copy
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        (MailResult<CopyResult?> result, Completion? refused, _) = await TransferAsync(session, state, command, move: false);
        if (refused is { } no)
            return no;
        if (result.Error is { } error)
            return error;
        return result.Value is { Uids.IsEmpty: false } copied ? Completion.Ok(CopyUid(copied)) : Completion.Done;
    }

    /// <summary>The part that COPY and MOVE share. A null result where the set names no message.</summary>
    /// <returns>Lowest: the lowest UID that was moved, where a limit has left others alone.</returns>
    public static async ValueTask<(MailResult<CopyResult?> Result, Completion? Refused, uint? Lowest)> TransferAsync(ImapSession session, Selected state, Command command, bool move)
    {
        CopyArguments arguments = command.Parse(MailboxGrammar.ParseCopy);
        UidSet uids = state.Mailbox.Resolve(arguments.Set, command.Uid);
        // Copies are all or none; of a move the rest stays where it is.
        if (!move && MessageLimit.Refuse(session, uids.Cardinality) is { } tooMany)
            return (default, tooMany, null);
        uids = MessageLimit.Of(session, uids, out uint? lowest);
        MailResult<FoundMailbox> target = await session.FindTargetAsync(state.User, arguments.Mailbox);
        if (target.Error is { } notFound)
            return (notFound, null, null);
        if (uids.IsEmpty)
            return (default(MailResult<CopyResult?>), null, null);
        IMailboxGrain owner = session.Cluster.Mailbox(target.Value!.Key);
        var request = new CopyRequest(session.Cluster.NextOperation(), state.User.Actor, state.Mailbox.Key, uids, move);
        MailResult<CopyResult> result = await session.PatientAsync(
            session.Cluster.CallAsync(() => owner.CopyFrom(request), session.Wait, uids.Cardinality), move ? "Still moving" : "Still copying");
        if (result.Value is { } copied)
            Append.Added(session, target.Value.Key.Mailbox, copied.Uids, copied.ModSeq);
        return (result.Error switch
        {
            null => result.Value,
            { Code: MailErrorCode.MailboxGone } => new MailError(MailErrorCode.TryCreate, "The mailbox was deleted."),
            { } error => error,
        }, null, lowest);
    }

    /// <summary>RFC 4315 §3.</summary>
    public static string CopyUid(CopyResult copied) => $"COPYUID {copied.UidValidity} {copied.SourceUids} {copied.Uids}";
}
