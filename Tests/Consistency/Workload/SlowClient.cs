using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>A client that asks for much more than fits into all buffers on the way, and does not read.</summary>
internal static class SlowClient
{
    /// <summary>What its commands are in the history: they take as long as the client likes.</summary>
    public const string Kind = "slow";

    private const int Fetches = 40;

    public static async Task RunAsync(SessionContext context, FrontEndAddress frontEnd, AccountState account, TimeSpan pause, CancellationToken stop)
    {
        if (await Connector.OpenAsync(context, frontEnd.Imap, account.User, account.Password, Resync.QResync) is not { } session)
            return;
        await session.RunAsync(new Command("SELECT", "INBOX")
        {
            Select = new SelectAsk("INBOX", ReadOnly: false, null, OnlyKnown: false),
            Act = answer => new Select("INBOX", answer.IsOk ? session.Model.Selected : null, ReadOnly: false, null),
        });
        if (session.Model.View is { Exists: > 0 } view)
        {
            Command[] fetches = [.. Enumerable.Range(0, Fetches).Select(_ => new Command("FETCH", "1:* (UID FLAGS BODY.PEEK[])")
            {
                Act = _ => new Read(Kind, view.Mailbox),
            })];
            Func<Task> read = await session.SendOnlyAsync(fetches);
            await Task.WhenAny(Task.Delay(pause, stop));
            await read();
            await Settling.ReadAsync(session, Kind);
        }
        await session.LeaveAsync();
    }
}
