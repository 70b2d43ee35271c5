using MailCluster.Contracts;
using MailCluster.Grains;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

/// <summary>The lock of the maildrop (RFC 1939 section 4) and LOGIN-DELAY (RFC 2449 section 6.5), at the account's owner.</summary>
public sealed class MaildropLockTests
{
    private readonly FakeClock _clock = new();
    private readonly SessionLeases _sessions;

    public MaildropLockTests() => _sessions = new SessionLeases(new AccountOptions(), _clock);

    private static LoginRequest Request(string session, string protocol = "pop3", int delay = 0) =>
        new(session, null, protocol, "USER", "192.0.2.1", "front", Trusted: false, DelaySeconds: delay);

    [Fact]
    public void One_session_shuts_out_another_of_POP3_alone()
    {
        Assert.Null(LogIn(Request("i1", "imap")));
        Assert.Null(LogIn(Request("p1")));
        Assert.Equal(MailErrorCode.InUse, LogIn(Request("p2")));
        Assert.Null(LogIn(Request("i2", "imap")));
        Assert.Null(LogIn(Request("p3"), locks: false));
        _sessions.Remove("p3");
        // A call that is repeated is not in its own way.
        Assert.Null(LogIn(Request("p1", delay: 900)));
        _sessions.Remove("p1");
        Assert.Null(LogIn(Request("p2")));
    }

    [Fact]
    public void The_lock_dies_with_its_front_end()
    {
        Assert.Null(LogIn(Request("p1")));
        _clock.Advance(AccountLimits.SessionLease - TimeSpan.FromSeconds(1));
        _sessions.Renew(Request("p1"));
        _clock.Advance(AccountLimits.SessionLease - TimeSpan.FromSeconds(1));
        Assert.Equal(MailErrorCode.InUse, LogIn(Request("p2")));
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(LogIn(Request("p2")));
    }

    [Fact]
    public void Log_ins_come_no_faster_than_is_told()
    {
        Assert.Null(LogIn(Request("i1", "imap", 900)));
        Assert.Null(LogIn(Request("p1", delay: 900)));
        _sessions.Remove("p1");
        _clock.Advance(TimeSpan.FromSeconds(899));
        Assert.Equal(MailErrorCode.LoginDelay, LogIn(Request("p2", delay: 900)));
        Assert.Null(LogIn(Request("i2", "imap")));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(LogIn(Request("p2", delay: 900)));
    }

    private MailErrorCode? LogIn(LoginRequest request, bool locks = true) => _sessions.TryAdd(request, locks)?.Code;
}
