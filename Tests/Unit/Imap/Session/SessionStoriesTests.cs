using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Several sessions in one mailbox, told as they talk.</summary>
[Covers("UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC")]
public sealed class SessionStoriesTests
{
    private const string Message = "Subject: one\r\n\r\nbody\r\n";

    [Fact]
    public async Task Flags_of_one_are_news_to_the_other()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Append("a", "INBOX", Message);
        await c[2].Send("b NOOP");
        await c[2].Expect("* 1 EXISTS", "b OK NOOP completed");
        await c[1].Send("a STORE 1 +FLAGS (\\Flagged $Later)");
        await c[1].Expect(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)", "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later \\*)] …",
            "* 1 FETCH (FLAGS (\\Flagged \\Recent $Later))", "a OK STORE completed");
        await c[2].Send("b NOOP");
        await c[2].Expect("* FLAGS …", "* OK [PERMANENTFLAGS …", "* 1 FETCH (FLAGS (\\Flagged $Later))", "b OK …");
    }

    [Fact]
    public async Task An_expunge_is_not_told_while_numbers_are_in_use()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        for (int i = 0; i < 4; i++)
            await c[1].Append("a", "INBOX", Message);
        await c[2].Send("b NOOP");
        await c[2].Expect("* 4 EXISTS", "b OK …");
        await c[1].Run("a STORE 1,3 +FLAGS.SILENT (\\Deleted)");
        await c[1].Send("a EXPUNGE");
        await c[1].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "a OK EXPUNGE completed");

        // Number 4 is still the fourth for who has not heard of it; 1 and 3 are ghosts.
        await c[2].Send("b STORE 4 +FLAGS (\\Seen)");
        await c[2].Expect("* 4 FETCH (FLAGS (\\Seen))", "b OK …");
        await c[2].Send("b STORE 3 +FLAGS (\\Seen)");
        await c[2].Expect("b NO [EXPUNGEISSUED] …");
        await c[2].Send("b NOOP");
        await c[2].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "b OK …");
        await c[1].Send("a NOOP");
        await c[1].Expect("* 2 FETCH (FLAGS (\\Seen \\Recent))", "a OK …");
    }

    [Fact]
    public async Task A_mailbox_that_changed_since_SELECT_is_told_from_where_SELECT_was()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient one = await mail.LogInAsync(), two = await mail.LogInAsync();
        for (int i = 0; i < 3; i++)
            await one.Append("a", "INBOX", Message);
        await two.Send("b EXAMINE INBOX");
        Assert.Contains("* 3 EXISTS", await two.Ok("b", "[READ-ONLY] EXAMINE completed"));
        await one.Run("a SELECT INBOX");
        await one.Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await one.Run("a EXPUNGE");
        await one.Append("a", "INBOX", Message);
        await two.Send("b NOOP");
        await two.Expect("* 2 EXPUNGE", "* 3 EXISTS", "b OK …");
    }

    [Fact]
    public async Task Silence_hides_only_what_the_client_itself_did()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Append("a", "INBOX", Message);
        await c[2].Run("b NOOP");
        await c[1].Send("a STORE 1 +FLAGS.SILENT (\\Seen)");
        await c[1].Expect("a OK …");
        await c[2].Send("b STORE 1 +FLAGS.SILENT (\\Answered)");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Seen))", "b OK …");
        await c[1].Send("a CHECK");
        await c[1].Expect("* 1 FETCH (FLAGS (\\Answered \\Seen \\Recent))", "a OK …");
    }

    [Fact]
    public async Task An_idling_client_hears_at_once()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        // Read-only, so that it takes no \Recent from the other.
        await c[2].Run("b EXAMINE INBOX");
        await c[2].Send("b IDLE");
        await c[2].Expect("+ idling");
        await c[1].Append("a", "INBOX", Message);
        await c[2].Expect("* 1 EXISTS");
        await c[1].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Deleted…))");
        await c[1].Run("a EXPUNGE");
        await c[2].Expect("* 1 EXPUNGE");
        await c[2].Send("DONE");
        await c[2].Expect("b OK IDLE completed");
    }

    [Fact]
    public async Task Recent_goes_to_one_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient one = await mail.LogInAsync(), two = await mail.LogInAsync();
        await one.Append("a", "INBOX", Message);
        await two.Send("b EXAMINE INBOX");
        Assert.Contains("* 0 RECENT", await two.Ok("b"));
        await one.Send("a SELECT INBOX");
        Assert.Contains("* 1 RECENT", await one.Ok("a"));
        await two.Send("b SELECT INBOX");
        Assert.Contains("* 0 RECENT", await two.Ok("b"));
        await one.Append("a", "INBOX", Message);
        await two.Send("b NOOP");
        await two.Expect("* 2 EXISTS", "b OK …");
    }

    [Fact]
    public async Task Move_tells_where_to_before_the_source_shrinks()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Append("a", "INBOX", Message);
        await c[1].Append("a", "INBOX", Message);
        await c[1].Send("a MOVE 1 Archive");
        await c[1].Expect("a NO [TRYCREATE] …");
        await c[1].Run("a CREATE Archive");
        await c[2].Run("b NOOP");
        await c[1].Send("a MOVE 1 Archive");
        await c[1].Expect("* OK [COPYUID 1000 1 1] …", "* 1 EXPUNGE", "a OK MOVE completed");
        await c[2].Send("b UID COPY 1:2 Archive");
        await c[2].Expect("* 1 EXPUNGE", "b OK [COPYUID 1000 2 2] …");
    }

    [Fact]
    public async Task Numbers_of_messages_that_are_gone_are_not_passed_over_by_COPY_and_MOVE()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Run("a CREATE Archive");
        for (int i = 0; i < 4; i++)
            await c[1].Append("a", "INBOX", Message);
        await c[2].Run("b NOOP");
        await c[1].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[2].Send("b COPY 1:2 Archive", "c UID COPY 1:2 Archive");
        await c[2].Expect("* 1 EXPUNGE", "b NO [EXPUNGEISSUED] …", "c OK [COPYUID 1000 2 1] …");
        await c[1].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[2].Send("b MOVE 1:2 Archive", "c FETCH 1 UID");
        await c[2].Expect("* OK [COPYUID 1000 3 2] …", "* 1 EXPUNGE", "* 1 EXPUNGE", "b NO [EXPUNGEISSUED] …", "* 1 FETCH (UID 4)", "c OK …");
    }

    [Fact]
    public async Task QRESYNC_says_VANISHED_and_catches_up()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient one = await mail.LogInAsync(), two = await mail.LogInAsync();
        for (int i = 0; i < 3; i++)
            await one.Append("a", "INBOX", Message);
        await one.Send("a SELECT INBOX (QRESYNC (1000 4))");
        await one.Expect("a BAD …");
        await one.Send("a ENABLE QRESYNC");
        await one.Expect("* ENABLED QRESYNC", "a OK …");
        await one.Run("a SELECT INBOX");
        await two.Run("b SELECT INBOX");
        await one.Send("a UID STORE 2 +FLAGS.SILENT (\\Deleted)");
        await one.Expect("* 2 FETCH (UID 2 MODSEQ (5))", "a OK …");
        await one.Send("a UID EXPUNGE 1:3");
        await one.Expect("* VANISHED 2", "a OK [HIGHESTMODSEQ 6] …");
        await two.Run("b STORE 1 +FLAGS (\\Seen)");
        await one.Run("a UNSELECT");
        await one.Send("a SELECT INBOX (QRESYNC (1000 4))");
        IReadOnlyList<string> lines = await one.Ok("a", "[READ-WRITE] …");
        Assert.Equal(["* VANISHED (EARLIER) 2", "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (7))"], lines.TakeLast(2));
        Assert.Contains("* 2 EXISTS", lines);
    }

    [Fact]
    public async Task UNCHANGEDSINCE_leaves_what_others_changed()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Append("a", "INBOX", Message);
        await c[1].Append("a", "INBOX", Message);
        await c[1].Run("a STORE 2 +FLAGS (\\Seen)");
        await c[2].Send("b STORE 1,2 (UNCHANGEDSINCE 3) +FLAGS.SILENT (\\Flagged)");
        await c[2].Expect(
            "* 2 EXISTS", "* OK [HIGHESTMODSEQ 4] …", "* 1 FETCH (UID 1 MODSEQ (5))", "b OK [MODIFIED 2] …");
    }

    [Fact]
    public async Task A_deleted_mailbox_says_goodbye_and_a_renamed_one_goes_on()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient one = await mail.LogInAsync(), two = await mail.LogInAsync();
        await one.Run("a CREATE Old");
        await two.Run("b SELECT Old");
        await one.Run("a RENAME Old New");
        await two.Run("b NOOP");
        await one.Run("a DELETE New");
        await two.Send("b NOOP");
        await two.Expect("* BYE The selected mailbox was deleted", "b NO [NONEXISTENT] …");
        await two.Closed();
    }
}
