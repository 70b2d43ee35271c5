using System.Collections.Concurrent;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>
/// The logged-in sessions of this process. Renews their leases, one call an account every <see cref="MailClusterOptions.SessionRenewal"/>;
/// when this process dies the leases end by themselves.
/// </summary>
public sealed partial class LiveSessions : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, LiveSession> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<OpeningSession, bool> _opening = new();
    private readonly MailClusterClient _cluster;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Expected[] _expected = [];
    private Task? _renewal;

    internal LiveSessions(MailClusterClient cluster, ILogger log)
    {
        _cluster = cluster;
        _log = log;
    }

    public int Count => _sessions.Count;

    internal DateTimeOffset Now => _cluster.Time.GetUtcNow();

    /// <summary>The sessions as they are now, in no order.</summary>
    public IReadOnlyCollection<LiveSession> All => [.. _sessions.Values];

    /// <summary>Ends the sessions of an account; returns how many there were.</summary>
    public int Kick(AccountId account, string reason) => Kick(s => s.Account == account, reason);

    /// <summary>Ends one session; false when it is not here.</summary>
    public bool Kick(string sessionId, string reason)
    {
        if (!_sessions.TryGetValue(sessionId, out LiveSession? session))
            return false;
        session.Kick(reason);
        return true;
    }

    /// <summary>Ends the sessions that a predicate picks (tenant, address, all of a node…), those of log-ins under way among them; returns how many were open.</summary>
    public int Kick(Func<LiveSession, bool> which, string reason)
    {
        // These first: whoever opens in between is found by the one or by the other.
        foreach (OpeningSession opening in _opening.Keys)
            opening.Add(which, session => session.Kick(reason));
        int count = 0;
        foreach (LiveSession session in _sessions.Values.Where(which))
        {
            session.Kick(reason);
            count++;
        }
        return count;
    }

    /// <summary>
    /// Calls an action for the sessions that a predicate picks and that open from now on, by log-ins that are under way or begin within <paramref name="time"/>; not for those that are open.
    /// On the thread that logs in.
    /// </summary>
    /// <param name="time">As long as owners may grant what they remember of before.</param>
    public void WhenOpened(Func<LiveSession, bool> which, TimeSpan time, Action<LiveSession> action)
    {
        // What begins before the line below is under way by then.
        lock (_gate)
            _expected = [.. _expected.Where(IsExpected), new Expected(which, action, _cluster.Time.GetTimestamp(), time)];
        foreach (OpeningSession opening in _opening.Keys)
            opening.Add(which, action);
    }

    /// <summary>Somebody logs in: to be disposed of when that is over.</summary>
    internal OpeningSession Open()
    {
        var opening = new OpeningSession(this);
        _opening[opening] = true;
        foreach (Expected expected in Volatile.Read(ref _expected))
        {
            if (IsExpected(expected))
                opening.Add(expected.Which, expected.Action);
        }
        return opening;
    }

    private bool IsExpected(Expected expected) => _cluster.Time.GetElapsedTime(expected.Since) < expected.Time;

    /// <summary>Log-ins are under way.</summary>
    public bool AreOpening => !_opening.IsEmpty;

    internal void Opened(OpeningSession opening) => _opening.TryRemove(opening, out _);

    internal LiveSession Add(LoginRequest request, AccountSettings settings, OpeningSession opening)
    {
        var session = new LiveSession(this, request, settings);
        _sessions[session.Id] = session;
        opening.Apply(session);
        lock (_gate)
            _renewal ??= Task.Run(RenewAsync);
        return session;
    }

    internal async ValueTask EndAsync(LiveSession session)
    {
        _sessions.TryRemove(KeyValuePair.Create(session.Id, session));
        await EndAsync(session.Account, session.Id).ConfigureAwait(false);
    }

    /// <summary>Ends a session's lease. When its account can't be told, the lease ends by itself.</summary>
    internal async ValueTask EndAsync(AccountId account, string session)
    {
        if (_cluster.LocalAccounts?.TryEnd(account, session) == true)
            return;
        IAccountGrain owner = _cluster.Account(account);
        await _cluster.AskAsync(async () => { await owner.EndSession(session).ConfigureAwait(false); return Done.Value; }, _stop.Token).ConfigureAwait(false);
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(_cluster.Options.SessionRenewal, _cluster.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                await RenewAllAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private Task RenewAllAsync() => Parallel.ForEachAsync(
        _sessions.Values.GroupBy(static s => s.Account),
        new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = _stop.Token },
        async (account, _) =>
        {
            IReadOnlyList<LoginRequest> sessions = [.. account.Select(static s => s.Request)];
            try
            {
                await _cluster.Account(account.Key).RenewSessions(sessions).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // One account's trouble must not end the renewal of the others; a lease outlives two missed renewals.
                LogNotRenewed(account.Key.Value, e.GetType().Name, e.Message);
            }
        });

    public async ValueTask DisposeAsync()
    {
        Kick(static _ => true, "The server is shutting down.");
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_renewal is { } renewal)
            await renewal.ConfigureAwait(false);
    }

    private sealed record Expected(Func<LiveSession, bool> Which, Action<LiveSession> Action, long Since, TimeSpan Time);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sessions of account {Account} were not renewed: {Error} {Text}")]
    private partial void LogNotRenewed(long account, string error, string text);
}
