using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

public sealed class AppendTests(MailServer server)
{
    [Fact]
    public async Task APPEND_says_no_before_it_asks()
    {
        string user = await server.AccountAsync(maxBytes: 5000);
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await c.Send("a APPEND nowhere {10}", "b APPEND INBOX {99999999}", "c APPEND INBOX {6000}", "d APPEND INBOX (\\Recent) {10}", "e APPEND INBOX \"31-Feb-2020 00:00:00 +0000\" {3}");
        await c.Expect("a NO [TRYCREATE] …", "b NO [TOOBIG] …", "c NO [OVERQUOTA] …", "d BAD APPEND: …", "e BAD APPEND: …");
        await c.Send("f APPEND INBOX (\\Seen $x) \" 7-Feb-1994 21:52:25 -0800\" {10}");
        await c.Expect("+ OK");
        await c.SendRaw("Subject: x\r\n");
        await c.Expect("f OK [APPENDUID … 1] APPEND completed");
        await c.SendRaw("g APPEND INBOX {6000+}\r\n" + new string('x', 6000) + "\r\nh NOOP\r\n");
        await c.Expect("g NO [OVERQUOTA] …", "h OK …");
    }

    [Fact]
    public async Task Several_messages_are_stored_together_or_not_at_all()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.SendRaw("a APPEND INBOX {3+}\r\nabc (\\Seen) {3+}\r\ndef\r\nb APPEND INBOX {3+}\r\nabc {0+}\r\n\r\nc STATUS INBOX (MESSAGES)\r\n");
        await c.Expect("a OK [APPENDUID … 1:2] …", "b NO …", "* STATUS \"INBOX\" (MESSAGES 2)", "c OK …");
    }

    [Fact]
    public async Task A_name_is_the_mailbox_that_has_it_now_whatever_it_was_before()
    {
        ImapClient[] c = await server.SessionsAsync(2);
        await c[1].Run("a CREATE one");
        await c[1].Append("a", "one", "Subject: 1\r\n\r\n");
        await c[2].Run("a RENAME one two");
        await c[1].SendRaw("b APPEND one {3+}\r\nabc\r\n");
        await c[1].Expect("b NO [TRYCREATE] …");
        await c[2].Run("b CREATE one");
        await c[1].Append("c", "one", "Subject: 2\r\n\r\n");
        await c[1].Append("d", "two", "Subject: 3\r\n\r\n");
        await c[2].Run("c DELETE one");
        await c[2].Run("d RENAME two one");
        await c[1].Append("e", "one", "Subject: 4\r\n\r\n");
        await c[1].Append("f", "INBOX", "Subject: 5\r\n\r\n");
        await c[2].Run("e RENAME INBOX old");
        await c[1].SendRaw("g APPEND INBOX {3+}\r\nabc (\\Seen) {3+}\r\ndef\r\n");
        await c[1].Expect("g OK [APPENDUID … 1:2] …");
        await c[1].Send("h STATUS one (MESSAGES)", "i STATUS old (MESSAGES)", "j STATUS INBOX (MESSAGES)", "k STATUS two (MESSAGES)");
        await c[1].Expect(
            "* STATUS \"one\" (MESSAGES 3)", "h OK …", "* STATUS \"old\" (MESSAGES 1)", "i OK …", "* STATUS \"INBOX\" (MESSAGES 2)", "j OK …", "k NO [NONEXISTENT] …");
    }

    [Fact]
    public async Task NUL_needs_a_literal8()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.SendRaw("a APPEND INBOX {4+}\r\na\0bc\r\nb APPEND INBOX ~{4+}\r\na\0bc\r\n");
        await c.Expect("a BAD APPEND: …", "b OK [APPENDUID … 1] …");
    }

    [Fact]
    public async Task The_selected_mailbox_tells_EXISTS_before_the_OK()
    {
        ImapClient c = (await server.SelectedAsync(1))[1];
        await c.SendRaw("a APPEND INBOX {4+}\r\nabcd\r\n");
        await c.Expect("* 1 EXISTS", "* 1 RECENT", "a OK [APPENDUID … 1] …");
    }
}
