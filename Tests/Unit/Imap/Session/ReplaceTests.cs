using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>REPLACE and UID REPLACE (RFC 8508).</summary>
[Covers("REPLACE")]
public sealed class ReplaceTests
{
    private const string Draft = "Subject: draft\r\n\r\nbody\r\n";

    /// <summary>The example of RFC 8508 §3.2, whose numbers are those of a mailbox with four messages.</summary>
    [Fact]
    public async Task The_example_of_the_RFC()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await DraftsAsync(mail, 4);
        await c.Send($"A003 REPLACE 4 Drafts (\\Seen \\Draft) \" 5-Feb-2020 12:00:00 +0000\" {{{Draft.Length}}}");
        await c.Expect("+ …");
        await c.SendRaw(Draft + "\r\n");
        await c.Expect("* OK [APPENDUID 1000 5] …", "* 4 EXPUNGE", "* 4 EXISTS", "* … RECENT", "A003 OK REPLACE completed");
        await c.Send("b FETCH 4 (UID FLAGS INTERNALDATE BODY.PEEK[])");
        await c.Expect($"* 4 FETCH (UID 5 FLAGS (\\Seen \\Draft \\Recent) INTERNALDATE \" 5-Feb-2020 12:00:00 +0000\" BODY[] {{{Draft.Length}}}\r\n{Draft})", "b OK …");
        // Nothing is inherited (§1), and an EMAILID is that of the new message (§4.6).
        await c.SendRaw($"c UID REPLACE 5 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\nd UID FETCH 6 (FLAGS)\r\n");
        await c.Expect("* OK [APPENDUID 1000 6] …", "* 4 EXPUNGE", "* 4 EXISTS", "* … RECENT", "c OK …", "* 4 FETCH (UID 6 FLAGS (\\Recent))", "d OK …");
    }

    /// <summary>Into another mailbox (§3.4): a draft becomes what was sent. Others see it go, and come there.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await DraftsAsync(mail, 2);
        await using ImapClient other = await mail.LogInAsync();
        await c.Run("a CREATE Sent");
        await other.Run("a SELECT Drafts");
        await other.Run("b NOOP");
        await c.SendRaw($"b REPLACE * Sent (\\Seen) {{{Draft.Length}+}}\r\n{Draft}\r\n");
        await c.Expect("* OK [APPENDUID 1000 1] …", "* 2 EXPUNGE", "b OK …");
        // The other still counts the message, and cannot replace it once more.
        await other.SendRaw($"c FETCH 1 (UID)\r\nd REPLACE 2 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\n");
        await other.Expect("* 1 FETCH (UID 1)", "c OK …", "* 2 EXPUNGE", "d NO [EXPUNGEISSUED] …");
        await other.Send("e STATUS Sent (MESSAGES)", "f STATUS Drafts (MESSAGES)");
        await other.Expect("* STATUS \"Sent\" (MESSAGES 1)", "e OK …", "* STATUS \"Drafts\" (MESSAGES 1)", "f OK …");
    }

    [Fact]
    public async Task With_literal8_CATENATE_QRESYNC_and_UIDONLY()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await DraftsAsync(mail, 3);
        await c.SendRaw("a REPLACE 1 Drafts ~{9+}\r\nA: b\r\n\r\n\0\r\nb REPLACE 1 Drafts CATENATE (URL \"/Drafts;UID=2/;SECTION=HEADER\" TEXT {3+}\r\nnew)\r\n");
        await c.Expect("* OK [APPENDUID 1000 4] …", "* 1 EXPUNGE", "* 3 EXISTS", "* … RECENT", "a OK …", "* OK [APPENDUID 1000 5] …", "* 1 EXPUNGE", "* 3 EXISTS", "* … RECENT", "b OK …");
        await c.Send("c FETCH 3 BODY.PEEK[]");
        await c.Expect("* 3 FETCH (BODY[] {21}\r\nSubject: draft\r\n\r\nnew)", "c OK …");
        await c.Run("d ENABLE QRESYNC UIDONLY");
        await c.SendRaw($"e UID REPLACE 3 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\nf REPLACE 1 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\ng NOOP\r\n");
        await c.Expect("* OK [APPENDUID 1000 6] …", "* VANISHED 3", "* 3 EXISTS", "* … RECENT", "e OK [HIGHESTMODSEQ …", "f BAD [UIDREQUIRED] …", "g OK …");
    }

    [Fact]
    public async Task Refusals()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { AppendLimit = 100 });
        await using ImapClient c = await DraftsAsync(mail, 2);
        foreach (string command in new[] { "REPLACE", "REPLACE 1", "REPLACE 1 Drafts", "REPLACE 0 Drafts {1+}\r\nx", "REPLACE 1:2 Drafts {1+}\r\nx", "REPLACE 3 Drafts {1+}\r\nx", "REPLACE $ Drafts {1+}\r\nx",
            "REPLACE 1 Drafts (\\Seen)", "REPLACE 1 Drafts {6+}\r\n\r\nx\r\ny {6+}\r\n\r\nx\r\ny" })
        {
            await c.SendRaw($"a {command}\r\n");
            await c.Bad("a");
        }
        // Said before the client is asked for the message.
        await c.Send("b REPLACE 1 Nowhere {20}", "c UID REPLACE 77 Drafts {20}", "d REPLACE 1 Drafts {101}", "e REPLACE 1 \"a*b\" {20}");
        await c.No("b", "[TRYCREATE] …");
        await c.No("c", "[NONEXISTENT] …");
        await c.No("d", "[TOOBIG] …");
        await c.No("e", "[NONEXISTENT] …");
        await c.SendRaw("f REPLACE 1 Drafts {4+}\r\na\0bc\r\n");
        await c.Bad("f");
        await c.Run("g EXAMINE Drafts");
        await c.SendRaw($"h REPLACE 1 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\n");
        await c.No("h", "[READ-ONLY] …");
        await c.Run("i UNSELECT");
        await c.SendRaw($"j REPLACE 1 Drafts {{{Draft.Length}+}}\r\n{Draft}\r\n");
        await c.Bad("j");
        // Nothing of all that has changed anything.
        await c.Send("k STATUS Drafts (MESSAGES UIDNEXT)");
        await c.Expect("* STATUS \"Drafts\" (MESSAGES 2 UIDNEXT 3)", "k OK …");
    }

    private static async Task<ImapClient> DraftsAsync(FakeMail mail, int messages)
    {
        ImapClient client = await mail.LogInAsync();
        await client.Run("s CREATE Drafts");
        for (int i = 0; i < messages; i++)
            await client.Append("s", "Drafts", Draft);
        await client.Run("s SELECT Drafts");
        return client;
    }
}
