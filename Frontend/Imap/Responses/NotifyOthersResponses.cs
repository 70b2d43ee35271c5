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
                StatusResponse.Write(session.Reply, user, session.Options, name, StatusItems.Messages | StatusItems.UidNext | StatusItems.UidValidity | NotifyResponses.More(user, events), counters);
            await session.FlushIfFullAsync();
        }
        return null;
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
                // Its owner says what this user may know of it now, and what he has not seen.
                IAccountGrain owner = session.Cluster.Account(neighbour.Account);
                MailResult<MailboxStatus> status = await session.Cluster.CallAsync(() => owner.StatusOf(new StatusRequest(mailbox.Info.Path, Viewer: user.Settings.Account)), session.Wait);
                if (status.Value is { } counted && counted.Id == mailbox.Info.Id)
                    StatusResponse.Write(session.Reply, user, session.Options, path.ToString(user.Names.Delimiter), items | NotifyResponses.More(user, events), counted);
                else
                    look = true;
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
}
