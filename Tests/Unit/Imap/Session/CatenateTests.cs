using MailCluster.Imap;
using MailCluster.Imap.Wire;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>CATENATE (RFC 4469) and URL-PARTIAL (RFC 5550 §3.2).</summary>
[Covers("CATENATE", "URL-PARTIAL")]
public sealed class CatenateTests
{
    private const string Parts =
        "Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + "--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--b--\r\n";

    [Theory]
    [InlineData("/INBOX;UIDVALIDITY=785799047/;UID=113330/;SECTION=1.5.9", "INBOX", 785799047u, 113330u, false)]
    [InlineData("/INBOX;UIDVALIDITY=785799047/;UID=113330;section=1.5.9", "INBOX", 785799047u, 113330u, false)]
    [InlineData("/a%20b/%C3%A4/;uid=20", "a b/\u00e4", null, 20u, false)]
    [InlineData(";UID=20/;SECTION=HEADER/;PARTIAL=10.20", null, null, 20u, true)]
    [InlineData(";UID=20/;PARTIAL=10", null, null, 20u, true)]
    public void Urls(string text, string? mailbox, uint? uidValidity, uint uid, bool partial)
    {
        MessageUrl url = MessageUrl.Parse(text)!;
        Assert.Equal((mailbox, uidValidity, uid, partial), (url.Mailbox, url.UidValidity, url.Uid, url.Partial is not null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/INBOX")]
    [InlineData("/INBOX;UID=0")]
    [InlineData("/INBOX;UID=x")]
    [InlineData("/INBOX;UID=4294967296")]
    [InlineData("INBOX;UID=1")]
    [InlineData("/;UID=1")]
    [InlineData("//host/INBOX;UID=1")]
    [InlineData("imap://host/INBOX;UID=1")]
    [InlineData("/IN%4;UID=1")]
    [InlineData("/INBOX;UID=1/;SECTION=NONSENSE")]
    [InlineData("/INBOX;UID=1/;PARTIAL=1.0")]
    [InlineData("/INBOX;UID=1/;PARTIAL=1.2.3")]
    [InlineData("/INBOX;UID=1;EXPIRE=2020-01-01T00:00:00Z;URLAUTH=anonymous")]
    public void No_urls(string text) => Assert.Null(MessageUrl.Parse(text));

    /// <summary>The first example of RFC 4469 §4: an attachment is added, the rest is taken from what is there.</summary>
    [Fact]
    public async Task A_draft_from_parts_of_another()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.SendRaw(
            "A003 APPEND INBOX (\\Seen \\Draft $MDNSent) CATENATE (URL \"/INBOX;UIDVALIDITY=1000/;UID=1/;section=HEADER\" TEXT {7+}\r\n\r\n--b\r\n"
            + " URL \"/INBOX;UIDVALIDITY=1000/;UID=1/;section=1.MIME\" URL \"/INBOX;UIDVALIDITY=1000/;UID=1/;section=1\" TEXT {11+}\r\n\r\n--b--\r\nxy)\r\n");
        await c.Ok("A003", "[APPENDUID 1000 2] APPEND completed");
        string expected = Parts[..(Parts.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)] + "\r\n--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\nxy";
        await c.Send("b FETCH 2 (FLAGS BODY.PEEK[])");
        await c.Expect($"* 2 FETCH (FLAGS (\\Seen \\Draft … $MDNSent) BODY[] {{{expected.Length}}}\r\n{expected})", "b OK …");
    }

    [Fact]
    public async Task Urls_alone_partials_and_the_selected_mailbox()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Run("a CREATE Other");
        await c.Send(
            "b APPEND Other CATENATE (URL \";UID=1\")", "c APPEND {5+}\r\nOther CATENATE (URL \"/INBOX;UID=1/;PARTIAL=9.5\" URL \";UID=1/;SECTION=1/;PARTIAL=1\")",
            "d APPEND Other CATENATE (URL \";UID=1/;SECTION=1\") (\\Seen) {3+}\r\nxyz CATENATE (TEXT {2+}\r\nab)");
        await c.Expect("b OK [APPENDUID 1000 1] …", "c OK [APPENDUID 1000 2] …", "d OK [APPENDUID 1000 3:5] …");
        await c.Send("e SELECT Other", "f FETCH 1:5 BODY.PEEK[]");
        await c.Ok("e");
        foreach (string message in (string[])[Parts, "partsne", "one", "xyz", "ab"])
            await c.Expect($"* … FETCH (BODY[] {{{message.Length}}}\r\n{message})");
        await c.Expect("f OK …");
    }

    [Fact]
    public async Task Errors()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { AppendLimit = 1000 });
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send(
            "a APPEND INBOX CATENATE (URL \"/INBOX;UIDVALIDITY=1/;UID=1\")", "b APPEND INBOX CATENATE (URL \"/INBOX;UID=9;section=1.5.9\" TEXT {2+}\r\nab)", "c APPEND INBOX CATENATE (URL \"/None;UID=1\")",
            "d APPEND INBOX CATENATE (URL \";UID=1/;SECTION=7\")", "e APPEND INBOX CATENATE ()", "f APPEND INBOX CATENATE (FOO)", "g APPEND INBOX CATENATE (TEXT \"x\")", "h APPEND INBOX CATENATE (URL \";UID=1\"",
            "i APPEND None CATENATE (URL \";UID=1\")", "j APPEND INBOX CATENATE (TEXT {1001+}\r\n" + new string('x', 1001) + ")", "k APPEND INBOX CATENATE (TEXT {600+}\r\n" + new string('x', 600) + " TEXT {600+}\r\n" + new string('x', 600) + ")",
            "l APPEND INBOX CATENATE (TEXT {2+}\r\na\0)", "m NOOP");
        await c.Expect(
            "a NO [BADURL \"/INBOX;UIDVALIDITY=1/;UID=1\"] …", "b NO [BADURL \"/INBOX;UID=9;section=1.5.9\"] …", "c NO [BADURL \"/None;UID=1\"] …", "d NO [BADURL …", "e BAD …", "f BAD …", "g BAD …", "h BAD …",
            "i NO [TRYCREATE] …", "j NO [TOOBIG] …", "k NO [TOOBIG] …", "l BAD …", "m OK …");
        Assert.Equal(1, mail.Inbox.Now.Count);
    }

    /// <summary>What another session has expunged is no part of anything.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await SelectedAsync(mail);
        await using ImapClient two = await mail.LogInAsync();
        await two.Send("a APPEND INBOX CATENATE (URL \"/INBOX;UID=1\")", "b APPEND INBOX CATENATE (URL \";UID=1\")");
        await two.Expect("a OK …", "b NO [BADURL …");
        await one.Run("c STORE 1 +FLAGS.SILENT (\\Deleted)");
        await one.Run("d EXPUNGE");
        await two.Send("e APPEND INBOX CATENATE (URL \"/INBOX;UID=1\")", "f APPEND INBOX CATENATE (URL \"/INBOX;UID=2/;SECTION=HEADER\")");
        await two.Expect("e NO [BADURL …", "f OK …");
    }

    private static async Task<ImapClient> SelectedAsync(FakeMail mail)
    {
        ImapClient client = await mail.LogInAsync();
        await client.Append("s", "INBOX", Parts);
        await client.Run("s SELECT INBOX");
        await client.Run("s FETCH 1 UID");
        return client;
    }
}
