using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>STATUS (RFC 9051 §6.3.11), from the mailbox's counters; also of the selected mailbox.</summary>
internal static class Status
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        StatusArguments arguments = command.Parse(StatusGrammar.Parse);
        ImapUser user = state.User;
        if (user.Names.Find(arguments.Mailbox) is not { } path)
            return new(new MailError(MailErrorCode.NonExistent, "There is no mailbox of that name"));
        // What is \Recent the owner alone knows.
        return (user.Rev2 || !arguments.Items.HasFlag(StatusItems.Recent))
            && session.Cluster.Mailboxes.TryFind(user.Settings.Account, path, out MailboxKey mailbox, out MailboxSnapshot? version)
            ? new(Tell(session, user, path, arguments.Items, version.ToStatus(mailbox.Mailbox)))
            : AskAsync(session, user, path, arguments.Items);
    }

    private static async ValueTask<Completion> AskAsync(ImapSession session, ImapUser user, MailboxPath path, StatusItems items)
    {
        MailResult<MailboxStatus> status = await session.Cluster.CallAsync(() => items.HasFlag(StatusItems.DeletedStorage) ? user.Account.StatusOf(new StatusRequest(path, DeletedBytes: true)) : user.Account.Status(path), session.Wait);
        return status.Error is { } error ? error : Tell(session, user, path, items, status.Value!);
    }

    private static Completion Tell(ImapSession session, ImapUser user, MailboxPath path, StatusItems items, MailboxStatus status)
    {
        if (items.HasFlag(StatusItems.HighestModSeq))
            session.EnableCondStore(user);
        StatusResponse.Write(session.Reply, user, session.Options, path, items, status);
        return Completion.Done;
    }
}
