using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The sessions of an account: leases, so that those of a front end that died stop counting by themselves. Any thread.</summary>
internal sealed class SessionLeases(AccountOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (LoginRequest Session, DateTimeOffset Since, long Renewed)> _sessions = [];

    /// <summary>Adds a session, unless there are too many: then the answer says so.</summary>
    public MailError? TryAdd(LoginRequest request)
    {
        lock (_gate)
        {
            int fromAddress = 0;
            List<string>? ended = null;
            foreach ((string id, var known) in _sessions)
            {
                if (time.GetElapsedTime(known.Renewed) > AccountLimits.SessionLease)
                    (ended ??= []).Add(id);
                else if (known.Session.Address == request.Address)
                    fromAddress++;
            }
            foreach (string id in ended ?? [])
                _sessions.Remove(id);
            if (_sessions.Count >= options.MaxConnections)
                return new MailError(MailErrorCode.Limit, "This account has too many connections.");
            if (!request.Trusted && fromAddress >= options.MaxConnectionsPerAddress)
                return new MailError(MailErrorCode.Limit, "This account has too many connections from your address.");
            AddOrRenew(request);
            return null;
        }
    }

    /// <summary>Renews a session, or adds it: its front end has it already.</summary>
    public void Renew(LoginRequest request)
    {
        lock (_gate)
            AddOrRenew(request);
    }

    public void Remove(string sessionId)
    {
        lock (_gate)
            _sessions.Remove(sessionId);
    }

    public IReadOnlyList<SessionInfo> List()
    {
        lock (_gate)
        {
            return
            [
                .. _sessions.Values.Select(static s => new SessionInfo(s.Session.SessionId, s.Session.Protocol, s.Session.Address, s.Session.FrontEnd, s.Since)),
            ];
        }
    }

    private void AddOrRenew(LoginRequest request)
    {
        DateTimeOffset since = _sessions.TryGetValue(request.SessionId, out var known) ? known.Since : time.GetUtcNow();
        _sessions[request.SessionId] = (request.Password is null ? request : request with { Password = null }, since, time.GetTimestamp());
    }
}
