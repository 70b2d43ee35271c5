using System.Text;
using MailCluster.Contracts;
using MailCluster.Pop3;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

public sealed class AuthorizationTests
{
    private static string Plain(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>RFC 1939 section 7, USER and PASS, in our words.</summary>
    [Fact]
    public async Task USER_and_PASS()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(new string('a', 118) + "\r\n", new string('b', 198) + "\r\n");
        await using ImapClient c = await mail.ConnectPop3Async();
        // Who exists is not told.
        await c.Pop3("USER frated", "+OK …");
        await c.Pop3("PASS secret", "-ERR [AUTH] Authentication failed.");
        await c.Pop3("PASS secret", "-ERR USER comes before PASS");
        await c.Pop3("user alice", "+OK …");
        await c.Pop3("pass wrong", "-ERR [AUTH] Authentication failed.");
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK The maildrop has 2 messages (320 octets)");
        await c.Pop3("USER alice", "-ERR Not after a log-in");
        await c.Pop3("QUIT", "+OK …");
        await c.Closed();
    }

    /// <summary>RFC 5034 section 6: the initial response, and without it.</summary>
    [Fact]
    public async Task AUTH_PLAIN()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await mail.ConnectPop3Async();
        await one.Pop3("AUTH PLAIN " + Plain("alice\0alice\0secret"), "+OK The maildrop has 0 messages (0 octets)");
        await one.Pop3("AUTH PLAIN " + Plain("\0alice\0secret"), "-ERR …");
        await using ImapClient two = await mail.ConnectPop3Async();
        await two.Pop3("AUTH PLAIN", "+ ");
        await two.Pop3(Plain("\0alice\0secret"), "+OK …");
    }

    [Fact]
    public async Task A_log_in_whose_maildrop_can_t_be_opened_keeps_no_lock()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        mail.Inbox.Breaks = true;
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "-ERR [SYS/TEMP] An internal error happened, it was logged");
        Assert.Equal(0, mail.Sessions.Count);
        mail.Inbox.Breaks = false;
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
        Assert.Equal(1, mail.Sessions.Count);
    }

    [Fact]
    public async Task AUTH_LOGIN_asks_twice()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("AUTH LOGIN", "+ " + Plain("Username:"));
        await c.Pop3(Plain("alice"), "+ " + Plain("Password:"));
        await c.Pop3(Plain("secret"), "+OK …");
    }

    [Fact]
    public async Task AUTH_that_fails_leaves_the_session_as_it_was()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { BadCommandsBeforeLogin = 100 });
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("AUTH PLAIN", "+ ");
        await c.Pop3("*", "-ERR Cancelled");
        await c.Pop3("AUTH PLAIN", "+ ");
        await c.Pop3("no base64!", "-ERR …");
        await c.Pop3("AUTH PLAIN =", "-ERR The response is not one of PLAIN");
        await c.Pop3("AUTH PLAIN =AAA", "-ERR The response is not base64");
        await c.Pop3("AUTH PLAIN AAA=BBB", "-ERR The response is not base64");
        await c.Pop3("AUTH PLAIN " + Plain("\0alice"), "-ERR …");
        await c.Pop3("AUTH PLAIN " + Plain("\0alice\0wrong"), "-ERR [AUTH] …");
        await c.Pop3("AUTH PLAIN " + Plain("bob\0alice\0secret"), "-ERR [AUTH] …");
        await c.Pop3("AUTH KERBEROS_V4 AAAA", "-ERR …");
        await c.Pop3("AUTH", "-ERR …");
        await c.Pop3("AUTH plain " + Plain("\0alice\0secret"), "+OK …");
    }

    [Fact]
    public async Task Too_many_failed_log_ins_end_the_connection()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { FailedLogins = 2 });
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS wrong", "-ERR [AUTH] …");
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS wrong", "-ERR [AUTH] Too many failed log-ins");
        await c.Closed();
    }

    /// <summary>RFC 2449 section 8, RFC 3206: each refusal by its code.</summary>
    [Theory]
    [InlineData(MailErrorCode.AuthenticationFailed, "[AUTH] Authentication failed.")]
    [InlineData(MailErrorCode.AuthorizationFailed, "[SYS/PERM] …")]
    [InlineData(MailErrorCode.Limit, "[SYS/TEMP] …")]
    [InlineData(MailErrorCode.Unavailable, "[SYS/TEMP] …")]
    [InlineData(MailErrorCode.InUse, "[IN-USE] …")]
    [InlineData(MailErrorCode.LoginDelay, "[LOGIN-DELAY] …")]
    public async Task A_log_in_that_is_refused(MailErrorCode code, string answer)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.RefuseLogin = new MailError(code, "Refused.");
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "-ERR " + answer);
        mail.Owner.RefuseLogin = null;
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
    }

    [Fact]
    public async Task A_maildrop_that_can_t_be_opened_gives_the_session_back()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        mail.Inbox.Unreachable = true;
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "-ERR [SYS/TEMP] …");
        Assert.Equal(0, mail.Sessions.Count);
        mail.Inbox.Unreachable = false;
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
    }

    [Fact]
    public async Task The_least_time_between_two_log_ins_goes_to_the_owner()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { LoginDelay = TimeSpan.FromMinutes(15) });
        await using ImapClient c = await mail.LogInByPop3Async();
        Assert.Equal(("pop3", 900), (mail.Owner.LastLogin!.Protocol, mail.Owner.LastLogin.DelaySeconds));
    }

    [Fact]
    public async Task A_password_keeps_its_spaces()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS  two  words ", "-ERR …");
        Assert.Equal(" two  words ", mail.Owner.LastLogin!.Password);
    }

    [Fact]
    public async Task A_log_in_is_one_line_of_the_log_without_the_password()
    {
        var log = new CapturedLog();
        await using FakeMail mail = await FakeMail.StartAsync(logs: log);
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
        await c.Pop3("QUIT", "+OK …");
        Assert.DoesNotContain(log.Lines, static line => line.Contains("secret", StringComparison.Ordinal));
    }

    /// <summary>RFC 2595 section 4: what was said in clear before does not count afterwards, and nothing may be slipped in.</summary>
    [Fact]
    public async Task STLS()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("STLS", "+OK Begin TLS negotiation");
        await c.StartTls();
        await c.Pop3("PASS secret", "-ERR USER comes before PASS");
        await c.Pop3("STLS", "-ERR TLS is on already");
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
        await c.Pop3("STLS", "-ERR Not after a log-in");

        await using ImapClient injected = await mail.ConnectPop3Async();
        await injected.Send("STLS", "USER alice");
        await injected.Expect("-ERR Nothing may follow STLS before TLS is on");
        await injected.Closed();
    }

    [Fact]
    public async Task STLS_without_a_certificate()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("STLS", "-ERR There is no certificate for TLS");
    }

    [Fact]
    public async Task Commands_of_TRANSACTION_need_a_log_in()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { BadCommandsBeforeLogin = 100 });
        await using ImapClient c = await mail.ConnectPop3Async();
        foreach (string command in new[] { "STAT", "LIST", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 1", "UIDL" })
            await c.Pop3(command, "-ERR Log in first");
        // Left out: it needs the passwords themselves.
        await c.Pop3("APOP alice c4c9334bac560ecc979e58001b3e22fb", "-ERR Unknown command");
    }

    [Fact]
    public async Task Another_protocol_s_client_is_told_apart_at_once()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Send("GET / HTTP/1.1", "Host: x", "Accept: y");
        await c.Expect("-ERR Unknown command", "-ERR Unknown command", "-ERR Too many bad commands");
        await c.Closed();
    }
}
