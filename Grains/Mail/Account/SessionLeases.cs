using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The sessions of an account: leases, so that those of a front end that died stop counting by themselves.</summary>
internal sealed class SessionLeases(AccountOptions options, TimeProvider time)
{
    private readonly Dictionary<string, (LoginRequest Session, DateTimeOffset Since, long Renewed)> _sessions = [];

    /// <summary>Why one more session can't be had; null when it can.</summary>
    public MailError? Refuse(LoginRequest request)
    {
        foreach (string ended in _sessions.Where(s => time.GetElapsedTime(s.Value.Renewed) > AccountLimits.SessionLease).Select(static s => s.Key).ToList())
            _sessions.Remove(ended);
        if (_sessions.Count >= options.MaxConnections)
            return new MailError(MailErrorCode.Limit, "This account has too many connections.");
        if (!request.Trusted && _sessions.Values.Count(s => s.Session.Address == request.Address) >= options.MaxConnectionsPerAddress)
            return new MailError(MailErrorCode.Limit, "This account has too many connections from your address.");
        return null;
    }

    /// <summary>Adds a session or renews it.</summary>
    public void Add(LoginRequest request)
    {
        DateTimeOffset since = _sessions.TryGetValue(request.SessionId, out var known) ? known.Since : time.GetUtcNow();
        _sessions[request.SessionId] = (request with { Password = null }, since, time.GetTimestamp());
    }

    public void Remove(string sessionId) => _sessions.Remove(sessionId);

    public IReadOnlyList<SessionInfo> List() =>
    [
        .. _sessions.Values.Select(static s => new SessionInfo(s.Session.SessionId, s.Session.Protocol, s.Session.Address, s.Session.FrontEnd, s.Since)),
    ];
}
