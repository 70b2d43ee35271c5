using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>LMTP against a real node, and what IMAP then shows.</summary>
public sealed class LmtpTests(MailServer server)
{
    [Fact]
    public async Task A_delivery_that_is_repeated_is_stored_once()
    {
        string user = await server.AccountAsync();
        for (int i = 0; i < 2; i++)
        {
            await using ImapClient lmtp = await BeginAsync(user);
            await lmtp.SendRaw("Message-ID: <once@test>\r\n\r\nthe same\r\n.\r\n");
            await lmtp.Expect($"250 2.1.5 <{user}> delivered …");
        }
        await server.Process.WaitForLineAsync($"delivery delivered queue=");
        await server.Process.WaitForLineAsync($"delivery duplicate queue=");
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        Assert.Contains("* STATUS \"INBOX\" (MESSAGES 1 UIDNEXT 2)", await imap.Run("1 STATUS INBOX (MESSAGES UIDNEXT)"));
    }

    [Fact]
    public async Task Every_byte_comes_back_but_for_line_ends()
    {
        string user = await server.AccountAsync();
        await using ImapClient lmtp = await BeginAsync(user);
        await lmtp.SendRaw("Subject: b\xFFtes\r\n\r\na\nb\rc\r\n..d\r\n\0\x80\r\n.\r\nQUIT\r\n");
        await lmtp.Expect($"250 2.1.5 <{user}> delivered …", "221 2.0.0 …");
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        await imap.Send("2 FETCH 1 (RFC822.SIZE BODY.PEEK[TEXT])");
        Assert.EndsWith("BODY[TEXT] {16}\r\na\r\nb\rc\r\n.d\r\n\x80\x80\r\n)", await imap.Line());
    }

    [Fact]
    public async Task Chunks_are_delivered()
    {
        string user = await server.AccountAsync();
        await using ImapClient lmtp = await BeginAsync(user, data: false);
        await lmtp.SendRaw("BDAT 14\r\nSubject: x\r\n\r\nBDAT 3 LAST\r\nabc");
        await lmtp.Expect("250 2.0.0 14 …", $"250 2.1.5 <{user}> delivered …");
    }

    [Fact]
    public async Task Recipients_get_their_own_answers_and_share_a_body()
    {
        string one = await server.AccountAsync(), two = await server.AccountAsync(), full = await server.AccountAsync(maxBytes: 10);
        await using ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(server.Lmtp);
        await lmtp.Send("LHLO t", "MAIL FROM:<s@x.test>", $"RCPT TO:<{one}>", $"RCPT TO:<{full}>", "RCPT TO:<nobody@test.example>", $"RCPT TO:<{two}>", "DATA");
        await lmtp.Expect("220 …", "250-…", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250-STARTTLS", "250 SIZE …");
        await lmtp.Expect("250 2.1.0 …", "250 2.1.5 …", "250 2.1.5 …", "550 5.1.1 …", "250 2.1.5 …", "354 …");
        await lmtp.SendRaw("Subject: shared\r\n\r\nbody\r\n.\r\n");
        await lmtp.Expect($"250 2.1.5 <{one}> …", $"552 5.2.2 <{full}> …", $"250 2.1.5 <{two}> …");
    }

    [Fact]
    public async Task A_message_of_fifty_megabytes_arrives_and_a_larger_one_does_not()
    {
        string user = await server.AccountAsync();
        string block = string.Concat(Enumerable.Repeat(new string('x', 62) + "\r\n", 1 << 14));
        await using ImapClient lmtp = await BeginAsync(user);
        await lmtp.SendRaw("\r\n");
        for (int i = 0; i < 49; i++)
            await lmtp.SendRaw(block);
        await lmtp.SendRaw(".\r\n");
        await lmtp.Expect($"250 2.1.5 <{user}> delivered …");
        await using ImapClient other = await BeginAsync(user);
        await other.SendRaw("\r\n");
        for (int i = 0; i < 51; i++)
            await other.SendRaw(block);
        await other.SendRaw(".\r\n");
        await other.Expect("552 5.3.4 …");
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        Assert.Contains("* STATUS \"INBOX\" (MESSAGES 1)", await imap.Run("1 STATUS INBOX (MESSAGES)"));
    }

    private async Task<ImapClient> BeginAsync(string recipient, bool data = true)
    {
        ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(server.Lmtp);
        await lmtp.Send("LHLO t", "MAIL FROM:<s@x.test>", $"RCPT TO:<{recipient}>");
        await lmtp.Expect("220 …", "250-…", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250-STARTTLS", "250 SIZE …", "250 2.1.0 …", "250 2.1.5 …");
        if (data)
        {
            await lmtp.Send("DATA");
            await lmtp.Expect("354 …");
        }
        return lmtp;
    }
}
