using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>STATUS of mailboxes of others that nobody has asked for at this moment (RFC 5465 §5).</summary>
internal static class NotifyOthersResponses
{
    /// <summary>NOTIFY SET STATUS (§3.1); and LIST with \NoAccess of what may be seen and not read.</summary>
    public static async ValueTask<MailError?> TellAllAsync(ImapSession session, ImapUser user, Notifications notify, bool status)
    {
        HashSet<MailboxPath> subscribed = NotifiedOthers.SubscribedOf(notify.Told.Shared, user.Names);
        MailResult<SharedTree> read = status && notify.Others.All.Count > 0 ? await session.Cluster.CallAsync(() => user.Account.ListShared(new ListRequest(true)), session.Wait)
            : new MailResult<SharedTree>(notify.Told.Shared, null);
        if (read.Error is { } error)
            return error;
        foreach (SharedMailbox mailbox in read.Value!.Mailboxes.Where(m => user.Names.Shows(m.Store)).OrderBy(static m => m.User, StringComparer.Ordinal).ThenBy(static m => m.Info.Path))
        {
            MailboxPath path = user.Names.OnWire(mailbox);
            NotifyEvents events = notify.EventsOf(path, subscribed.Contains(path));
            if ((events & NotifyEvents.Messages) == 0 || !mailbox.Info.Selectable)
                continue;
            string name = path.ToString(user.Names.Delimiter);
            if (!mailbox.Info.Rights.Has(MailRights.Read))
                session.Reply.Untagged().Raw("LIST (\\NoAccess) "u8).Delimiter(user.Names).Space().Mailbox(name).NewLine();
            else if (mailbox.Info.Status is { } counters && mailbox.Info.Id != NotifyResponses.Selected(session))
                StatusResponse.Write(session.Reply, user, session.Options, name, NotifyResponses.Whole | NotifyResponses.More(user, events), counters);
            await session.FlushIfFullAsync();
        }
        return null;
    }

    /// <summary>What has come into a group by its name, its subscription or a right of this user is told whole: it may have changed before that was heard of. Its owner's account is watched already.</summary>
    /// <param name="told">The mailboxes as the client knew them.</param>
    public static async ValueTask TellCameInAsync(ImapSession session, ImapUser user, Notifications notify, SharedTree told)
    {
        SharedTree now = notify.Told.Shared;
        HashSet<MailboxPath> subscribed = NotifiedOthers.SubscribedOf(now, user.Names), wasSubscribed = NotifiedOthers.SubscribedOf(told, user.Names);
        Dictionary<MailboxId, SharedMailbox> before = told.Mailboxes.ToDictionary(static m => m.Info.Id);
        foreach (SharedMailbox mailbox in now.Mailboxes.Where(m => m.Info.Id != NotifyResponses.Selected(session)))
        {
            NotifyEvents events = Events(mailbox, subscribed);
            if (events == NotifyEvents.None || (before.TryGetValue(mailbox.Info.Id, out SharedMailbox? known) && Events(known, wasSubscribed) != NotifyEvents.None))
                continue;
            await TellStatusAsync(session, user, mailbox, user.Names.OnWire(mailbox), NotifyResponses.Whole | NotifyResponses.More(user, events));
        }

        NotifyEvents Events(SharedMailbox mailbox, HashSet<MailboxPath> names) =>
            user.Names.Shows(mailbox.Store) && mailbox.Info.Selectable && mailbox.Info.Rights.Has(MailRights.Read) && user.Names.OnWire(mailbox) is var path
                ? notify.EventsOf(path, names.Contains(path)) is var events && (events & NotifyEvents.Messages) != 0 ? events : NotifyEvents.None
                : NotifyEvents.None;
    }

    /// <summary>False where nothing can be told any more.</summary>
    public static async ValueTask<bool> TellAsync(ImapSession session, ImapUser user, Notifications notify)
    {
        HashSet<MailboxPath> subscribed = NotifiedOthers.SubscribedOf(notify.Told.Shared, user.Names);
        bool look = false;
        foreach (NotifiedOthers.Neighbour neighbour in notify.Others.All.Where(static n => n.IsDue).ToArray())
        {
            if (neighbour.Watch.IsLost)
                return false;
            session.WaitAnew();
            AccountState current = neighbour.Watch.Current, told = neighbour.Told, now = current.WithNewer(told);
            look |= !ReferenceEquals(told.Names, now.Names);
            foreach (SharedMailbox mailbox in notify.Told.Shared.Mailboxes.Where(m => m.Owner == neighbour.Account))
            {
                MailboxInfo? before = told.Find(mailbox.Info.Id);
                if (now.Find(mailbox.Info.Id) is not { Status: { } counters } after || ReferenceEquals(before, after) || !mailbox.Info.Rights.Has(MailRights.Read)
                    || mailbox.Info.Id == NotifyResponses.Selected(session))
                    continue;
                MailboxPath path = user.Names.OnWire(mailbox);
                NotifyEvents events = notify.EventsOf(path, subscribed.Contains(path));
                StatusItems items = NotifyResponses.Changed(before?.Status, counters, events, whole: false);
                if (items == StatusItems.None)
                    continue;
                look |= !await TellStatusAsync(session, user, mailbox, path, items | NotifyResponses.More(user, events));
                await session.FlushIfFullAsync();
            }
            neighbour.Told = now;
            notify.Others.Await(neighbour, current, session.Connection.InputTimeout.Wake);
        }
        if (look)
        {
            // Names there are others, or rights: what the user sees is read anew, and told with his own account.
            if (!(await notify.Watch!.SyncAsync(session.Wait)).IsOk)
                return false;
            notify.LookAtAccount();
        }
        return true;
    }

    /// <summary>Its owner says what this user may know of it now, and what he has not seen. False where that is nothing.</summary>
    private static async ValueTask<bool> TellStatusAsync(ImapSession session, ImapUser user, SharedMailbox mailbox, MailboxPath path, StatusItems items)
    {
        IAccountGrain owner = session.Cluster.Account(mailbox.Owner);
        MailResult<MailboxStatus> status = await session.Cluster.CallAsync(() => owner.StatusOf(new StatusRequest(mailbox.Info.Path, Viewer: user.Settings.Account)), session.Wait);
        if (status.Value is not { } counted || counted.Id != mailbox.Info.Id)
            return false;
        StatusResponse.Write(session.Reply, user, session.Options, path.ToString(user.Names.Delimiter), items, counted);
        await session.FlushIfFullAsync();
        return true;
    }
}
