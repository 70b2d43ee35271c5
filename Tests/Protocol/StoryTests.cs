using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Two and three sessions in one mailbox: what each hears, and when.</summary>
public sealed class StoryTests(MailServer server)
{
    private const string Message = "Subject: one\r\n\r\nbody\r\n";

    [Fact]
    public async Task Mail_that_one_appends_is_there_for_all()
    {
        ImapClient[] c = await server.SelectedAsync(3);
        await c[3].Send("c IDLE");
        await c[3].Expect("+ idling");
        await c[1].Send("a NOOP");
        await c[1].Expect("a OK …");
        Assert.Equal("* 1 EXISTS", (await c[1].Append("a", "INBOX", Message))[0]);
        await c[3].Expect("* 1 EXISTS");
        await c[2].Send("b NOOP");
        Assert.Equal("* 1 EXISTS", (await c[2].Ok("b"))[0]);
    }

    [Fact]
    public async Task Flags_of_one_are_news_to_the_other()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 2);
        await c[1].Send("a STORE 1:2 +FLAGS (\\Flagged $Later)");
        await c[1].Expect(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)", "* OK [PERMANENTFLAGS …", "* 1 FETCH (FLAGS (\\Flagged $Later))",
            "* 2 FETCH (FLAGS (\\Flagged $Later))", "a OK STORE completed");
        await c[2].Send("b UID STORE 1 -FLAGS ($later \\Draft)");
        await c[2].Expect("* FLAGS …", "* OK [PERMANENTFLAGS …", "* 1 FETCH (UID 1 FLAGS (\\Flagged $Later))", "* 2 FETCH (UID 2 FLAGS (\\Flagged $Later))",
            "* 1 FETCH (UID 1 FLAGS (\\Flagged))", "b OK …");
        await c[1].Send("a STORE 1 FLAGS (\\Seen)");
        await c[1].Expect("* 1 FETCH (FLAGS (\\Flagged))", "* 1 FETCH (FLAGS (\\Seen))", "a OK …");
    }

    [Fact]
    public async Task An_expunge_is_not_told_while_numbers_are_in_use()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 4);
        await c[2].Run("b NOOP");
        await c[1].Run("a STORE 1,3 +FLAGS.SILENT (\\Deleted)");
        await c[1].Send("a EXPUNGE");
        await c[1].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "a OK EXPUNGE completed");

        // Number 4 is still the fourth for who has not heard of it; 1 and 3 are ghosts.
        await c[2].Send("b STORE 4 +FLAGS (\\Seen)");
        await c[2].Expect("* 4 FETCH (FLAGS (\\Seen))", "b OK …");
        await c[2].Send("b STORE 3 +FLAGS (\\Seen)", "b STORE 5 +FLAGS (\\Seen)");
        await c[2].Expect("b NO [EXPUNGEISSUED] …", "b BAD STORE: …");
        await c[2].Send("b COPY 2 Archive");
        await c[2].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "b OK [COPYUID … 2 1] COPY completed");
        await c[1].Send("a NOOP");
        await c[1].Expect("* 2 FETCH (FLAGS (\\Seen))", "a OK …");
    }

    [Fact]
    public async Task An_expunged_message_can_still_be_read_by_who_has_not_heard_of_it()
    {
        ImapClient[] c = await server.SelectedAsync(3, messages: 3);
        await c[2].Run("b NOOP");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[2].Send("b FETCH 2:3 (UID BODY.PEEK[TEXT])");
        await c[2].Expect("* 2 FETCH (UID 2 BODY[TEXT] {8}\r\nText 2\r\n)", "* 3 FETCH (UID 3 BODY[TEXT] {8}\r\nText 3\r\n)", "b OK …");
        // Who only selected it knows three messages, and nothing of the second but that it was there.
        await c[3].Send("c FETCH 2 (BODY.PEEK[TEXT])", "d FETCH 3 (UID)", "e NOOP");
        await c[3].Expect("c NO [EXPUNGEISSUED] …", "* 3 FETCH (UID 3)", "d OK …", "* 2 EXPUNGE", "e OK …");
    }

    [Fact]
    public async Task A_saved_search_result_stands_for_its_messages()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 4);
        await c[1].Send("a SEARCH RETURN (SAVE COUNT) UID 2:3", "b STORE $ +FLAGS (\\Flagged)", "c UID MOVE $ Archive", "d SEARCH RETURN (COUNT) $");
        await c[1].Expect(
            "* ESEARCH (TAG \"a\") COUNT 2", "a OK …", "* 2 FETCH (FLAGS (\\Flagged))", "* 3 FETCH (FLAGS (\\Flagged))", "b OK …",
            "* OK [COPYUID … 2:3 1:2] …", "* 2 EXPUNGE", "* 2 EXPUNGE", "c OK …", "* ESEARCH (TAG \"d\") COUNT 0", "d OK …");
    }

    [Fact]
    public async Task Reading_a_message_marks_it_as_seen_for_all()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 1);
        await c[2].Send("b IDLE");
        await c[2].Expect("+ idling");
        await c[1].Send("a FETCH 1 BODY[TEXT]");
        await c[1].Expect("* 1 FETCH (…\\Seen…)", "a OK …");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Seen))");
    }

    [Fact]
    public async Task A_mailbox_that_changed_since_SELECT_is_told_from_where_SELECT_was()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 3);
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[1].Append("a", "INBOX", Message);
        await c[2].Send("b NOOP");
        await c[2].Expect("* 2 EXPUNGE", "* 3 EXISTS", "b OK …");
    }

    [Fact]
    public async Task Silence_hides_only_what_the_client_itself_did()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 1);
        await c[2].Run("b NOOP");
        await c[1].Send("a STORE 1 +FLAGS.SILENT (\\Seen)");
        await c[1].Expect("a OK …");
        await c[2].Send("b STORE 1 +FLAGS.SILENT (\\Answered)");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Seen))", "b OK …");
        await c[1].Send("a CHECK");
        await c[1].Expect("* 1 FETCH (FLAGS (\\Answered \\Seen))", "a OK …");
    }

    [Fact]
    public async Task Moved_mail_leaves_here_and_comes_there()
    {
        ImapClient[] c = await server.SelectedAsync(3, messages: 3);
        await c[2].Run("b NOOP");
        await c[3].Run("c SELECT Trash");
        await c[3].Send("c IDLE");
        await c[3].Expect("+ idling");
        await c[1].Send("a MOVE 1,3 nowhere", "b UID MOVE 1,3,9 Trash");
        await c[1].Expect("a NO [TRYCREATE] …", "* OK [COPYUID … 1,3 1:2] …", "* 1 EXPUNGE", "* 2 EXPUNGE", "b OK …");
        await c[3].Expect("* 2 EXISTS");
        await c[2].Send("b NOOP");
        await c[2].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "b OK …");
        await c[1].Send("a UID MOVE 77 Trash", "b COPY 1 INBOX");
        await c[1].Expect("a OK …", "* 2 EXISTS", "* 1 RECENT", "b OK [COPYUID … 2 4] …");
    }

    [Fact]
    public async Task CLOSE_expunges_silently_and_UNSELECT_not_at_all()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 3);
        await c[2].Run("b NOOP");
        await c[1].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[1].Send("a UNSELECT", "b SELECT INBOX");
        await c[1].Expect("a OK …");
        Assert.Contains("* 3 EXISTS", await c[1].Ok("b"));
        await c[1].Send("a CLOSE", "b CHECK");
        await c[1].Expect("a OK …", "b BAD …");
        await c[2].Send("b NOOP");
        await c[2].Expect("* 1 EXPUNGE", "b OK …");
    }

    [Fact]
    public async Task UID_EXPUNGE_takes_only_what_it_names()
    {
        ImapClient c = (await server.SelectedAsync(1, messages: 4))[1];
        await c.Run("a STORE 1:3 +FLAGS.SILENT (\\Deleted)");
        await c.Send("a UID EXPUNGE 2:4,7:*");
        await c.Expect("* 2 EXPUNGE", "* 2 EXPUNGE", "a OK …");
    }

    [Fact]
    public async Task QRESYNC_says_VANISHED_and_catches_up()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 3);
        await c[1].Run("a UNSELECT");
        await c[1].Run("a ENABLE QRESYNC");
        IReadOnlyList<string> lines = await c[1].Run("a SELECT INBOX");
        string validity = Code(lines, "UIDVALIDITY"), modSeq = Code(lines, "HIGHESTMODSEQ");
        await c[1].Send("a UID STORE 2 +FLAGS.SILENT (\\Deleted)", "b EXPUNGE");
        await c[1].Expect("* 2 FETCH (UID 2 MODSEQ (…))", "a OK …", "* VANISHED 2", "b OK [HIGHESTMODSEQ …] …");
        await c[2].Run("b STORE 1 +FLAGS (\\Seen)");
        await c[1].Run("a UNSELECT");
        await c[1].Send($"a SELECT INBOX (QRESYNC ({validity} {modSeq}))");
        lines = await c[1].Ok("a", "[READ-WRITE] …");
        Assert.Equal("* VANISHED (EARLIER) 2", lines[^2]);
        Assert.Matches(@"^\* 1 FETCH \(UID 1 FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$", lines[^1]);
        await c[1].Send($"a SELECT INBOX (QRESYNC ({validity} {modSeq} 3:9))");
        Assert.DoesNotContain(await c[1].Ok("a"), static l => l.Contains("VANISHED") || l.Contains("FETCH"));
    }

    [Fact]
    public async Task UNCHANGEDSINCE_leaves_what_others_changed()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 2);
        await c[2].Run("b NOOP");
        string modSeq = Code(await c[1].Run("a EXAMINE INBOX (CONDSTORE)"), "HIGHESTMODSEQ");
        await c[2].Run("b STORE 2 +FLAGS.SILENT (\\Seen)");
        await c[1].Run("a SELECT INBOX");
        await c[1].Send($"a STORE 1,2 (UNCHANGEDSINCE {modSeq}) +FLAGS.SILENT (\\Flagged)");
        await c[1].Expect("* 1 FETCH (UID 1 MODSEQ (…))", "a OK [MODIFIED 2] …");
    }

    [Fact]
    public async Task Sessions_that_work_at_once_agree_in_the_end()
    {
        const int Sessions = 6, Rounds = 12;
        ImapClient[] c = await server.SelectedAsync(Sessions, messages: 4);
        await Task.WhenAll(c.Skip(1).Select(async (client, me) =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                await client.Append("w", "INBOX", $"Subject: {me} {round}\r\n\r\n");
                await client.Run($"w UID STORE 1:{(me + 1) * (round + 1)} +FLAGS (k{me})");
                if (round % 3 == me % 3)
                {
                    await client.Run($"w UID STORE {(me * 7) + round + 1} +FLAGS.SILENT (\\Deleted)");
                    await client.Run("w EXPUNGE");
                }
            }
        }));
        // Each has heard everything: counting EXISTS and EXPUNGE of a whole session gives the same mailbox.
        for (int i = 1; i <= Sessions; i++)
            await c[i].Run("n NOOP");
        string messages = (await c[1].Run("n STATUS INBOX (MESSAGES)"))[0];
        foreach (ImapClient client in c[1..])
            Assert.Equal(messages, $"* STATUS \"INBOX\" (MESSAGES {Count(client.Transcript)})");
    }

    /// <summary>How many messages a client counts that believes all that it is told.</summary>
    private static int Count(string transcript)
    {
        int count = 0;
        foreach (Match line in Regex.Matches(transcript, @"^S: \* (\d+) (EXISTS|EXPUNGE)", RegexOptions.Multiline))
        {
            int number = int.Parse(line.Groups[1].Value);
            if (line.Groups[2].Value == "EXISTS")
            {
                Assert.True(number >= count, $"EXISTS {number} after {count}");
                count = number;
            }
            else
            {
                Assert.InRange(number, 1, count--);
            }
        }
        return count;
    }

    private static string Code(IReadOnlyList<string> lines, string name) =>
        lines.Select(l => Regex.Match(l, $@"\[{name} (\d+)\]")).First(static m => m.Success).Groups[1].Value;
}
