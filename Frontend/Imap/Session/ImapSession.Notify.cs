using MailCluster.Contracts;
using MailCluster.Imap.Responses;

namespace MailCluster.Imap.Session;

/// <summary>News that is told without being asked for by a command (NOTIFY, RFC 5465).</summary>
public sealed partial class ImapSession
{
    /// <summary>The wait before the mailbox's owner is looked for again when the store was away for longer than a command waits.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>What the client has asked for; null before the first NOTIFY: then its selected mailbox's news are told with its commands.</summary>
    internal Notifications? Notify
    {
        get;
        set
        {
            field?.Dispose();
            field = value;
        }
    }

    /// <summary>After a change of the tree that this session has made itself: no news to it.</summary>
    internal ValueTask TellOwnAsync(Func<Notifications, ValueTask> own) => Notify is { Watch: not null } notify ? own(notify) : ValueTask.CompletedTask;

    /// <summary>Tells what there is to tell, and takes care that there is a wake when there is more. False when the session ended.</summary>
    /// <param name="idle">The client waits in IDLE: EXPUNGE may be told in any case (RFC 9051 §7.5.1).</param>
    internal async ValueTask<bool> TellNewsAsync(bool idle)
    {
        if (State is Selected { Mailbox: var mailbox } selected && Notify is { TellsMessages: true } && Notify.SelectedIsDue(mailbox))
        {
            WaitAnew();
            if (await SyncAsync(selected, new Telling(WithUid: true, Expunged: idle)) is null)
                Notify.AwaitSelected(mailbox, (seen, stop) => mailbox.Open.WaitForChangeAsync(seen, stop), Connection.InputTimeout.Wake);
            else if (State is LoggedOut)
                return false;
            else if (mailbox.Open.End is { } end)
            {
                Bye(end);
                return false;
            }
            else
            {
                Notify.AwaitSelected(mailbox, async (_, stop) =>
                {
                    await Task.Delay(LookAgain, Services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    return !stop.IsCancellationRequested;
                }, Connection.InputTimeout.Wake);
            }
        }
        if (Notify is { Watch: not null, Others.AreDue: true } others && State is Authenticated { User: var viewer } && !await NotifyOthersResponses.TellAsync(this, viewer, others))
            return Overflow();
        if (Notify is { Watch: { } watch } notify && notify.AccountIsDue && State is Authenticated { User: var user })
        {
            if (watch.IsLost)
                return Overflow();
            Cluster.AccountState now = watch.Current;
            Cluster.AccountState seen = notify.Seen(now);
            await NotifyResponses.TellAsync(this, user, notify, seen);
            SharedTree shared = notify.Told.Shared;
            notify.Told = seen;
            if (!ReferenceEquals(shared, seen.Shared))
            {
                if (await notify.Others.FollowAsync(Cluster.Accounts, user.Names, Wait, Connection.InputTimeout.Wake) is not null)
                    return Overflow();
                await NotifyOthersResponses.TellCameInAsync(this, user, notify, shared);
            }
            notify.AwaitAccount(now, Connection.InputTimeout.Wake);
        }
        return true;
    }

    /// <summary>RFC 5465 §5.8: from now on as after NOTIFY NONE.</summary>
    private bool Overflow()
    {
        Reply.Status(null, "OK"u8, "NOTIFICATIONOVERFLOW", "The mail store can't be reached, or too much is watched: nothing is told unasked any more");
        Notify = Notifications.None;
        return true;
    }
}
