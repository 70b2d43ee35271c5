using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>UTF8=ACCEPT (RFC 9755).</summary>
[Covers("UTF8=ACCEPT")]
public sealed class Utf8AcceptTests
{
    // Lines are octets here: this is "ä".
    private const string Umlaut = "\u00c3\u00a4";

    [Fact]
    public async Task Names_and_strings_are_UTF8_once_it_is_enabled()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", $"Subject: {Umlaut}\r\n\r\nx");
        await c.Run("a CREATE &AOQ-");
        await c.Send("b LIST \"\" %", "c ENABLE UTF8=ACCEPT", "d LIST \"\" %", $"e STATUS \"{Umlaut}\" (MESSAGES)", "f ENABLE UTF8=ACCEPT");
        await c.Expect(
            "* LIST (…) \"/\" \"INBOX\"", "* LIST (…) \"/\" \"&AOQ-\"", "b OK …", "* ENABLED UTF8=ACCEPT", "c OK …", "* LIST (…) \"/\" \"INBOX\"", $"* LIST (…) \"/\" \"{Umlaut}\"", "d OK …",
            $"* STATUS \"{Umlaut}\" (MESSAGES 0)", "e OK …", "* ENABLED", "f OK …");
        await c.Run("g SELECT INBOX");
        await c.Send("h FETCH 1 ENVELOPE", $"i SEARCH SUBJECT \"{Umlaut}\"", "j SORT (SUBJECT) UTF-8 ALL");
        await c.Expect($"* 1 FETCH (ENVELOPE (NIL \"{Umlaut}\" …", "h OK …", "* SEARCH 1", "i OK …", "* SORT 1", "j OK …");
        // RFC 9755 §3: a charset contradicts what was agreed.
        await c.Send("k SEARCH CHARSET UTF-8 ALL", "l UID SEARCH CHARSET US-ASCII ALL", "m SEARCH SUBJECT \"\u00ff\"");
        await c.Expect("k BAD …", "l BAD …", "m BAD …");
    }

    [Fact]
    public async Task Without_it_nothing_is_UTF8()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { AppendEightBitHeaders = false });
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a SELECT INBOX");
        string message = $"Subject: {Umlaut}\r\n\r\n";
        await c.Send($"b SEARCH SUBJECT \"{Umlaut}\"", $"c APPEND INBOX {{{message.Length}+}}\r\n{message}", "d SEARCH CHARSET UTF-8 ALL");
        await c.Expect("b BAD …", "c NO [CANNOT] …", "* SEARCH", "d OK …");
        await c.Run("e ENABLE UTF8=ACCEPT");
        await c.Append("f", "INBOX", message);
    }

    /// <summary>One session's choice is its own.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await mail.LogInAsync();
        await using ImapClient two = await mail.LogInAsync();
        await one.Run("a ENABLE UTF8=ACCEPT");
        await one.Run($"b CREATE \"{Umlaut}\"");
        await two.Send("a LIST \"\" %");
        await two.Expect("* LIST (…) \"/\" \"INBOX\"", "* LIST (…) \"/\" \"&AOQ-\"", "a OK …");
    }
}
