using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Hosting;

/// <summary>
/// A front end's side of administration: ends sessions as the directory's news say, and keeps the table of sessions that administrators list.
/// </summary>
internal sealed partial class SessionKeeper(
    NodeOptions options, MailClusterClient cluster, DirectoryEvents events, SessionTable table, ILogger<SessionKeeper> log) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ListenAsync(stoppingToken), ListAsync(stoppingToken));

    private async Task ListenAsync(CancellationToken stop)
    {
        try
        {
            await foreach (DirectoryEvent news in events.ReadAsync(stop))
            {
                try
                {
                    await TakeAsync(news, stop);
                }
                catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
                {
                    LogFailed(e, news.Kind);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task TakeAsync(DirectoryEvent news, CancellationToken stop)
    {
        bool Concerns(LiveSession s) => (news.Account is not { } a || s.Account == a) && (news.Tenant is not { } t || s.Settings.Tenant == t);
        switch (news.Kind)
        {
            case DirectoryEventKind.Kick:
                SessionFilter filter = news.Sessions ?? new SessionFilter();
                Log(news.Kind, cluster.Sessions.Kick(
                    s => Concerns(s) && (filter.SessionId ?? s.Id) == s.Id && (filter.Address ?? s.Actor.Address) == s.Actor.Address
                        && (filter.Node ?? options.Name) == options.Name,
                    "An administrator ended this session"));
                break;
            case DirectoryEventKind.Password or DirectoryEventKind.Renamed or DirectoryEventKind.Deleted:
                // The owner forgets first: who logs in from now on does so with what is true now.
                if (news.Account is { } changed)
                    await cluster.AskAsync(() => ForgetAsync(changed), stop);
                Log(news.Kind, cluster.Sessions.Kick(Concerns, "Your account was changed; please log in again"));
                break;
            default:
                // Who is just logging in may have been let in before. An owner that is asked knows better from then on; where none is named they go on with what they remember.
                IEnumerable<AccountId> opening = news.Account is { } one && (cluster.Sessions.AreOpening || news.Kind == DirectoryEventKind.State) ? [one] : [];
                if (news.Account is null)
                {
                    cluster.Sessions.WhenOpened(
                        Concerns, news.Kind == DirectoryEventKind.State ? AccountLimits.DirectoryAge : TimeSpan.Zero, session => _ = LookAsync(news.Kind, session.Account, stop));
                }
                foreach (AccountId account in cluster.Sessions.All.Where(Concerns).Select(static s => s.Account).Union(opening).ToList())
                    await LookAsync(news.Kind, account, stop);
                break;
        }
    }

    /// <summary>Ends an account's sessions where it may not log in any more, as the directory has it now.</summary>
    private async Task LookAsync(DirectoryEventKind kind, AccountId account, CancellationToken stop)
    {
        try
        {
            MailResult<bool> may = await cluster.CallAsync(() => cluster.Account(account).MayLogIn(), stop);
            if (may is { IsOk: true, Value: false })
                Log(kind, cluster.Sessions.Kick(account, "Log-in is switched off for this account"));
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            LogFailed(e, kind);
        }
    }

    private async ValueTask<Done> ForgetAsync(AccountId account)
    {
        await cluster.Account(account).Changed();
        return Done.Value;
    }

    private async Task ListAsync(CancellationToken stop)
    {
        var listed = new Dictionary<string, ListedSession>();
        bool started = false;
        using var timer = new PeriodicTimer(_every);
        try
        {
            do
            {
                try
                {
                    if (!started)
                        await table.StartAsync(options.Name);
                    started = true;
                    Dictionary<string, ListedSession> now = cluster.Sessions.All.Select(Listed).ToDictionary(static s => s.SessionId);
                    await table.UpdateAsync(
                        options.Name, [.. now.Values.Where(s => !listed.TryGetValue(s.SessionId, out ListedSession? known) || known != s)],
                        [.. listed.Keys.Where(id => !now.ContainsKey(id))]);
                    listed = now;
                }
                catch (StoreUnavailableException)
                {
                    // PostgreSQL is away; what is listed is put right when it is back. Its table is unlogged: a crash there empties it.
                    started = false;
                    listed.Clear();
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private ListedSession Listed(LiveSession s)
    {
        SelectedSince? selected = s.Selected;
        return new ListedSession(
            options.Name, s.Id, s.Account, s.Settings.Tenant, s.Settings.User, s.Protocol, s.Actor.Address ?? "", s.Since, selected?.Mailbox, selected?.At, s.Client, s.Operator);
    }

    private void Log(DirectoryEventKind kind, int count)
    {
        if (count > 0)
            LogEnded(kind, count);
    }

    [LoggerMessage(LogLevel.Information, "News {Kind}: {Count} sessions are ended")]
    private partial void LogEnded(DirectoryEventKind kind, int count);

    [LoggerMessage(LogLevel.Error, "News {Kind} could not be taken")]
    private partial void LogFailed(Exception e, DirectoryEventKind kind);
}
