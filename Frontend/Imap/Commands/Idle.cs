using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>IDLE (RFC 9051 §6.3.13): news as it happens, until DONE. Also without a selected mailbox. No time-out: an untagged OK now and then finds dead connections.</summary>
internal static class Idle
{
    /// <summary>The wait before the mailbox's owner is looked for again when the store was away for longer than a command waits.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(5);

    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        command.ParseNothing();
        session.Reply.Continuation("idling");
        ImapMetrics.Idling.Add(1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(session.Gone);
        try
        {
            News? news = null;
            bool away = false;
            session.Notify?.LookAgain();
            while (true)
            {
                if (session.Notify is not null)
                    await session.TellNewsAsync(idle: true);
                else if (state is Selected selected && news is not { HasCome: false })
                {
                    session.WaitAnew();
                    if (await session.SyncAsync(selected, new Telling(WithUid: false, Expunged: true)) is null)
                    {
                        news = new News();
                        away = false;
                        _ = WaitAsync(session, selected.Mailbox, news, stop.Token);
                    }
                    else if (selected.Mailbox.Open.End is { } end)
                    {
                        session.Bye(end);
                        return Completion.Answered;
                    }
                    else
                        away = true;
                }
                if (session.State is LoggedOut)
                    return Completion.Answered;
                TimeSpan beat = UntilKeepAlive(session, state.User);
                CommandRead? line = await session.NextLineOrNewsAsync(away && beat > Again ? Again : beat);
                if (session.State is LoggedOut)
                    return Completion.Answered;
                if (line is not { } done)
                    continue;
                return done.Status == CommandReadStatus.Command && done.Bytes.Span is [(byte)'D' or (byte)'d', (byte)'O' or (byte)'o', (byte)'N' or (byte)'n', (byte)'E' or (byte)'e']
                    ? Completion.Done
                    : Completion.Bad("Expected DONE");
            }
        }
        finally
        {
            await stop.CancelAsync();
            ImapMetrics.Idling.Add(-1);
        }
    }

    /// <summary>Ends the wait for input when there is news.</summary>
    private static async Task WaitAsync(ImapSession session, SelectedMailbox mailbox, News news, CancellationToken stop)
    {
        if (!await mailbox.Open.WaitForChangeAsync(mailbox.Messages.Followed, stop))
            return;
        // Before the wake: whoever wakes up looks.
        news.HasCome = true;
        session.Connection.InputTimeout.Wake();
    }

    /// <summary>All sessions of a user at one address have the same beat, so that a telephone's radio is woken once for all of them.</summary>
    private static TimeSpan UntilKeepAlive(ImapSession session, ImapUser user)
    {
        long period = session.Options.IdleKeepAlive.Ticks;
        long offset = (uint)HashCode.Combine(user.Settings.Account, session.Connection.Remote.Address) * (TimeSpan.TicksPerMillisecond * 7L);
        long now = session.Services.Time.GetUtcNow().Ticks + offset;
        return TimeSpan.FromTicks(period - (now % period));
    }
    private sealed class News
    {
        private volatile bool _hasCome;

        public bool HasCome
        {
            get => _hasCome;
            set => _hasCome = value;
        }
    }
}
