using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>IDLE (RFC 9051 §6.3.13): news as it happens, until DONE. Also without a selected mailbox. No time-out: an untagged OK now and then finds dead connections.</summary>
internal static class Idle
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        command.ParseNothing();
        session.Reply.Continuation("idling");
        ImapMetrics.Idling.Add(1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(session.Gone);
        try
        {
            Task<bool>? news = null;
            while (true)
            {
                if (state is Selected selected && (news is null || news.IsCompleted))
                {
                    if (await session.SyncAsync(selected, new Telling(WithUid: false, Expunged: true)) is null)
                    {
                        if (selected.Mailbox.Open.End is null)
                            news = WaitAsync(session, selected, stop.Token);
                    }
                    else if (selected.Mailbox.Open.End is { } end)
                    {
                        session.Bye(null, end == MailboxEnd.Deleted ? "The selected mailbox was deleted" : "The selected mailbox was replaced by another of its name");
                        return Completion.Answered;
                    }
                }
                if (session.State is LoggedOut)
                    return Completion.Answered;
                CommandRead? line = await session.NextLineOrNewsAsync(UntilKeepAlive(session, state.User));
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
    private static async Task<bool> WaitAsync(ImapSession session, Selected selected, CancellationToken stop)
    {
        bool changed = await selected.Mailbox.Open.WaitForChangeAsync(selected.Mailbox.Messages.Followed, stop);
        if (changed)
            session.Connection.InputTimeout.Wake();
        return changed;
    }

    /// <summary>All sessions of a user at one address have the same beat, so that a telephone's radio is woken once for all of them.</summary>
    private static TimeSpan UntilKeepAlive(ImapSession session, ImapUser user)
    {
        long period = session.Options.IdleKeepAlive.Ticks;
        long offset = (uint)HashCode.Combine(user.Settings.Account, session.Connection.Remote.Address) * (TimeSpan.TicksPerMillisecond * 7L);
        long now = session.Services.Time.GetUtcNow().Ticks + offset;
        return TimeSpan.FromTicks(period - (now % period));
    }
}
