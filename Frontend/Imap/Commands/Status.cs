using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>STATUS (RFC 9051 §6.3.11), from the mailbox's counters; also of the selected mailbox.</summary>
internal static class Status
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        StatusArguments arguments = command.Parse(StatusGrammar.Parse);
        ImapUser user = state.User;
        if (arguments.Items.HasFlag(StatusItems.DeletedStorage))
            return Completion.Bad("DELETED-STORAGE is not known");
        if (user.Names.Find(arguments.Mailbox) is not { } path)
            return new MailError(MailErrorCode.NonExistent, "There is no mailbox of that name");
        MailResult<MailboxStatus> status = await session.Cluster.CallAsync(() => user.Account.Status(path), session.Wait);
        if (status.Error is { } error)
            return error;
        if (arguments.Items.HasFlag(StatusItems.HighestModSeq))
            session.EnableCondStore(user);
        StatusResponse.Write(session.Reply, user, session.Options, path, arguments.Items, status.Value!);
        return Completion.Done;
    }
}
