using MailCluster.Pop3;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

/// <summary>RFC 6856.</summary>
public sealed class Utf8Tests
{
    private const string EightBit = "Subject: gr\u00c3\u00bc\u00c3\u009fe\r\n\r\ntext\r\n";

    [Fact]
    public async Task UTF8_comes_before_the_log_in_and_after_STLS()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("UTF8 x", "-ERR …");
        await c.Pop3("UTF8", "+OK UTF8 enabled");
        await c.Pop3("STLS", "-ERR STLS comes before UTF8");
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
        await c.Pop3("UTF8", "-ERR Not after a log-in");
    }

    [Fact]
    public async Task Names_and_passwords_are_UTF8()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS пароль", "-ERR [AUTH] …");
        Assert.Equal("пароль", mail.Owner.LastLogin!.Password);
        await c.SendBytes([.. "USER "u8, 0xE4, 13, 10]);
        await c.Expect("-ERR The line is not UTF-8 text");
    }

    [Fact]
    public async Task A_message_with_8_bit_headers_is_sent_as_it_is_where_nothing_else_is_asked_for()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync(EightBit);
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("RETR 1", "+OK …", "Subject: gr\u00c3\u00bc\u00c3\u009fe", "", "text", ".");
    }

    [Fact]
    public async Task By_the_letter_such_a_message_needs_UTF8()
    {
        await using FakeMail mail = await FakeMail.StartAsync(pop3: new Pop3Options { EightBitHeaders = false });
        await mail.FillAsync(EightBit, "Subject: x\r\n\r\ngr\u00c3\u00bc\u00c3\u009fe\r\n");
        await using ImapClient c = await mail.LogInByPop3Async();
        await c.Pop3("RETR 1", "-ERR [UTF8] …");
        await c.Pop3("TOP 1 0", "-ERR [UTF8] …");
        // 8BITMIME in the body is everybody's.
        await c.Pop3("RETR 2", "+OK …", "Subject: x", "", "gr\u00c3\u00bc\u00c3\u009fe", ".");
        await using ImapClient utf8 = await mail.ConnectPop3Async();
        await utf8.Send("UTF8", "USER alice", "PASS secret", "RETR 1");
        await utf8.Expect("+OK …", "+OK …", "+OK …", "+OK …", "Subject: gr\u00c3\u00bc\u00c3\u009fe", "", "text", ".");
    }

    /// <summary>RFC 6856 section 3.3, with the one language that there is.</summary>
    [Fact]
    public async Task LANG()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectPop3Async();
        await c.Pop3("LANG", "+OK Language listing follows:", "en English", ".");
        await c.Pop3("LANG MUL", "-ERR This language is not known");
        await c.Pop3("LANG EN", "+OK en Language changed");
        await c.Pop3("LANG *", "+OK en Language changed");
        await c.Pop3("USER alice", "+OK …");
        await c.Pop3("PASS secret", "+OK …");
        await c.Pop3("LANG *", "+OK en Language changed");
    }
}
