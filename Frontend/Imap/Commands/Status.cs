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
        // What is \Recent the owner alone knows.
        return (user.Rev2 || !arguments.Items.HasFlag(StatusItems.Recent)) && user.Names.Find(arguments.Mailbox) is { } path
            && session.Cluster.Mailboxes.TryFind(user.Settings.Account, path, out MailboxKey mailbox, out MailboxSnapshot? version)
            ? new(Tell(session, user, user.Names.NameOf(path), arguments.Items, version.ToStatus(mailbox.Mailbox)))
            : AskAsync(session, user, arguments);
    }

    private static async ValueTask<Completion> AskAsync(ImapSession session, ImapUser user, StatusArguments arguments)
    {
        MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, arguments.Mailbox);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        bool deletedBytes = arguments.Items.HasFlag(StatusItems.DeletedStorage);
        MailResult<MailboxStatus> status = await session.Cluster.CallAsync(
            () => deletedBytes || named.Viewer is not null ? named.Owner.StatusOf(new StatusRequest(named.Path, deletedBytes, named.Viewer)) : named.Owner.Status(named.Path), session.Wait);
        return status.Error is { } error ? error : Tell(session, user, named.Name, arguments.Items, status.Value!);
    }

    private static Completion Tell(ImapSession session, ImapUser user, string name, StatusItems items, MailboxStatus status)
    {
        if (items.HasFlag(StatusItems.HighestModSeq))
            session.EnableCondStore(user);
        StatusResponse.Write(session.Reply, user, session.Options, name, items, status);
        return Completion.Done;
    }
}
