using MailCluster.Contracts;
using MailCluster.Pop3;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

public sealed class TransactionTests
{
    /// <summary>A message of so many octets.</summary>
    private static string Octets(int count) => "Subject: x\r\n\r\n" + new string('a', count - 16) + "\r\n";

    /// <summary>RFC 1939 section 10, the example session, in our words.</summary>
    [Fact]
    public async Task The_example_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(120), Octets(200));
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("STAT", "+OK 2 320");
        await c.Pop3("LIST", "+OK 2 messages (320 octets)", "1 120", "2 200", ".");
        await c.Pop3("RETR 1", "+OK 120 octets", "Subject: x", "", new string('a', 104), ".");
        await c.Pop3("DELE 1", "+OK Message 1 marked as deleted");
        await c.Pop3("RETR 2", "+OK 200 octets", "Subject: x", "", new string('a', 184), ".");
        await c.Pop3("DELE 2", "+OK …");
        Assert.Equal(2, mail.Inbox.Now.Count);
        await c.Pop3("QUIT", "+OK POP3 server signing off");
        await c.Closed();
        Assert.Equal(0, mail.Inbox.Now.Count);
    }

    /// <summary>RFC 1939 section 5: LIST, RETR, DELE and RSET with messages that are marked, and that are not there.</summary>
    [Fact]
    public async Task Marks()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(120), Octets(200), Octets(300));
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("LIST 2", "+OK 2 200");
        await c.Pop3("LIST 4", "-ERR No such message, only 3 in maildrop");
        await c.Pop3("LIST 0", "-ERR No such message, only 3 in maildrop");
        await c.Pop3("DELE 2", "+OK …");
        await c.Pop3("DELE 2", "-ERR Message 2 is marked as deleted");
        foreach (string command in new[] { "LIST 2", "RETR 2", "TOP 2 0", "UIDL 2" })
            await c.Pop3(command, "-ERR Message 2 is marked as deleted");
        await c.Pop3("STAT", "+OK 2 420");
        await c.Pop3("LIST", "+OK 2 messages (420 octets)", "1 120", "3 300", ".");
        Assert.Equal(2, (await c.Pop3Lines("UIDL")).Count);
        await c.Pop3("NOOP", "+OK ");
        await c.Pop3("RSET", "+OK The maildrop has 3 messages (620 octets)");
        await c.Pop3("LIST 2", "+OK 2 200");
        await c.Pop3("DELE 3", "+OK …");
        await c.Pop3("QUIT", "+OK …");
        Assert.Equal([1u, 2u], mail.Inbox.Now.Messages().Select(static m => m.Uid));
    }

    [Fact]
    public async Task Nothing_is_removed_without_QUIT()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(120));
        await using (ImapClient c = await mail.LogInByPop3Async())
            await c.Pop3("DELE 1", "+OK …");
        await Eventually.Async("the session does not end", () => Task.FromResult(mail.Sessions.Count == 0));
        Assert.Equal(1, mail.Inbox.Now.Count);
    }

    [Fact]
    public async Task QUIT_that_can_t_remove_says_so()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(120));
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("DELE 1", "+OK …");
        mail.Inbox.Unreachable = true;
        await c.Pop3("QUIT", "-ERR [SYS/TEMP] Deleted messages were not removed: …");
        await c.Closed();
        mail.Inbox.Unreachable = false;
        Assert.Equal(1, mail.Inbox.Now.Count);
    }

    /// <summary>RFC 1939 section 7.</summary>
    [Fact]
    public async Task TOP()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync("Subject: x\r\n.\r\nFrom: y\r\n\r\none\r\n.two\r\nthree\r\n");
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("TOP 1 0", "+OK …", "Subject: x", "..", "From: y", "", ".");
        await c.Pop3("TOP 1 2", "+OK …", "Subject: x", "..", "From: y", "", "one", "..two", ".");
        await c.Pop3("TOP 1 1000000", "+OK …", "Subject: x", "..", "From: y", "", "one", "..two", "three", ".");
        await c.Pop3("TOP 1", "-ERR …");
        await c.Pop3("TOP 1 -1", "-ERR …");
        await c.Pop3("TOP 3 1", "-ERR No such message, only 1 in maildrop");
    }

    /// <summary>RFC 2449 section 6.6: a burst of commands is answered in order, each whole.</summary>
    [Fact]
    public async Task Pipelining()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(120), Octets(200));
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Send("USER alice", "PASS secret", "STAT", "RETR 1", "DELE 1", "LIST", "QUIT");
        await c.Expect(
            "+OK …", "+OK …", "+OK 2 320", "+OK 120 octets", "Subject: x", "", new string('a', 104), ".", "+OK …", "+OK 1 messages (200 octets)", "2 200", ".", "+OK …");
        await c.Closed();
    }

    [Fact]
    public async Task Octets_of_RETR_are_those_that_were_stored_and_as_many_as_LIST_says()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        string[] messages =
        [
            "", ".", "\r\n", "a: b", "a: b\r\n\r\n.\r\n..\r\n.a\r\n", "a: b\r\n\r\nlone \r CR\r\n", "a: b\r\n\r\n\0 NUL \u00e4\u00ff\r\n", "a: b\r\n\r\n" + new string('.', 100_000) + "\r\n",
        ];
        await mail.FillAsync(messages);
        await using ImapClient c = await mail.LogInByPop3Async();
        for (int i = 0; i < messages.Length; i++)
        {
            await c.Pop3($"LIST {i + 1}", $"+OK {i + 1} {messages[i].Length}");
            IReadOnlyList<string> lines = await c.Pop3Lines($"RETR {i + 1}");
            string got = string.Concat(lines.Select(static l => (l.StartsWith('.') ? l[1..] : l) + "\r\n"));
            Assert.Equal(messages[i].Length == 0 || messages[i].EndsWith("\r\n", StringComparison.Ordinal) ? messages[i] : messages[i] + "\r\n", got);
        }
    }

    [Fact]
    public async Task A_large_message_comes_in_pieces_as_the_client_takes_it()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Bodies.PieceSize = 64 * 1024;
        await mail.FillAsync("a: b\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('x', 1022) + "\r\n", 32 * 1024)));
        long read = 0;
        mail.Bodies.BeforePiece = before =>
        {
            Volatile.Write(ref read, before);
            return Task.CompletedTask;
        };
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Send("RETR 1");
        await c.Expect("+OK 33554440 octets", "a: b", "");
        // What the kernel's buffers take is read ahead of the client, and no more than that.
        long most = 0;
        for (int i = 0; i < 32 * 1024; i++)
        {
            Assert.Equal(1022, (await c.Line()).Length);
            most = Math.Max(most, Volatile.Read(ref read) - (i * 1024L));
        }
        Assert.InRange(most, 0, 20 * 1024 * 1024);
        await c.Expect(".");
        await c.Pop3("NOOP", "+OK ");
    }

    [Fact]
    public async Task A_message_that_breaks_off_ends_the_connection_and_never_looks_whole()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Bodies.PieceSize = 64 * 1024;
        await mail.FillAsync("a: b\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('x', 1022) + "\r\n", 1024)));
        mail.Bodies.BeforePiece = static before => before > 0 ? throw new InvalidDataException("broken") : Task.CompletedTask;
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Send("RETR 1");
        await c.Expect("+OK …");
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (await c.Line() != ".")
            {
            }
            Assert.Fail("it looks whole");
        });
        Assert.DoesNotContain("looks whole", c.Transcript);
    }

    [Fact]
    public async Task A_message_that_can_t_be_read_at_all_is_an_error_and_the_session_goes_on()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(Octets(100_000));
        mail.Bodies.BeforePiece = static _ => throw new StoreUnavailableException("away");
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("RETR 1", "-ERR [SYS/TEMP] …");
        mail.Bodies.BeforePiece = null;
        Assert.Equal(3, (await c.Pop3Lines("RETR 1")).Count);
    }

    [Fact]
    public async Task Bad_input()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { BadCommands = 100 });
        await mail.FillAsync(Octets(120));
        await using ImapClient c = await mail.LogInByPop3Async();
        foreach (string command in new[] { "", " ", "RETR", "RETR x", "RETR 1 2", "RETR -1", "RETR 99999999999999999999", "RETR １", "DELE", "STAT 1", "NOOP x", "XYZZY", "RETR\t1", "LIST 1\t" })
            await c.Pop3(command, "-ERR …");
        await c.SendBytes([.. "RETR \xFF\r\n"u8]);
        await c.Expect("-ERR …");
        await c.SendBytes([(byte)'R', 0, 13, 10, 0xFF, 0xFE, 13, 10]);
        await c.Expect("-ERR The line is not UTF-8 text", "-ERR The line is not UTF-8 text");
        await c.Pop3(new string('x', 70_000), "-ERR The line is too long");
        // Forgiven: spaces at the end, a bare LF.
        await c.SendRaw("LIST 1 \nSTAT\n");
        await c.Expect("+OK 1 120", "+OK 1 120");
        try
        {
            await c.SendRaw(new string('x', 3_000_000));
        }
        catch (IOException)
        {
            // The server need not wait for all of it.
        }
        await c.Expect("-ERR The line is too long");
        await c.Closed();
    }

    [Fact]
    public async Task Too_many_bad_commands_in_a_row_end_the_session_without_UPDATE()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { BadCommands = 3 });
        await mail.FillAsync(Octets(120));
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("DELE 1", "+OK …");
        await c.Pop3("X", "-ERR …");
        await c.Pop3("X", "-ERR …");
        await c.Pop3("NOOP", "+OK ");
        await c.Pop3("X", "-ERR …");
        await c.Pop3("X", "-ERR …");
        await c.Pop3("X", "-ERR Too many bad commands");
        await c.Closed();
        Assert.Equal(1, mail.Inbox.Now.Count);
    }
}
