using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency;

/// <summary>What a session is told must agree with itself; each test is a server that breaks one rule, or bends none.</summary>
public sealed class SessionModelTests
{
    [Fact]
    public void A_mailbox_is_known_from_what_was_told()
    {
        var story = ModelStory.Selected(3);
        Answer fetch = story.While("FETCH", @"* 1 FETCH (UID 5 FLAGS (\Seen \Recent) MODSEQ (9))", "* 3 FETCH (UID 8 FLAGS ())");
        ModelStory.IsWell(fetch);
        SeenMessage first = fetch.Seen.OfType<SeenMessage>().First();
        Assert.Equal((5u, new FlagSet([@"\seen"]), 9L), (first.Uid, first.Flags, first.ModSeq));
        Assert.Equal([5u, 8u], story.Model.View!.Uids);
        Answer noop = story.While("NOOP", "* 3 EXPUNGE", "* 4 EXISTS", "* 4 FETCH (UID 100 FLAGS ())");
        ModelStory.IsWell(noop);
        Assert.Equal("8", noop.Seen.OfType<SeenGone>().Single().Uids.ToString());
        Assert.Equal(100u, story.Model.View.UidAt(4));
    }

    [Theory]
    [InlineData("NOOP", "* 2 EXISTS", "numbers")]
    [InlineData("NOOP", "* 4 EXPUNGE", "numbers")]
    [InlineData("FETCH", "* 4 FETCH (FLAGS ())", "numbers")]
    [InlineData("FETCH", "* 2 FETCH (UID 7)", "numbers")]
    [InlineData("FETCH", "* 3 FETCH (UID 6)", "numbers")]
    [InlineData("FETCH", "* 3 FETCH (UID 5)", "numbers")]
    [InlineData("FETCH", "* 2 EXPUNGE", "numbers")]
    [InlineData("STORE", "* 2 EXPUNGE", "numbers")]
    [InlineData("SEARCH", "* 2 EXPUNGE", "numbers")]
    [InlineData("SEARCH", "* SEARCH 1 4", "numbers")]
    [InlineData("FETCH", "* 2 FETCH (MODSEQ (19))", "modseq-order")]
    [InlineData("FETCH", "* 2 FETCH (MODSEQ (20) FLAGS ())", "modseq-order")]
    [InlineData("STATUS", "* STATUS INBOX (UIDVALIDITY 7 HIGHESTMODSEQ 49)", "modseq-order")]
    [InlineData("NOOP", "* VANISHED 6", "imap")]
    [InlineData("NOOP", "* STATUS INBOX (MESSAGES 3)", "imap")]
    public void A_contradiction_is_a_breach(string command, string line, string promise)
    {
        var story = ModelStory.Selected(3);
        ModelStory.IsWell(story.While("FETCH", "* 1 FETCH (UID 5)", @"* 2 FETCH (UID 6 MODSEQ (20) FLAGS (\Seen))"));
        ModelStory.Breaks(promise, story.While(command, line));
    }

    [Theory]
    [InlineData("UID FETCH")]
    [InlineData("UID STORE")]
    [InlineData("UID SEARCH")]
    [InlineData("NOOP")]
    public void Expunges_are_told_by_commands_without_numbers(string command) => ModelStory.IsWell(ModelStory.Selected(3).While(command, "* 2 EXPUNGE"));

    [Fact]
    public void Annotations_are_told_by_whose_they_are()
    {
        var story = ModelStory.Selected(1);
        Answer fetch = story.While("FETCH", "* 1 FETCH (UID 5 ANNOTATION (/comment (value.priv \"mine\" value.shared NIL) /vendor/check/label (value.shared {2}\r\nus)))", "* 1 FETCH (UID 5 ANNOTATION (/comment))");
        ModelStory.IsWell(fetch);
        SeenAnnotations told = Assert.Single(fetch.Seen.OfType<SeenAnnotations>());
        Assert.Equal((5u, "/comment.priv@anna mine, /comment.shared NIL, /vendor/check/label.shared us"), (told.Uid, string.Join(", ", told.Told)));
        Assert.Throws<FormatException>(() => story.While("FETCH", "* 1 FETCH (UID 5 ANNOTATION (/comment (value.priv)))"));
        Assert.Throws<FormatException>(() => story.While("FETCH", "* 1 FETCH (UID 5 ANNOTATION (/comment (value \"x\")))"));
    }

    [Fact]
    public void With_UIDONLY_there_are_no_numbers()
    {
        var story = new ModelStory();
        story.Model.HasUidOnly = true;
        story.Select(null, "* 3 EXISTS");
        ModelStory.IsWell(story.While("UID FETCH", "* 8 UIDFETCH (FLAGS ())", "* 5 UIDFETCH (FLAGS ())", "* 7 UIDFETCH (FLAGS ())", "* VANISHED 7"));
        Assert.Equal("5,8", story.Model.View!.Members.ToString());
        ModelStory.Breaks("numbers", story.While("UID FETCH", "* 6 UIDFETCH (FLAGS ())"));
        ModelStory.Breaks("numbers", story.While("NOOP", "* VANISHED 4"));
        ModelStory.IsWell(story.While("NOOP", "* 3 EXISTS", "* 101 UIDFETCH (FLAGS ())"));
        ModelStory.Breaks("imap", story.While("UID FETCH", "* 1 FETCH (FLAGS ())"));
        ModelStory.Breaks("imap", story.While("NOOP", "* 1 EXPUNGE"));
    }

    [Fact]
    public void With_NOTIFY_what_a_command_did_not_ask_for_may_be_older_than_the_command()
    {
        var story = ModelStory.Selected(1);
        story.Model.IsToldAtOnce = true;
        Answer fetch = story.While("UID FETCH", @"* 1 FETCH (UID 5 FLAGS (\Seen))", "* 1 FETCH (UID 5 FLAGS () BODY[HEADER.FIELDS (X-Check)] {2}\r\n\r\n)");
        ModelStory.IsWell(fetch);
        Assert.Equal([true, false], fetch.Seen.OfType<SeenMessage>().Select(static m => m.MayBeNews));
    }

    [Fact]
    public void A_new_message_has_a_uid_above_all_that_were_there()
    {
        var story = ModelStory.Selected(1);
        ModelStory.Breaks("numbers", story.While("NOOP", "* 2 EXISTS", "* 2 FETCH (UID 99 FLAGS ())"));
    }

    [Fact]
    public void A_message_that_is_gone_does_not_come_back()
    {
        var story = ModelStory.Selected(2);
        story.While("UID FETCH", "* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)", "* 2 EXPUNGE");
        Answer again = story.Select(null, "* 2 EXISTS", "* 2 FETCH (UID 6 FLAGS ())");
        Assert.Contains(again.Seen.OfType<SeenBreach>(), static b => b.What.Contains("is back", StringComparison.Ordinal));
    }

    [Fact]
    public void Vanished_messages_leave_their_numbers()
    {
        var story = ModelStory.Selected(4, qresync: true);
        story.While("UID FETCH", "* 1 FETCH (UID 5)", "* 4 FETCH (UID 9)");
        ModelStory.IsWell(story.While("NOOP", "* VANISHED 5,7"));
        Assert.Equal((2, 9u), (story.Model.View!.Exists, story.Model.View.UidAt(2)));
        ModelStory.Breaks("numbers", story.While("NOOP", "* VANISHED 12"));
        ModelStory.Breaks("imap", story.While("NOOP", "* 1 EXPUNGE"));
    }

    [Fact]
    public void A_search_for_all_is_compared_with_what_is_known()
    {
        var story = ModelStory.Selected(2);
        story.While("FETCH", "* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)");
        Command search = new("UID SEARCH") { SeeksAll = true, Act = static _ => new Read("", null) };
        Answer right = story.Run(search, "* SEARCH 5 6", "t OK done");
        ModelStory.IsWell(right);
        Assert.Equal("5:6", right.Seen.OfType<SeenAll>().Single().Uids.ToString());
        ModelStory.Breaks("numbers", story.Run(search, "* SEARCH 5", "t OK done"));
        ModelStory.Breaks("numbers", story.Run(search, "* ESEARCH (TAG \"t\") UID ALL 5:7", "t OK done"));
        ModelStory.IsWell(story.Run(search, "* SEARCH 6", "* 1 EXPUNGE", "t OK done"));
        // One came and went meanwhile, at a number whose UID was never told.
        ModelStory.IsWell(story.Run(search, "* 2 EXISTS", "* SEARCH 6 7", "* 2 EXPUNGE", "t OK done"));
        ModelStory.Breaks("numbers", story.Run(search, "* 2 EXISTS", "* SEARCH 6 8 9", "* 2 EXPUNGE", "t OK done"));
    }

    [Theory]
    [InlineData("* VANISHED (EARLIER) 5", "* 2 FETCH (UID 8 MODSEQ (40) FLAGS ())", null)]
    [InlineData("* VANISHED (EARLIER) 1:4", "* 3 FETCH (UID 8 MODSEQ (40) FLAGS ())", "qresync")]
    [InlineData("* VANISHED (EARLIER) 5", "* 1 FETCH (UID 8 MODSEQ (40) FLAGS ())", "numbers")]
    public void Qresync_brings_what_was_remembered_up_to_date(string vanished, string fetch, string? promise)
    {
        var story = new ModelStory(qresync: true);
        MailboxRef inbox = new("anna", "INBOX#7");
        var told = new Told(FlagSet.Empty, 10);
        var remembered = new Remembered(inbox, "INBOX", 7, 20, new Dictionary<uint, Told> { [5] = told, [6] = told });
        Answer answer = story.Select(remembered, "* 2 EXISTS", vanished, fetch);
        if (promise is null)
        {
            ModelStory.IsWell(answer);
            Assert.Equal([6u, 8u], story.Model.View!.Uids);
            Assert.Equal(20, answer.Seen.OfType<SeenVanished>().Single().Since);
        }
        else
        {
            Assert.Contains(answer.Seen.OfType<SeenBreach>(), b => b.Promise == promise);
        }
    }

    [Fact]
    public void Silent_changes_make_flags_unknown()
    {
        var story = ModelStory.Selected(1);
        story.While("FETCH", "* 1 FETCH (UID 5 FLAGS () MODSEQ (10))");
        Assert.NotNull(story.Model.View!.Remember());
        story.While("STORE", "* 1 FETCH (UID 5 MODSEQ (60))");
        Assert.Null(story.Model.View.Remember());
    }

    [Fact]
    public void A_body_is_compared_with_what_was_stored()
    {
        var story = ModelStory.Selected(1);
        Answer right = story.While("FETCH", "* 1 FETCH (UID 5 BODY[] {4}\r\nabcd)");
        Assert.True(right.Seen.OfType<SeenMessage>().Single().Whole);
        Answer wrong = story.While("FETCH", "* 1 FETCH (BODY[] {3}\r\nabc)");
        Assert.False(wrong.Seen.OfType<SeenMessage>().Single().Whole);
    }

    [Fact]
    public void A_refused_select_leaves_none_selected()
    {
        var story = ModelStory.Selected(1);
        story.Run(new Command("SELECT") { Act = static _ => new Read("", null), Select = new SelectAsk("x", false, null, false) }, "t NO [NONEXISTENT] no");
        Assert.Null(story.Model.View);
        ModelStory.Breaks("imap", story.While("NOOP", "* 1 EXISTS"));
    }
}
