using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>
/// The sessions of an account: leases, so that those of a front end that died stop counting by themselves. One of POP3 is the lock of the maildrop, too (RFC 1939 section 4): a
/// courtesy between clients, that nothing depends on. What is removed at QUIT is what that session has seen, whoever else is there. Any thread.
/// </summary>
internal sealed class SessionLeases(AccountOptions options, TimeProvider time)
{
    private const string Pop3 = "pop3";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (LoginRequest Session, DateTimeOffset Since, long Renewed)> _sessions = [];

    /// <summary>When a session of POP3 was last let in.</summary>
    private long? _pop3At;

    /// <summary>Adds a session, unless there are too many, or another has the maildrop: then the answer says so.</summary>
    /// <param name="locksMaildrop">One session of POP3 shuts out another.</param>
    public MailError? TryAdd(LoginRequest request, bool locksMaildrop)
    {
        lock (_gate)
        {
            int fromAddress = 0;
            List<string>? ended = null;
            foreach ((string id, var known) in _sessions)
            {
                if (time.GetElapsedTime(known.Renewed) > options.SessionLease)
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
            // A repeated call is not in its own way.
            if (request.Protocol == Pop3 && !_sessions.ContainsKey(request.SessionId))
            {
                if (RefusePop3(request, locksMaildrop) is { } refused)
                    return refused;
                _pop3At = time.GetTimestamp();
            }
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

    /// <summary>The account's own user has a session from there.</summary>
    public bool IsFrom(string address)
    {
        lock (_gate)
            return _sessions.Values.Any(s => s.Session.Address == address && s.Session.Operator is null);
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

    private MailError? RefusePop3(LoginRequest request, bool locksMaildrop)
    {
        if (locksMaildrop && _sessions.Values.Any(static s => s.Session.Protocol == Pop3))
            return new MailError(MailErrorCode.InUse, "Another session has the maildrop.");
        return request.DelaySeconds > 0 && _pop3At is { } last && time.GetElapsedTime(last).TotalSeconds < request.DelaySeconds
            ? new MailError(MailErrorCode.LoginDelay, $"Log in at most once in {request.DelaySeconds} seconds.")
            : null;
    }

    private void AddOrRenew(LoginRequest request)
    {
        DateTimeOffset since = _sessions.TryGetValue(request.SessionId, out var known) ? known.Since : time.GetUtcNow();
        _sessions[request.SessionId] = (request is { Password: null, Scram: null } ? request : request with { Password = null, Scram = null }, since, time.GetTimestamp());
    }
}
