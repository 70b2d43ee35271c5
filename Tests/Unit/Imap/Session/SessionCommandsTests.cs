using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>One client and the answers it gets.</summary>
[Covers("IMAP4rev1", "IMAP4rev2", "SASL-IR", "ID", "ENABLE", "IDLE", "NAMESPACE", "UNSELECT", "CHILDREN", "LIST-EXTENDED", "LIST-STATUS", "STATUS=SIZE", "SPECIAL-USE", "CREATE-SPECIAL-USE", "MULTIAPPEND", "APPENDLIMIT=", "STARTTLS", "LOGINDISABLED", "AUTH=PLAIN", "AUTH=LOGIN")]
public sealed class SessionCommandsTests
{
    [Fact]
    public async Task Capabilities_go_with_the_state()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a CAPABILITY");
        await c.Expect("* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE STARTTLS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN", "a OK …");
        await c.Send("a STARTTLS");
        await c.Expect("a OK …");
        await c.StartTls();
        await c.Send("b CAPABILITY");
        await c.Expect("* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN", "b OK …");
        await c.Send("c LOGIN alice wrong", "d LOGIN alice secret", "e STARTTLS", "f LOGOUT");
        await c.Expect("c NO [AUTHENTICATIONFAILED] …", "d OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ …", "e BAD …", "* BYE …", "f OK …");
        await c.Closed();
    }

    [Fact]
    public async Task Plaintext_behind_STARTTLS_is_an_attack()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a STARTTLS", "b NOOP");
        await c.Expect("* BYE …");
        await c.Closed();
    }

    [Fact]
    public async Task AUTHENTICATE_in_all_its_forms()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c = await mail.ConnectAsync())
        {
            await c.Send("a AUTHENTICATE PLAIN");
            await c.Expect("+ ");
            await c.Send("*");
            await c.Expect("a BAD …");
            await c.Send("b AUTHENTICATE PLAIN !!!");
            await c.Expect("b BAD …");
            await c.Send("c NOOP");
            await c.Expect("c OK …");
            await c.Send("d AUTHENTICATE X-NONE =");
            await c.Expect("d NO [CANNOT] …");
            await c.Send("e AUTHENTICATE PLAIN");
            await c.Expect("+ ");
            await c.Send(Base64("\0alice\0secret"));
            await c.Expect("e OK [CAPABILITY …");
        }
        await using (ImapClient c = await mail.ConnectAsync())
        {
            await c.Send("a AUTHENTICATE PLAIN " + Base64("bob\0alice\0secret"), "b AUTHENTICATE PLAIN " + Base64("alice\0alice\0secret"));
            await c.Expect("a NO [AUTHENTICATIONFAILED] …", "b OK …");
        }
    }

    [Fact]
    public async Task Bad_commands_in_a_row_end_the_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c = await mail.ConnectAsync())
        {
            await c.Send("GET / HTTP/1.1", "Host: x", "Accept: y");
            await c.Expect("GET BAD …", "… BAD …", "… BAD …", "* BYE …");
            await c.Closed();
        }
        await using (ImapClient c = await mail.LogInAsync())
        {
            for (int i = 0; i < 19; i++)
            {
                await c.Send("a STORE");
                await c.Expect("a BAD STORE: …");
            }
            await c.Run("a NOOP");
            await c.Send("a NONSENSE", "b", "c LIST \"\"");
            await c.Expect("a BAD NONSENSE: Unknown command", "b BAD …", "c BAD LIST: …");
        }
    }

    [Fact]
    public async Task A_mailbox_lives_from_CREATE_to_DELETE()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a CREATE a/b/c/", "b CREATE a", "c CREATE \"x*\"", "d CREATE Gesendet (USE (\\Sent))", "e CREATE q (USE (\\Nope))");
        await c.Expect("a OK [MAILBOXID (F4)] …", "b NO [ALREADYEXISTS] …", "c NO [CANNOT] …", "d OK …", "e NO [USEATTR] …");
        await c.Send("a LIST \"\" *");
        await c.Expect(
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"", "* LIST (\\HasNoChildren \\Sent) \"/\" \"Gesendet\"", "* LIST (\\HasChildren) \"/\" \"a\"",
            "* LIST (\\HasChildren) \"/\" \"a/b\"", "* LIST (\\HasNoChildren) \"/\" \"a/b/c\"", "a OK …");
        await c.Send("a DELETE a/b", "b LIST \"a/\" %", "c DELETE a/b", "d SELECT a/b", "e DELETE a/b/c", "f DELETE inbox", "g DELETE nothing");
        await c.Expect(
            "a OK …", "* LIST (\\Noselect \\HasChildren) \"/\" \"a/b\"", "b OK …", "c NO [HASCHILDREN] …", "d NO [NONEXISTENT] …", "e OK …", "f NO [CANNOT] …",
            "g NO [NONEXISTENT] …");
        await c.Send("a RENAME Gesendet Sent", "b STATUS Sent (MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT SIZE DELETED HIGHESTMODSEQ MAILBOXID APPENDLIMIT)");
        await c.Expect(
            "a OK …",
            "* STATUS \"Sent\" (MESSAGES 0 RECENT 0 UIDNEXT 1 UIDVALIDITY 1000 UNSEEN 0 DELETED 0 SIZE 0 HIGHESTMODSEQ 1 APPENDLIMIT 52428800 MAILBOXID (F5))", "b OK …");
    }

    [Fact]
    public async Task LIST_selects_and_returns_what_is_asked_for()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a CREATE one/two");
        await c.Run("a CREATE Junk (USE (\\Junk))");
        await c.Send("a SUBSCRIBE one/two", "b SUBSCRIBE gone", "c LIST (SUBSCRIBED) \"\" *", "d LSUB \"\" %", "e LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %");
        await c.Expect(
            "a OK …", "b OK …",
            "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"gone\"", "* LIST (\\Subscribed \\HasNoChildren) \"/\" \"one/two\"", "c OK …",
            "* LSUB () \"/\" \"gone\"", "* LSUB (\\Noselect) \"/\" \"one\"", "d OK …",
            "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"gone\"", "* LIST (\\HasChildren) \"/\" \"one\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", "e OK …");
        await c.Send(
            "a LIST (SPECIAL-USE) \"\" * RETURN (STATUS (MESSAGES UIDNEXT))", "b LIST \"\" (INBOX one) RETURN (SUBSCRIBED CHILDREN)", "c LIST \"\" \"\"",
            "d UNSUBSCRIBE gone", "e NAMESPACE");
        await c.Expect(
            "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"", "* STATUS \"Junk\" (MESSAGES 0 UIDNEXT 1)", "a OK …",
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"", "* LIST (\\HasChildren) \"/\" \"one\"", "b OK …", "* LIST (\\Noselect) \"/\" \"\"", "c OK …", "d OK …",
            "* NAMESPACE ((\"\" \"/\")) NIL NIL", "e OK …");
    }

    [Fact]
    public async Task A_prefix_is_a_level_of_its_own()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Account = mail.Owner.Account with { Delimiter = '.', Prefix = "INBOX." };
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a CREATE INBOX.Sent", "b CREATE Sent", "c LIST \"\" %", "d LIST \"\" *", "e NAMESPACE", "f STATUS inbox.Sent (MESSAGES)");
        await c.Expect(
            "a OK …", "b NO [CANNOT] …", "* LIST (\\HasChildren) \".\" \"INBOX\"", "c OK …", "* LIST (\\HasChildren) \".\" \"INBOX\"",
            "* LIST (\\HasNoChildren) \".\" \"INBOX.Sent\"", "d OK …", "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL", "e OK …",
            "* STATUS \"INBOX.Sent\" (MESSAGES 0)", "f OK …");
        mail.Owner.Account = mail.Owner.Account with { Prefix = "Mail." };
        await using ImapClient d = await mail.LogInAsync();
        await d.Send("a LIST \"\" %");
        await d.Expect("* LIST (\\HasNoChildren) \".\" \"INBOX\"", "* LIST (\\Noselect \\HasChildren) \".\" \"Mail\"", "a OK …");
    }

    [Fact]
    public async Task Names_are_UTF7_before_ENABLE_and_UTF8_after_it()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a CREATE Entw&APw-rfe");
        await c.Send("a CREATE &bad", "b LIST \"\" Entw*", "c ENABLE IMAP4rev2 NOTHING", "d LIST \"\" Entw*", "e SELECT \"Entw\u00fcrfe\u2026\"");
        await c.Expect("a NO [CANNOT] …", "* LIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe\"", "b OK …", "* ENABLED IMAP4rev2", "c OK …");
        await c.Expect("* LIST (\\HasNoChildren) \"/\" \"Entw\u00c3\u00bcrfe\"", "d OK …", "e NO [NONEXISTENT] …");
        await c.Run("a SELECT INBOX");
        await c.Send("b SELECT INBOX");
        IReadOnlyList<string> lines = await c.Ok("b", "[READ-WRITE] …");
        Assert.Equal("* OK [CLOSED] The mailbox before is closed", lines[0]);
        Assert.Contains("* LIST () \"/\" \"INBOX\"", lines);
        Assert.DoesNotContain(lines, static l => l.Contains("RECENT"));
    }

    [Fact]
    public async Task APPEND_says_no_before_it_asks()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { AppendLimit = 1000 });
        mail.Owner.Account = mail.Owner.Account with { MaxBytes = 500 };
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a APPEND nowhere {10}", "b APPEND INBOX {2000}", "c APPEND INBOX {600}", "d APPEND in*valid {10}", "d APPEND \"in*valid\" {10}");
        await c.Expect("a NO [TRYCREATE] …", "b NO [TOOBIG] …", "c NO [OVERQUOTA] …", "d BAD APPEND: …", "d NO [NONEXISTENT] …");
        await c.Send("e APPEND INBOX (\\Seen) \" 7-Feb-1994 21:52:25 -0800\" {10}");
        await c.Expect("+ OK");
        await c.SendRaw("Subject: x\r\n");
        await c.Expect("e OK [APPENDUID 1000 1] APPEND completed");
        await c.SendRaw("f APPEND INBOX {1500+}\r\n" + new string('x', 1500) + "\r\ng NOOP\r\n");
        await c.Expect("… NO [TOOBIG] …", "g OK …");
        await c.SendRaw("h APPEND {5+}\r\nINBOX {4+}\r\na\0bc\r\ni APPEND INBOX ~{4+}\r\na\0bc\r\n");
        await c.Expect("h BAD APPEND: …", "i OK [APPENDUID 1000 2] …");
        await c.SendRaw("j APPEND INBOX {3+}\r\nabc (\\Seen) {3+}\r\ndef\r\n");
        await c.Expect("j OK [APPENDUID 1000 3:4] …");
        await c.SendRaw("k APPEND INBOX {5000+}\r\n");
        await c.Expect("* BYE …");
        await c.Closed();
    }

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(false, false, false)]
    [InlineData(false, true, true)]
    public async Task APPEND_takes_8_bit_headers_as_the_option_says(bool option, bool rev2, bool taken)
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { AppendEightBitHeaders = option });
        await using ImapClient c = await mail.LogInAsync();
        if (rev2)
            await c.Run("e ENABLE IMAP4rev2");
        await c.SendBytes([.. "a APPEND INBOX {8+}\r\nA: "u8, 0xE4, .. "\r\n\r\n\r\n"u8]);
        await (taken ? c.Ok("a") : c.No("a", "[CANNOT] …"));
        // In the body they are everybody's.
        await c.SendBytes([.. "b APPEND INBOX {9+}\r\nA: b\r\n\r\n"u8, 0xE4, .. "\r\n"u8]);
        await c.Ok("b");
    }

    [Fact]
    public async Task Outages_are_answered_and_survived()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient c = (await mail.SelectedAsync(1))[1];
        mail.Owner.Unreachable = true;
        await c.Send("a LIST \"\" *");
        await c.Expect("a NO [UNAVAILABLE] …");
        mail.Owner.Unreachable = false;
        mail.Inbox.Unreachable = true;
        await c.Send("a EXPUNGE");
        await c.Expect("a NO [UNAVAILABLE] …");
        mail.Inbox.Unreachable = false;
        await c.Run("a EXPUNGE");
    }

    [Fact]
    public async Task EXAMINE_lets_nothing_be_written()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("a", "INBOX", "Subject: x\r\n\r\n");
        await c.Send("b EXAMINE INBOX");
        Assert.Contains("* OK [PERMANENTFLAGS ()] No flags can be stored", await c.Ok("b", "[READ-ONLY] …"));
        await c.Send("c STORE 1 +FLAGS (\\Deleted)", "d EXPUNGE", "e CLOSE", "f EXPUNGE", "g IDLE");
        await c.Expect("c NO [READ-ONLY] …", "d NO [READ-ONLY] …", "e OK …", "f BAD …", "+ idling");
        await c.Send("stop");
        await c.Expect("g BAD IDLE: Expected DONE");
    }

    [Fact]
    public async Task Who_takes_too_long_to_log_in_is_sent_away()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { LoginTimeout = TimeSpan.Zero });
        await using ImapClient c = await mail.ConnectAsync();
        await c.Expect("* BYE You took too long to log in");
        await c.Closed();
    }

    [Fact]
    public async Task IDLE_keeps_the_connection_alive_and_knows_no_timeout()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { IdleKeepAlive = TimeSpan.FromMilliseconds(300), IdleTimeout = TimeSpan.FromSeconds(60) });
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a IDLE");
        await c.Expect("+ idling", "* OK Still here", "* OK Still here");
        await c.Send("done");
        await c.Ok("a");
    }

    [Fact]
    public async Task Literals_have_their_bounds()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c = await mail.ConnectAsync())
        {
            await c.Send("a LOGIN {9000}", "b LOGIN {1073741824}", "c NOOP");
            await c.Expect("a BAD …", "b BAD …", "c OK …");
            await c.Send("d LOGIN {1073741824+}");
            await c.Expect("* BYE …");
            await c.Closed();
        }
        await using (ImapClient c = await mail.LogInAsync())
        {
            await c.Send("a CREATE {70000}", "b CREATE " + new string('x', 70000), "c APPEND INBOX {99999999999999999999}", "d NOOP");
            await c.Expect("a BAD …", "b BAD …", "c NO [TOOBIG] …", "d OK …");
            await c.Send("e CREATE \"a\0b\"", "f CREATE a\u00fcb", "g NOOP x");
            await c.Expect("e BAD CREATE: …", "f BAD CREATE: …", "g BAD NOOP: …");
        }
    }

    [Fact]
    public async Task A_session_that_is_kicked_hears_why()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[2].Send("b IDLE");
        await c[2].Expect("+ idling");
        mail.Sessions.Kick(FakeMail.Account, "Your password was changed");
        foreach (ImapClient client in c[1..])
        {
            await client.Expect("* BYE Your password was changed");
            await client.Closed();
        }
    }

    [Fact]
    public async Task Draining_says_goodbye()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient c = (await mail.SelectedAsync(1))[1];
        Task drained = mail.Net.DrainAsync(TimeSpan.FromSeconds(30));
        await c.Expect("* BYE [UNAVAILABLE] The server is shutting down");
        await c.Closed();
        await drained;
    }

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
