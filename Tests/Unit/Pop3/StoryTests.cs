using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

/// <summary>POP3 and IMAP sessions in one mailbox, told as they talk; and how a session ends that does not say QUIT.</summary>
public sealed class StoryTests
{
    private const string Message = "Subject: x\r\n\r\ny\r\n";

    [Fact]
    public async Task What_IMAP_expunges_is_an_error_here_and_never_another_message()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync("Subject: one\r\n\r\n\r\n", "Subject: two\r\n\r\n\r\n", "Subject: three\r\n\r\n\r\n");
        ImapClient[] c = await mail.SelectedAsync(1);
        await using ImapClient p = await mail.LogInByPop3Async();
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await p.Pop3("TOP 2 0", "+OK …", "Subject: two", "", ".");
        await c[1].Run("a EXPUNGE");
        foreach (string command in new[] { "RETR 2", "TOP 2 0", "LIST 2", "UIDL 2", "DELE 2" })
            await p.Pop3(command, "-ERR Message 2 was removed by another session");
        await p.Pop3("TOP 3 0", "+OK …", "Subject: three", "", ".");
        await p.Pop3("STAT", "+OK 2 38");
        await p.Pop3("LIST", "+OK 2 messages (38 octets)", "1 18", "3 20", ".");
        await p.Pop3("UIDL", "+OK …", "1 1000.1", "3 1000.3", ".");
        await p.Pop3("RSET", "+OK The maildrop has 2 messages (38 octets)");
        await p.Pop3("QUIT", "+OK …");
        Assert.Equal([1u, 3u], mail.Inbox.Now.Messages().Select(static m => m.Uid));
    }

    [Fact]
    public async Task What_is_marked_and_then_expunged_by_IMAP_is_no_error_at_QUIT()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message, Message, Message);
        ImapClient[] c = await mail.SelectedAsync(1);
        await using ImapClient p = await mail.LogInByPop3Async();
        await p.Pop3("DELE 1", "+OK …");
        await p.Pop3("DELE 2", "+OK …");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await p.Pop3("STAT", "+OK 1 17");
        await p.Pop3("QUIT", "+OK …");
        await c[1].Send("a NOOP");
        await c[1].Expect("* 1 EXPUNGE", "a OK …");
        Assert.Equal([3u], mail.Inbox.Now.Messages().Select(static m => m.Uid));
    }

    [Fact]
    public async Task QUIT_removes_what_was_marked_whatever_its_flags_and_leaves_what_others_marked()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message, Message, Message);
        ImapClient[] c = await mail.SelectedAsync(1);
        await c[1].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Flagged)");
        await using ImapClient p = await mail.LogInByPop3Async();
        await p.Pop3("DELE 2", "+OK …");
        await p.Pop3("QUIT", "+OK …");
        await c[1].Send("a NOOP");
        await c[1].Expect("* 2 EXPUNGE", "a OK …");
        Assert.Equal([1u, 3u], mail.Inbox.Now.Messages().Select(static m => m.Uid));
    }

    [Fact]
    public async Task What_comes_in_is_for_the_next_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message);
        await using ImapClient p = await mail.LogInByPop3Async();
        await mail.FillAsync(Message);
        await p.Pop3("STAT", "+OK 1 17");
        await p.Pop3("RETR 2", "-ERR No such message, only 1 in maildrop");
        await p.Pop3("QUIT", "+OK …");
        await using ImapClient next = await mail.LogInByPop3Async();
        await next.Pop3("STAT", "+OK 2 34");
    }

    [Fact]
    public async Task A_mailbox_that_is_gone_is_an_error()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message);
        await using ImapClient p = await mail.LogInByPop3Async();
        await p.Pop3("DELE 1", "+OK …");
        await mail.Inbox.End(MailboxEnd.Deleted);
        await p.Pop3("STAT", "-ERR [SYS/PERM] …");
        await p.Pop3("QUIT", "-ERR [SYS/PERM] …");
        await p.Closed();
    }

    [Fact]
    public async Task The_autologout_timer_says_nothing_and_removes_nothing()
    {
        var clock = new FakeClock();
        await using FakeMail mail = await FakeMail.StartAsync(net: new() { Time = clock });
        await mail.FillAsync(Message);
        await using ImapClient p = await mail.LogInByPop3Async();
        await p.Pop3("DELE 1", "+OK …");
        clock.Advance(TimeSpan.FromMinutes(9));
        await p.Pop3("NOOP", "+OK ");
        clock.Advance(TimeSpan.FromMinutes(9));
        await p.Pop3("NOOP", "+OK ");
        clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(2));
        await p.Closed();
        Assert.Equal(1, mail.Inbox.Now.Count);
    }

    [Fact]
    public async Task An_administrator_ends_a_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Message);
        await using ImapClient p = await mail.LogInByPop3Async();
        await p.Pop3("DELE 1", "+OK …");
        Assert.Equal("pop3", Assert.Single(mail.Sessions.All).Protocol);
        Assert.NotNull(Assert.Single(mail.Sessions.All).Selected);
        mail.Sessions.Kick(FakeMail.Account, "An administrator ended this session");
        await p.Expect("-ERR [SYS/TEMP] An administrator ended this session");
        await p.Closed();
        Assert.Equal(1, mail.Inbox.Now.Count);
    }

    [Fact]
    public async Task A_server_that_goes_down_says_so_to_who_is_there_and_who_comes()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient p = await mail.LogInByPop3Async();
        await mail.Net.DrainAsync(TimeSpan.FromSeconds(30));
        await p.Expect("-ERR [SYS/TEMP] The server is shutting down");
        await p.Closed();
        Assert.Equal("-ERR [SYS/TEMP] Too many connections\r\n"u8.ToArray(), mail.Pop3.RefusalLine(MailCluster.Net.RefusalReason.TooManyConnections)?.ToArray());
        Assert.Equal("-ERR [SYS/TEMP] The server is shutting down\r\n"u8.ToArray(), mail.Pop3.RefusalLine(MailCluster.Net.RefusalReason.ShuttingDown)?.ToArray());
    }
}
