using System.Net.Sockets;
using System.Text;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>Raw sockets against a real process: what an attacker sends, the exact answer, and that nobody else notices.</summary>
public sealed class HostileInputTests(MailServer server)
{
    [Fact]
    public async Task Announcements_of_a_gigabyte()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send("a LIST \"\" {1000000000}");
        await c.Expect("a BAD The command is too long");
        await c.Send("b APPEND INBOX {1000000000}");
        await c.Expect("b NO [TOOBIG] A message has at most 52428800 octets");
        await c.Send("c APPEND Nowhere {10}");
        await c.Expect("c NO [TRYCREATE] …");
        await c.Send("d APPEND INBOX {99999999999999999999999999}");
        await c.Expect("d NO [TOOBIG] …");
        await c.Send("e NOOP");
        await c.Expect("e OK NOOP completed");
        await c.Send("f APPEND INBOX {1000000000+}");
        await c.Expect("* BYE The command is too long");
        await c.Closed();
        await HealthyAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_of_ten_megabytes(bool loggedIn)
    {
        string user = await server.AccountAsync();
        await using ImapClient c = loggedIn ? await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password) : await ImapClient.ConnectAsync(server.Imap);
        try
        {
            await c.SendRaw("a CREATE " + new string('x', 10_000_000) + "\r\n");
        }
        catch (IOException)
        {
            // The other side had heard enough.
        }
        await c.Expect("* BYE The command is too long");
        await c.Closed();
        await HealthyAsync();
    }

    [Fact]
    public async Task Octets_where_they_do_not_belong()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send("a CREATE \"a\0b\"", "b CREATE a\u00e9b", "\u00e9 NOOP", "\0\0\0", "", "c", "* NOOP", "d+e NOOP", "f NO\0OP", "g SELECT {3+}\r\na\0b");
        await c.Expect(
            "a BAD CREATE: A quoted string holds CR, LF or NUL", "b BAD CREATE: …", "* BAD Expected a tag and a command", "* BAD …", "* BAD …", "c BAD Expected a command",
            "* BAD …", "* BAD …", "f BAD NO: Unknown command", "g BAD …");
        await c.SendRaw("h APPEND INBOX {5+}\r\na\0b\r\n\r\n");
        await c.Expect("h BAD APPEND: …");
        await c.SendRaw("i APPEND INBOX (\\Seen \0) {1+}\r\nx\r\n");
        await c.Expect("i BAD APPEND: …");
        await c.Run("j NOOP");
        Assert.Contains("* STATUS \"INBOX\" (MESSAGES 0)", await c.Run("k STATUS INBOX (MESSAGES)"));
    }

    [Fact]
    public async Task Nesting_in_SEARCH()
    {
        ImapClient c = (await server.SelectedAsync(1, 2))[1];
        await c.Send(
            $"a SEARCH {new string('(', 5000)}ALL{new string(')', 5000)}", "b SEARCH " + string.Concat(Enumerable.Repeat("NOT ", 5000)) + "ALL",
            "c SEARCH " + string.Concat(Enumerable.Repeat("OR ", 5000)) + "ALL", "d SEARCH " + new string('(', 5000), "e SEARCH NONSENSE", "f SEARCH ((ALL)", "g SEARCH ()");
        foreach (char tag in "abc")
            await c.Expect($"{tag} BAD SEARCH: SEARCH keys are nested too deeply");
        await c.Expect("d BAD SEARCH: …", "e BAD SEARCH: Unknown SEARCH key…", "f BAD SEARCH: …", "g BAD SEARCH: …");
        Assert.Equal(["* SEARCH 1 2"], await c.Run($"h SEARCH {new string('(', 50)}ALL{new string(')', 50)}"));
    }

    [Fact]
    public async Task Nesting_in_MIME()
    {
        ImapClient c = (await server.SelectedAsync(1))[1];
        var message = new StringBuilder("Subject: deep\r\n");
        for (int i = 0; i < 500; i++)
            message.Append($"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n");
        message.Append("\r\nat the bottom\r\n");
        string attached = string.Concat(Enumerable.Repeat("Content-Type: message/rfc822\r\n\r\n", 500)) + "Subject: at the bottom\r\n\r\ntext\r\n";
        await c.Append("a", "INBOX", message.ToString());
        await c.Append("b", "INBOX", attached);
        foreach (string item in new[] { "BODYSTRUCTURE", "BODY", "ENVELOPE", "BODY.PEEK[" + string.Concat(Enumerable.Repeat("1.", 99)) + "1]" })
        {
            IReadOnlyList<string> lines = await c.Run($"c FETCH 1:2 ({item})");
            Assert.Equal(2, lines.Count(static l => l.Contains(" FETCH (", StringComparison.Ordinal)));
            Assert.All(lines, static l => Assert.Equal(Depth(l, '('), Depth(l, ')')));
        }
        await c.Send("d FETCH 1 (BODY.PEEK[" + string.Concat(Enumerable.Repeat("1.", 20_000)) + "1])");
        await c.Expect("d BAD FETCH: …");
        await c.Send("e FETCH 1 BODY.PEEK[]");
        Assert.Contains(message.ToString(), await c.Line());
        await c.Ok("e");
        Assert.Contains("* SEARCH 1", await c.Run("f SEARCH SUBJECT deep TEXT deep"));
    }

    [Theory]
    [InlineData("b LOGOUT")]
    [InlineData("b LOGIN mallory secret")]
    [InlineData("")]
    public async Task Nothing_may_follow_STARTTLS(string injected)
    {
        await server.AccountAsync();
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.SendRaw($"a STARTTLS\r\n{injected}\r\n");
        await c.Expect("* BYE Nothing may follow STARTTLS before its answer");
        await c.Closed();
        await HealthyAsync();
    }

    [Fact]
    public async Task Log_ins_that_make_no_sense()
    {
        await server.AccountAsync();
        await using (ImapClient c = await ImapClient.ConnectAsync(server.Imap))
        {
            await c.Send("a AUTHENTICATE PLAIN");
            await c.Expect("+ ");
            await c.Send("!!!!");
            await c.Expect("a BAD AUTHENTICATE: The response is not base64");
            await c.Send("b AUTHENTICATE PLAIN ====");
            await c.Expect("b BAD AUTHENTICATE: The response is not base64");
            await c.Send("c AUTHENTICATE PLAIN bm9udWxz");
            await c.Expect("c BAD AUTHENTICATE: The response is not one of PLAIN", "* BYE Too many bad commands");
            await c.Closed();
        }
        await using (ImapClient c = await ImapClient.ConnectAsync(server.Imap))
        {
            await c.Send("a AUTHENTICATE PLAIN");
            await c.Expect("+ ");
            await c.Send("*");
            await c.Expect("a BAD AUTHENTICATE: Cancelled");
            await c.Send("b AUTHENTICATE NONSENSE");
            await c.Expect("b NO [CANNOT] …");
            await c.Send("c LOGIN a");
            await c.Expect("c BAD LOGIN: …");
            await c.Send("d AUTHENTICATE PLAIN");
            await c.Expect("+ ");
            await c.SendRaw(new string('A', 100_000) + "\r\n");
            await c.Expect("…");
        }
        await HealthyAsync();
    }

    [Fact]
    public async Task Clients_that_do_not_read_cost_what_their_buffers_hold()
    {
        const int clients = 20, megabytes = 4;
        string user = await server.AccountAsync();
        await using ImapClient reader = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        string line = new string('x', 62) + "\r\n";
        await reader.Append("a", "INBOX", "\r\n" + string.Concat(Enumerable.Repeat(line, megabytes * 1024 * 1024 / line.Length)));
        await reader.Run("b SELECT INBOX");
        await reader.Run("c FETCH 1 BODY.PEEK[]");
        long before = Memory();
        var silent = new List<Socket>();
        try
        {
            for (int i = 0; i < clients; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024 };
                silent.Add(socket);
                await socket.ConnectAsync(server.Imap);
                var commands = new StringBuilder($"a LOGIN {user} \"{MailServer.Password}\"\r\nb SELECT INBOX\r\n");
                for (int command = 0; command < 50; command++)
                    commands.Append($"c{command} FETCH 1 BODY.PEEK[]\r\n");
                await socket.SendAsync(Encoding.ASCII.GetBytes(commands.ToString()));
            }
            // By then they wait for their clients: another is served as ever.
            for (int i = 0; i < 5; i++)
                Assert.True((await reader.Run("d FETCH 1 BODY.PEEK[]"))[0].Length > megabytes * 1024 * 1024);
            // All that they want is 4 GB; the process serves other tests as well.
            Assert.InRange(Memory() - before, long.MinValue, 800L * 1024 * 1024);
        }
        finally
        {
            foreach (Socket socket in silent)
                socket.Dispose();
        }
        await HealthyAsync();
    }

    private static int Depth(string line, char c) => System.Text.RegularExpressions.Regex.Replace(line, "\"[^\"]*\"", "").Count(x => x == c);

    private long Memory()
    {
        string status = File.ReadLines($"/proc/{server.Process.Id}/status").First(static l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(status.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    /// <summary>The process still serves others.</summary>
    private async Task HealthyAsync()
    {
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await c.Run("a SELECT INBOX");
        Assert.Contains("* 1 EXISTS", await c.Append("b", "INBOX", "Subject: x\r\n\r\nx\r\n"));
        await c.Run("d LOGOUT");
    }
}
