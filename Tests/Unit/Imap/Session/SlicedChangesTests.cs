using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Commands that change more messages than one operation may (two, here): they look as if they were one, and what a broken one has done is told.</summary>
public sealed class SlicedChangesTests
{
    [Fact]
    public async Task STORE_answers_as_one_and_UNCHANGEDSINCE_holds_for_all()
    {
        await using FakeMail mail = await FakeMail.StartAsync(slice: 2);
        ImapClient[] c = await SelectedAsync(mail, 5);
        await c[1].Send("a STORE 1:* +FLAGS (\\Seen)");
        await c[1].Expect([.. Enumerable.Range(1, 5).Select(static i => $"* {i} FETCH (FLAGS (\\Seen \\Recent))"), "a OK STORE completed"]);
        // Three commits, 7 to 9.
        await c[2].Send("b UID STORE 4 +FLAGS.SILENT (\\Flagged)", "b UID STORE 1:5 (UNCHANGEDSINCE 9) +FLAGS.SILENT (\\Answered)");
        await c[2].Expect("…", "…", "…", "…", "…", "b OK …", "* OK [HIGHESTMODSEQ 10] …",
            "* 1 FETCH (UID 1 MODSEQ (11))", "* 2 FETCH (UID 2 MODSEQ (11))", "* 3 FETCH (UID 3 MODSEQ (12))", "* 5 FETCH (UID 5 MODSEQ (13))", "b OK [MODIFIED 4] …");
    }

    [Fact]
    public async Task MOVE_and_EXPUNGE_tell_one_COPYUID_and_each_message_once()
    {
        await using FakeMail mail = await FakeMail.StartAsync(slice: 2);
        ImapClient[] c = await SelectedAsync(mail, 8);
        await c[1].Run("a CREATE Work");
        await c[1].Send("b MOVE 2:6 Work");
        await c[1].Expect("* OK [COPYUID 1000 2:6 1:5] …", "* 2 EXPUNGE", "* 2 EXPUNGE", "* 2 EXPUNGE", "* 2 EXPUNGE", "* 2 EXPUNGE", "b OK MOVE completed");
        await c[1].Send("c STORE 1:3 +FLAGS.SILENT (\\Deleted)", "d EXPUNGE");
        await c[1].Expect("c OK …", "* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE", "d OK EXPUNGE completed");
        await c[2].Send("e NOOP");
        await c[2].Expect([.. Enumerable.Repeat("* 1 EXPUNGE", 8), "e OK …"]);
    }

    [Fact]
    public async Task CLOSE_removes_what_the_session_was_never_told_of()
    {
        await using FakeMail mail = await FakeMail.StartAsync(slice: 2);
        ImapClient[] c = await SelectedAsync(mail, 5);
        await c[1].Run("a STORE 1:5 +FLAGS.SILENT (\\Deleted)");
        await c[2].Run("b APPEND INBOX (\\Deleted) {1+}\r\nx");
        await c[1].Run("c CLOSE");
        Assert.Equal(0, mail.Inbox.Now.Count);
    }

    [Fact]
    public async Task A_move_that_is_broken_off_says_where_the_first_ones_went()
    {
        await using FakeMail mail = await FakeMail.StartAsync(slice: 2);
        ImapClient[] c = await SelectedAsync(mail, 5);
        await c[1].Run("a CREATE Work");
        FakeMailbox work = Assert.Single(mail.Mailboxes.Values, m => !ReferenceEquals(m, mail.Inbox));
        work.ChangesLeft = 2;
        await c[1].Send("b MOVE 1:5 Work");
        await c[1].Expect("* OK [COPYUID 1000 1:4 1:4] …", "* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE", "b NO [UNAVAILABLE] …");
        work.ChangesLeft = null;
        await c[1].Send("c MOVE 1 Work");
        await c[1].Expect("* OK [COPYUID 1000 5 5] …", "* 1 EXPUNGE", "c OK MOVE completed");
        // The session next door has followed.
        await c[2].Send("d NOOP");
        await c[2].Expect([.. Enumerable.Repeat("* 1 EXPUNGE", 5), "d OK …"]);
    }

    private static async Task<ImapClient[]> SelectedAsync(FakeMail mail, int messages)
    {
        await mail.FillAsync([.. Enumerable.Repeat("\r\nx", messages)]);
        return await mail.SelectedAsync(2);
    }
}
