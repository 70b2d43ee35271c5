using System.Net;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>What was before IMAP4rev1: IMAP2 (RFC 1064, RFC 1176), IMAP2bis, IMAP4 (RFC 1730).</summary>
[Covers("IMAP4")]
public sealed class DialectTests
{
    private const string Message = "From: a@b.test\r\nSubject: one\r\nTo: c@d.test\r\n\r\nHello world\r\n";

    private const string Nested = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--x--\r\n";

    private static readonly ImapOptions Old = new() { Dialects = true, AllowPlaintextLogin = true };

    /// <summary>A session of an IMAP2 client, in the order of RFC 1176's example.</summary>
    [Fact]
    public async Task An_IMAP2_client_reads_its_mail()
    {
        await using FakeMail mail = await FakeMail.StartAsync(Old);
        await using (ImapClient other = await mail.LogInAsync())
        {
            await other.Append("s", "INBOX", Message);
            await other.Append("s", "INBOX", Message);
        }
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a001 LOGIN alice secret", "A002 SELECT INBOX");
        await c.Ok("a001");
        IReadOnlyList<string> selected = await c.Ok("A002", "[READ-WRITE] …");
        Assert.Contains("* 2 EXISTS", selected);
        Assert.Contains("* 2 RECENT", selected);
        Assert.Contains(selected, static l => l.StartsWith("* FLAGS (", StringComparison.Ordinal));
        await c.Send("A003 FETCH 1:2 ALL", "A004 FETCH 1 RFC822.HEADER", "A005 STORE 1 +Flags \\Deleted", "A006 SEARCH DELETED", "A007 EXPUNGE", "A008 CHECK", "A009 LOGOUT");
        await c.Expect(
            "* 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"…\" RFC822.SIZE 59 ENVELOPE (…))", "* 2 FETCH …", "A003 OK …", "* 1 FETCH (RFC822.HEADER {46}\r\nFrom: a@b.test\r\nSubject: one\r\nTo: c@d.test\r\n\r\n)", "A004 OK …",
            "* 1 FETCH (FLAGS (\\Deleted \\Recent))", "A005 OK …", "* SEARCH 1", "A006 OK …", "* 1 EXPUNGE", "A007 OK …", "A008 OK …", "* BYE …", "A009 OK …");
    }

    [Fact]
    public async Task FIND_and_BBOARD()
    {
        await using FakeMail mail = await FakeMail.StartAsync(Old);
        await using ImapClient c = await mail.LogInAsync();
        foreach (string name in new[] { "general", "gamma", "work/one", "\"two words\"" })
            await c.Run($"s CREATE {name}");
        await c.Send("a FIND MAILBOXES *", "b SUBSCRIBE MAILBOX general", "c subscribe mailbox work/one", "d FIND MAILBOXES *", "e FIND MAILBOXES g*", "f FIND ALL.MAILBOXES *", "g FIND ALL.MAILBOXES w%",
            "h UNSUBSCRIBE MAILBOX general", "i FIND MAILBOXES *");
        await c.Expect("* MAILBOX \"INBOX\"", "a OK FIND completed", "b OK …", "c OK …", "* MAILBOX \"INBOX\"", "* MAILBOX \"general\"", "* MAILBOX \"work/one\"", "d OK …", "* MAILBOX \"general\"", "e OK …");
        await c.Expect("* MAILBOX \"INBOX\"", "* MAILBOX \"gamma\"", "* MAILBOX \"general\"", "* MAILBOX \"two words\"", "* MAILBOX \"work\"", "* MAILBOX \"work/one\"", "f OK …", "* MAILBOX \"work\"", "g OK …");
        await c.Expect("h OK …", "* MAILBOX \"INBOX\"", "* MAILBOX \"work/one\"", "i OK …");
        // IMAP4's form of the same commands, and names that look like the word.
        await c.Send("j SUBSCRIBE gamma", "k SUBSCRIBE MAILBOX", "l LSUB \"\" *", "m FIND BBOARDS *", "n FIND ALL.BBOARDS *", "o BBOARD news", "p SUBSCRIBE BBOARD news", "q FIND MESSAGES *", "r FIND MAILBOXES", "s SUBSCRIBE a b");
        await c.Expect("j OK …", "k OK …", "* LSUB () \"/\" \"MAILBOX\"", "* LSUB () \"/\" \"gamma\"", "* LSUB () \"/\" \"work/one\"", "l OK …", "m OK …", "n OK …", "o NO …", "p NO …", "q BAD …", "r BAD …", "s BAD …");
    }

    [Fact]
    public async Task PARTIAL_and_the_items_of_IMAP4()
    {
        await using FakeMail mail = await FakeMail.StartAsync(Old);
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", Message);
        await c.Append("s", "INBOX", Nested);
        await c.Run("s SELECT INBOX");
        await c.Send("a FETCH 1 RFC822.TEXT.PEEK", "b FETCH 1 (RFC822.HEADER.LINES (SUBJECT TO))", "c FETCH 1 RFC822.HEADER.LINES.NOT (FROM TO)", "d FETCH 1 FLAGS", "e FETCH 2 (BODY.PEEK[0] BODY.PEEK[1] BODY.PEEK[2.0])");
        await c.Expect(
            "* 1 FETCH (RFC822.TEXT {13}\r\nHello world\r\n)", "a OK …", "* 1 FETCH (RFC822.HEADER {30}\r\nSubject: one\r\nTo: c@d.test\r\n\r\n)", "b OK …", "* 1 FETCH (RFC822.HEADER {16}\r\nSubject: one\r\n\r\n)", "c OK …",
            "* 1 FETCH (FLAGS (\\Recent))", "d OK …",
            "* 2 FETCH (BODY[0] {45}\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n BODY[1] {5}\r\nfirst BODY[2.0] {18}\r\nSubject: inner\r\n\r\n)", "e OK …");
        await c.Send("f PARTIAL 1 RFC822.TEXT.PEEK 1 5", "g PARTIAL 1 BODY.PEEK[1] 7 100", "h PARTIAL 1 RFC822.HEADER 1 4", "i PARTIAL 1 RFC822.PEEK 60 10", "j PARTIAL 1 RFC822.PEEK 1 0", "k UID PARTIAL 1 RFC822 1 4");
        await c.Expect(
            "* 1 FETCH (RFC822.TEXT {5}\r\nHello)", "f OK …", "* 1 FETCH (BODY[1] {7}\r\nworld\r\n)", "g OK …", "* 1 FETCH (RFC822.HEADER {4}\r\nFrom)", "h OK …", "* 1 FETCH (RFC822 …)", "i OK …", "* 1 FETCH (RFC822 …)", "j OK …",
            "* 1 FETCH (UID 1 RFC822 {4}\r\nFrom FLAGS (\\Seen…))", "k OK …");
        foreach (string command in new[] { "PARTIAL 1 FLAGS 1 5", "PARTIAL 1:2 RFC822 1 5", "PARTIAL 1 RFC822 0 5", "PARTIAL 1 BODY[1]<0.5> 1 5", "PARTIAL 1 RFC822 1", "PARTIAL 3 RFC822 1 5", "FETCH 1 BODY[0.1]", "FETCH 1 RFC822.NONSENSE" })
        {
            await c.Send("l " + command);
            await c.Bad("l");
        }
    }

    [Fact]
    public async Task It_is_off_by_default()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", Message);
        await c.Run("s SELECT INBOX");
        Assert.DoesNotContain(" IMAP4 ", Assert.Single(await c.Run("a CAPABILITY")) + " ");
        foreach (string command in new[] { "FIND MAILBOXES *", "BBOARD news", "SUBSCRIBE MAILBOX general", "PARTIAL 1 RFC822 1 5", "FETCH 1 RFC822.PEEK", "FETCH 1 BODY[0]" })
        {
            await c.Send("b " + command);
            await c.Bad("b");
        }
    }

    /// <summary>Whatever the options say, no password travels in clear from another machine.</summary>
    [Fact]
    public async Task A_log_in_needs_TLS_or_this_machine()
    {
        await using FakeMail mail = await FakeMail.StartAsync(
            Old, tls: true, static l => l with { ProxyProtocol = true, TrustedNetworks = [IPNetwork.Parse("127.0.0.0/8")] });
        await using ImapClient c = await mail.ConnectSilentlyAsync();
        await c.SendRaw("PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\n");
        await c.Expect("* OK [CAPABILITY IMAP4rev1 …LOGINDISABLED] …");
        await c.Send("a LOGIN alice secret");
        await c.No("a", "[PRIVACYREQUIRED] …");
        await c.Run("b STARTTLS");
        await c.StartTls();
        await c.Send("c CAPABILITY", "d LOGIN alice secret");
        await c.Expect("* CAPABILITY …IMAP4 …", "c OK …");
        await c.Ok("d");
    }
}
