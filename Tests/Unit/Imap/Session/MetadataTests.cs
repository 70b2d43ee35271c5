using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>RFC 5464 and RFC 9590 as they are spoken: their examples.</summary>
[Covers("METADATA", "LIST-METADATA")]
public sealed class MetadataTests
{
    [Fact]
    public async Task Set_and_get()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.SendRaw("a SETMETADATA INBOX (/private/comment {33+}\r\nMy new comment across\r\ntwo lines. )\r\n");
        await c.Ok("a");
        await c.Send("b GETMETADATA INBOX /private/comment", "c SETMETADATA INBOX (/private/comment NIL)", "d GETMETADATA INBOX /private/comment");
        await c.Expect("* METADATA \"INBOX\" (/private/comment {33}\r\nMy new comment across\r\ntwo lines.)", "b OK …", "c OK …", "* METADATA \"INBOX\" (/private/comment NIL)", "d OK …");
        await c.Send(
            "e SETMETADATA INBOX (/private/comment \"My own comment\" /SHARED/Comment \"Its sunny outside!\")",
            "f GETMETADATA \"INBOX\" (/shared/comment /private/comment)", "g GETMETADATA \"INBOX\" /private/comment /shared/comment",
            "h SETMETADATA \"\" (/private/vendor/acme/x \"y\")", "i GETMETADATA \"\" /private/vendor/acme/x");
        await c.Expect(
            "e OK …", "* METADATA \"INBOX\" (/private/comment \"My own comment\" /shared/comment \"Its sunny outside!\")", "f OK …",
            "* METADATA \"INBOX\" (/private/comment \"My own comment\" /shared/comment \"Its sunny outside!\")", "g OK …",
            "h OK …", "* METADATA \"\" (/private/vendor/acme/x \"y\")", "i OK …");
        await c.SendRaw("j SETMETADATA INBOX (/private/vendor/acme/octets ~{3+}\r\na\0b)\r\n");
        await c.Ok("j");
        await c.Send("k GETMETADATA INBOX /private/vendor/acme/octets");
        await c.Expect("* METADATA \"INBOX\" (/private/vendor/acme/octets ~{3}\r\na\0b)", "k OK …");
    }

    [Fact]
    public async Task MAXSIZE_and_DEPTH()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run($"a SETMETADATA INBOX (/shared/comment \"{new string('x', 2199)}\" /private/comment \"My own comment\")");
        await c.Send("b GETMETADATA \"INBOX\" (MAXSIZE 1024) (/shared/comment /private/comment)", "c GETMETADATA (MAXSIZE 14) INBOX /private/comment", "d GETMETADATA (MAXSIZE 13) INBOX /private/comment");
        await c.Expect(
            "* METADATA \"INBOX\" (/private/comment \"My own comment\")", "b OK [METADATA LONGENTRIES 2199] …",
            "* METADATA \"INBOX\" (/private/comment \"My own comment\")", "c OK GETMETADATA completed", "d OK [METADATA LONGENTRIES 14] …");
        await c.Run("e SETMETADATA INBOX (/private/filters/values/small \"SMALLER 5000\" /private/filters/values/boss \"FROM \\\"boss@example.com\\\"\" /private/filters/values/boss/a \"x\")");
        await c.Send("f GETMETADATA \"INBOX\" (DEPTH 1) (/private/filters/values)", "g GETMETADATA INBOX (DEPTH 1 MAXSIZE 100) /private", "h GETMETADATA INBOX (DEPTH infinity) /private", "i GETMETADATA INBOX (DEPTH 0) /private/filters/values");
        await c.Expect(
            "* METADATA \"INBOX\" (/private/filters/values/boss \"FROM \\\"boss@example.com\\\"\" /private/filters/values/small \"SMALLER 5000\")", "f OK …",
            "* METADATA \"INBOX\" (/private/comment \"My own comment\")", "g OK …",
            "* METADATA \"INBOX\" (/private/comment … /private/filters/values/boss … /private/filters/values/boss/a … /private/filters/values/small …)", "h OK …",
            "* METADATA \"INBOX\" (/private/filters/values NIL)", "i OK …");
    }

    [Fact]
    public async Task Limits_and_what_is_no_entry()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send($"a SETMETADATA INBOX (/private/comment \"{new string('x', 16385)}\")", "b SETMETADATA nowhere (/private/comment \"x\")", "c GETMETADATA nowhere /private/comment");
        await c.Expect("a NO [METADATA MAXSIZE 16384] …", "b NO [NONEXISTENT] …", "c NO [NONEXISTENT] …");
        for (int i = 1; i <= 10; i++)
            await c.Run($"d SETMETADATA INBOX (/private/vendor/acme/{i} \"x\")");
        await c.Send("a SETMETADATA INBOX (/private/comment \"My new comment\")");
        await c.No("a", "[METADATA TOOMANY] …");
        string[] bad =
        [
            "GETMETADATA INBOX", "GETMETADATA INBOX /comment", "GETMETADATA INBOX /private/a*", "GETMETADATA INBOX /private//a", "GETMETADATA INBOX /private/a/", "GETMETADATA INBOX /privateer",
            "GETMETADATA INBOX (DEPTH 2) /private", "GETMETADATA INBOX (FISH 2) /private", "SETMETADATA INBOX /private/comment \"x\"", "SETMETADATA INBOX ()", "SETMETADATA INBOX (/private \"x\")",
            "SETMETADATA INBOX (/private/vendor/acme \"x\")", "SETMETADATA INBOX (/private/comment)", $"GETMETADATA INBOX /private/{new string('a', 300)}",
        ];
        foreach (string command in bad)
        {
            await c.Send("a " + command);
            await c.Bad("a");
            await c.Run("b NOOP");
        }
    }

    [Fact]
    public async Task LIST_METADATA()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a CREATE foo");
        await c.Run("a CREATE bar/baz");
        await c.Run("a DELETE bar");
        await c.Run("a SETMETADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color \"#b71c1c\")");
        await c.Send("A00 LIST \"\" % RETURN (METADATA (\"/shared/vendor/cmu/cyrus-imapd/color\"))");
        await c.Expect(
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"", "* METADATA \"INBOX\" (/shared/vendor/cmu/cyrus-imapd/color \"#b71c1c\")",
            "* LIST (\\NonExistent \\HasChildren) \"/\" \"bar\"", "* LIST (\\HasNoChildren) \"/\" \"foo\"", "* METADATA \"foo\" (/shared/vendor/cmu/cyrus-imapd/color NIL)", "A00 OK …");
        await c.Run("a SUBSCRIBE bar/baz");
        await c.Send("A01 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (METADATA (/shared/comment))", "A02 LIST \"\" INBOX RETURN (METADATA /shared/comment)", "A03 LIST \"\" INBOX RETURN (METADATA)");
        await c.Expect("* LIST (\\NonExistent \\HasChildren) \"/\" \"bar\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", "A01 OK …", "* LIST …", "* METADATA \"INBOX\" (/shared/comment NIL)", "A02 OK …", "A03 BAD …");
    }
}
