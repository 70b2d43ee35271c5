using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>COPY and UID COPY (RFC 9051 §6.4.7): all or none of the messages that still exist.</summary>
internal static class Copy
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        MailResult<CopyResult?> result = await TransferAsync(session, state, command, move: false);
        if (result.Error is { } error)
            return error;
        return result.Value is { Uids.IsEmpty: false } copied ? Completion.Ok(CopyUid(copied)) : Completion.Done;
    }

    /// <summary>The part that COPY and MOVE share. Null where the set names no message.</summary>
    public static async ValueTask<MailResult<CopyResult?>> TransferAsync(ImapSession session, Selected state, Command command, bool move)
    {
        CopyArguments arguments = command.Parse(MailboxGrammar.ParseCopy);
        UidSet uids = state.Mailbox.Resolve(arguments.Set, command.Uid);
        MailResult<MailboxInfo> target = await session.FindTargetAsync(state.User, arguments.Mailbox);
        if (target.Error is { } notFound)
            return notFound;
        if (uids.IsEmpty)
            return default(MailResult<CopyResult?>);
        IMailboxGrain owner = session.Cluster.Mailbox(state.User.KeyOf(target.Value!.Id));
        var request = new CopyRequest(session.Cluster.NextOperation(), state.User.Actor, state.Mailbox.Key, uids, move);
        MailResult<CopyResult> result = await session.PatientAsync(
            session.Cluster.CallAsync(() => owner.CopyFrom(request), session.Wait, uids.Cardinality), move ? "Still moving" : "Still copying");
        return result.Error switch
        {
            null => result.Value,
            { Code: MailErrorCode.MailboxGone } => new MailError(MailErrorCode.TryCreate, "The mailbox was deleted."),
            { } error => error,
        };
    }

    /// <summary>RFC 4315 §3.</summary>
    public static string CopyUid(CopyResult copied) => $"COPYUID {copied.UidValidity} {copied.SourceUids} {copied.Uids}";
}
