using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// NOTIFY (RFC 5465): what is told from now on without a command that asks for it. Before its OK the selected mailbox's news are told, whatever they are, and with STATUS the counters of the
/// others; a NOTIFY that is refused changes nothing.
/// </summary>
internal static class Notify
{
    /// <summary>The most names of one command.</summary>
    private const int MaxNames = 1000;

    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        NotifyArguments arguments = command.Parse(NotifyGrammar.Parse);
        ImapUser user = state.User;
        if (arguments.Groups.Count == 0)
        {
            session.Notify = Notifications.None;
            return Completion.Done;
        }
        if (arguments.UnknownEvent || arguments.Groups.Any(g => (g.Events & ~NotifyResponses.SupportedEvents(session.Services)) != 0))
            return Completion.No($"BADEVENT ({NotifyResponses.Supported(session.Services)})", "There are no such events here");
        if (arguments.Groups.Sum(static g => g.Names.Count) > MaxNames)
            return Completion.No("NOTIFICATIONOVERFLOW", $"At most {MaxNames} names can be watched");

        AccountWatch? watch = null;
        bool others = user.Settings.Shares && arguments.Groups.Any(g => Notifications.IsAboutOthers(g, user.Names));
        if (arguments.Groups.Any(static g => g.Filter > NotifyFilter.SelectedDelayed && g.Events != NotifyEvents.None))
        {
            watch = session.Cluster.Accounts.Open(
                user.Settings.Account, arguments.Groups.Any(static g => (g.Events & NotifyResponses.Annotations) != 0), others);
            if (watch is null)
                return Completion.No("NOTIFICATIONOVERFLOW", "Too many accounts are watched now");
            MailResult<AccountState> synced = await watch.SyncAsync(session.Wait);
            if (synced.Error is { } error)
            {
                watch.Dispose();
                return error;
            }
        }
        if (arguments.Groups.Any(static g => g.Fetch?.Any(static a => a.Item == FetchItem.ModSeq) == true))
            session.EnableCondStore(user);
        var notify = new Notifications([.. arguments.Groups.Select(Peeking)], user.Names, watch);
        if (others && await notify.Others.FollowAsync(session.Cluster.Accounts, user.Names, session.Wait, session.Connection.InputTimeout.Wake) is { } notFollowed)
        {
            notify.Dispose();
            return notFollowed.Code == MailErrorCode.Limit ? Completion.No("NOTIFICATIONOVERFLOW", notFollowed.Text) : notFollowed;
        }
        if (arguments.Status && watch is not null)
            await NotifyResponses.TellAllAsync(session, user, notify);
        if (others && await NotifyOthersResponses.TellAllAsync(session, user, notify, arguments.Status) is { } notTold)
        {
            notify.Dispose();
            return notTold;
        }
        session.Notify = notify;
        return Completion.Done;
    }

    /// <summary>What is fetched unasked must not make messages \Seen.</summary>
    private static NotifyGroup Peeking(NotifyGroup group) => group with { Fetch = group.Fetch?.Select(static a => a with { Peek = true }).ToList() };
}
