using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>NOTIFY (RFC 5465): what is told while no command asks for it.</summary>
[Covers("NOTIFY")]
public sealed class NotifyTests
{
    private const string Message = "Subject: one\r\nFrom: a@b.test\r\n\r\nbody\r\n";

    /// <summary>The story of RFC 5465 §3.1, with smaller numbers.</summary>
    [Fact]
    public async Task The_example_of_the_RFC()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Lists/Lemonade", "Lists/Im2000", "misc");
        await other.Append("s", "INBOX", Message);
        await DoAsync(c, "b SELECT INBOX");
        await c.Send("a notify set status (selected MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge) (subtree Lists MessageNew MessageExpunge)");
        await c.Expect(
            "* STATUS \"Lists\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1000)", "* STATUS \"Lists/Im2000\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1000)",
            "* STATUS \"Lists/Lemonade\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1000)", "a OK NOTIFY completed");
        // Time passes: a message in a mailbox that is not selected, one in one that is not watched, one in the selected one.
        await other.Append("s", "misc", Message);
        await other.Append("s", "Lists/Lemonade", Message);
        await c.Expect("* STATUS \"Lists/Lemonade\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000)");
        await other.Append("s", "INBOX", Message);
        await c.Expect("* 2 EXISTS", "* 2 RECENT", "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (from to subject)] {…}\r\nSubject: one\r\nFrom: a@b.test\r\n\r\n)");
        // One more mailbox: its counters are asked for, since STATUS would tell all of them.
        await c.Send("d STATUS misc (UIDVALIDITY UIDNEXT MESSAGES)");
        await c.Expect("* STATUS \"misc\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000)", "d OK …");
        await c.Send("e notify set (selected (MessageNew (uid) MessageExpunge)) (subtree Lists (MessageNew MessageExpunge)) (mailboxes misc (MessageNew MessageExpunge))");
        await c.Expect("e OK …");
        await other.Append("s", "misc", Message);
        await c.Expect("* STATUS \"misc\" (MESSAGES 2 UIDNEXT 3)");
    }

    [Fact]
    public async Task An_expunge_is_told_at_once_with_SELECTED()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await FilledAsync(c, other, 3);
        await c.Run("a NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))");
        await DoAsync(other, "a SELECT INBOX", "b UID STORE 2 +FLAGS (\\Deleted)");
        await c.Expect("* 2 FETCH (UID 2 FLAGS (\\Deleted…))");
        await other.Run("c EXPUNGE");
        await c.Expect("* 2 EXPUNGE");
        await other.Run("d UID STORE 3 +FLAGS.SILENT (\\Seen)");
        await c.Expect("* 2 FETCH (UID 3 FLAGS (\\Seen…))");
    }

    /// <summary>With SELECTED an EXPUNGE comes where numbers are in use as well; with SELECTED-DELAYED it waits.</summary>
    [Theory]
    [InlineData("SELECTED", true)]
    [InlineData("SELECTED-DELAYED", false)]
    public async Task Numbers(string which, bool atOnce)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await FilledAsync(c, other, 3);
        await c.Run($"a NOTIFY SET ({which} (MessageNew MessageExpunge))");
        await DoAsync(other, "a SELECT INBOX", "b UID STORE 1 +FLAGS (\\Deleted)", "c EXPUNGE");
        if (atOnce)
            await c.Expect("* 1 EXPUNGE");
        // While both have it selected, either of them may be the first to hear of a message, and gets RECENT.
        await other.Run("d UNSELECT");
        await other.Append("s", "INBOX", Message);
        await c.Expect($"* {(atOnce ? 3 : 4)} EXISTS", "* … RECENT");
        await c.Send("b FETCH 2 (UID)", "c UID FETCH 2:3 (UID)");
        if (atOnce)
            await c.Expect("* 2 FETCH (UID 3)", "b OK …", "* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)", "c OK …");
        else
            await c.Expect("* 2 FETCH (UID 2)", "b OK …", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "* 1 EXPUNGE", "c OK …");
    }

    [Fact]
    public async Task IDLE_tells_the_same_and_the_expunges_that_waited()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await FilledAsync(c, other, 2);
        await c.Run("a NOTIFY SET (SELECTED-DELAYED (MessageNew (UID) MessageExpunge)) (PERSONAL (MessageNew MessageExpunge MailboxName))");
        await DoAsync(other, "a SELECT INBOX", "b UID STORE 1 +FLAGS (\\Deleted)", "c EXPUNGE");
        // While both have it selected, either of them may be the first to hear of a message, and gets RECENT.
        await other.Run("d UNSELECT");
        await c.Send("b IDLE");
        await c.Expect("+ idling", "* 1 EXPUNGE");
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000)");
        await other.Append("s", "INBOX", Message);
        await c.Expect("* 2 EXISTS", "* … RECENT", "* 2 FETCH (UID 3)");
        await other.Run("d CREATE Later");
        await c.Expect("* LIST (\\HasNoChildren) \"/\" \"Later\"");
        await c.Send("DONE");
        await c.Expect("b OK …");
    }

    /// <summary>NOTIFY SET without SELECTED is a snapshot (§5): numbers and messages stay as they were told, until the client asks.</summary>
    [Theory]
    [InlineData("NOTIFY NONE")]
    [InlineData("NOTIFY SET (PERSONAL (MailboxName))")]
    [InlineData("NOTIFY SET (SELECTED NONE) (PERSONAL (MailboxName))")]
    public async Task A_snapshot(string command)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await FilledAsync(c, other, 3);
        await c.Run("a " + command);
        await DoAsync(other, "a SELECT INBOX", "b UID STORE 1 +FLAGS (\\Deleted)", "c EXPUNGE", "d UID STORE 2 +FLAGS (\\Flagged)");
        await other.Append("s", "INBOX", Message);
        await c.Send("b UID SEARCH ALL", "c UID FETCH 1:* (UID FLAGS)", "d STORE 3 +FLAGS (\\Seen)", "e COPY 2 INBOX", "f NOOP");
        await c.Expect(
            "* SEARCH 2 3", "b OK …", "* 1 FETCH (UID 1 FLAGS (…))", "* 2 FETCH (UID 2 FLAGS (\\Flagged…))", "* 3 FETCH (UID 3 FLAGS (…))", "c OK …",
            "* 3 FETCH (FLAGS (\\Seen…))", "d OK …", "e OK …", "* 1 EXPUNGE", "* 4 EXISTS", "* … RECENT", "f OK …");
    }

    [Fact]
    public async Task Its_own_EXPUNGE_is_answered_in_a_snapshot_too()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await FilledAsync(c, other, 3);
        await c.Send("a NOTIFY NONE", "b STORE 1 +FLAGS.SILENT (\\Deleted)", "c EXPUNGE", "d MOVE 2 Work");
        await c.Expect("a OK …", "b OK …", "* 1 EXPUNGE", "c OK …", "* OK [COPYUID …", "* 2 EXPUNGE", "d OK …");
    }

    [Fact]
    public async Task Flags_that_nobody_asked_for_are_not_told()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await FilledAsync(c, other, 2);
        await c.Run("a NOTIFY SET (SELECTED (MessageNew MessageExpunge))");
        await DoAsync(other, "a SELECT INBOX", "b STORE 1 +FLAGS (\\Flagged)");
        await c.Send("b STORE 2 +FLAGS (\\Seen)", "c FETCH 1 FLAGS");
        await c.Expect("* 2 FETCH (FLAGS (\\Seen…))", "b OK …", "* 1 FETCH (FLAGS (\\Flagged…))", "c OK …");
    }

    [Fact]
    public async Task Names()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await c.Run("a NOTIFY SET (PERSONAL (MailboxName SubscriptionChange))");
        await other.Run("a CREATE One");
        await c.Expect("* LIST (\\HasNoChildren) \"/\" \"One\"");
        await other.Run("b CREATE One/Two (USE (\\Drafts))");
        await c.Expect("* LIST (\\HasChildren) \"/\" \"One\"", "* LIST (\\HasNoChildren \\Drafts) \"/\" \"One/Two\"");
        await other.Run("c SUBSCRIBE One");
        await c.Expect("* LIST (\\Subscribed \\HasChildren) \"/\" \"One\"");
        await other.Run("d RENAME One Three");
        await c.Expect("* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"One\"", "* LIST (\\HasChildren) \"/\" \"Three\" (\"OLDNAME\" (\"One\"))",
            "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Three/Two\" (\"OLDNAME\" (\"One/Two\"))");
        await other.Run("e UNSUBSCRIBE One");
        await c.Expect("* LIST (\\NonExistent \\HasNoChildren) \"/\" \"One\"");
        await other.Run("f DELETE Three/Two");
        await c.Expect("* LIST (\\HasNoChildren) \"/\" \"Three\"", "* LIST (\\NonExistent \\HasNoChildren) \"/\" \"Three/Two\"");
    }

    /// <summary>What was missed is told in one: LIST alone would leave it with the figures of the mailboxes that had these names before.</summary>
    [Fact]
    public async Task Names_that_other_mailboxes_have_now()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "One", "Two");
        await other.Append("s", "One", Message);
        await c.Run("a NOTIFY SET (PERSONAL (MessageNew MessageExpunge MailboxName))");
        mail.Owner.LosesPushes = true;
        await DoAsync(other, "a DELETE One", "b RENAME Two One", "c CREATE Two");
        mail.Owner.LosesPushes = false;
        await other.Run("d CREATE Three");
        await c.Expect(
            "* LIST (\\HasNoChildren) \"/\" \"One\" (\"OLDNAME\" (\"Two\"))", "* LIST (\\HasNoChildren) \"/\" \"Three\"", "* LIST (\\HasNoChildren) \"/\" \"Two\"",
            "* STATUS \"One\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY …)", "* STATUS \"Two\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY …)");
    }

    /// <summary>§5.6 and §5.7, with RFC 5464 §4.4.2: names of annotations, not values.</summary>
    [Fact]
    public async Task Annotations()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await other.Run("a SETMETADATA INBOX (/private/comment \"old\")");
        await c.Run("a NOTIFY SET (MAILBOXES INBOX (MailboxMetadataChange ServerMetadataChange))");
        await other.Run("b SETMETADATA INBOX (/shared/comment \"one\" /private/comment \"new\")");
        await c.Expect("* METADATA \"INBOX\" /private/comment /shared/comment");
        await other.Run("c SETMETADATA Work (/shared/comment \"one\")");
        await other.Run("d SETMETADATA \"\" (/private/vendor/x/y \"y\")");
        await c.Expect("* METADATA \"\" /private/vendor/x/y");
        await other.Run("e SETMETADATA INBOX (/shared/comment NIL)");
        await c.Expect("* METADATA \"INBOX\" /shared/comment");
        // Its own, and what is the same again, are no news.
        await c.Run("f SETMETADATA INBOX (/shared/comment \"mine\")");
        await other.Run("f SETMETADATA INBOX (/private/comment \"new\")");
        await other.Run("g SETMETADATA INBOX (/private/comment \"newer\")");
        await c.Expect("* METADATA \"INBOX\" /private/comment");
    }

    /// <summary>What the client does itself is no news to it.</summary>
    [Fact]
    public async Task Own_changes()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await FilledAsync(c, other, 1);
        await c.Run("a NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge)) (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))");
        await c.Send("b CREATE Mine", "c SUBSCRIBE Mine", "d RENAME Mine Ours", "e DELETE Ours", "f COPY 1 Work");
        await c.Expect("b OK …", "c OK …", "d OK …", "e OK …", "f OK …");
        IReadOnlyList<string> appended = await c.Append("g", "INBOX", Message);
        Assert.Equal("* 2 EXISTS", appended[0]);
        Assert.DoesNotContain(appended, static l => l.Contains("FETCH", StringComparison.Ordinal));
        Assert.Empty(await c.Append("h", "Work", Message));
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1000 UNSEEN 3)");
    }

    [Fact]
    public async Task Flags_of_other_mailboxes_and_modseqs()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await other.Append("s", "Work", Message);
        await other.Run("a SELECT Work");
        await c.Send("a ENABLE CONDSTORE", "b NOTIFY SET STATUS (MAILBOXES (Work Nowhere) (MessageNew MessageExpunge FlagChange))");
        await c.Expect("* ENABLED CONDSTORE", "a OK …", "* STATUS \"Work\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000 UNSEEN 1 HIGHESTMODSEQ 2)", "b OK …");
        await other.Run("b STORE 1 +FLAGS (\\Seen)");
        await c.Expect("* STATUS \"Work\" (UIDVALIDITY 1000 UNSEEN 0 HIGHESTMODSEQ 3)");
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1000 UNSEEN 1 HIGHESTMODSEQ 4)");
        await c.Run("c NOTIFY SET (SUBSCRIBED (MessageNew MessageExpunge))");
        await other.Append("s", "Work", Message);
        // With its subscription a mailbox is told whole, whatever had come before that was heard of.
        await other.Run("c SUBSCRIBE Work");
        await c.Expect("* STATUS \"Work\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1000 HIGHESTMODSEQ 5)");
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 4 UIDNEXT 5 HIGHESTMODSEQ 6)");
        // As with a name that comes to be among those that are watched; what leaves them is told no more.
        await c.Run("c NOTIFY SET (SUBTREE Lists (MessageNew MessageExpunge MailboxName))");
        await other.Run("c RENAME Work Lists/Work");
        await c.Expect("* LIST (\\HasNoChildren) \"/\" \"Lists/Work\" (\"OLDNAME\" (\"Work\"))",
            "* STATUS \"Lists/Work\" (MESSAGES 4 UIDNEXT 5 UIDVALIDITY 1000 HIGHESTMODSEQ 6)");
    }

    /// <summary>While a mailbox is selected nothing of it is told as of the others (RFC 5465 §6.1): what was not told there is, once it is left.</summary>
    [Fact]
    public async Task What_came_while_a_mailbox_was_selected()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await FilledAsync(c, other, 3);
        await c.Run("a NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))");
        // The client's own changes, and what it was told, are no news.
        await c.Run("b STORE 1 +FLAGS.SILENT (\\Seen \\Deleted)");
        Assert.Empty(await c.Run("c UNSELECT"));
        await c.Run("d SELECT INBOX");
        Assert.Empty(await c.Run("e CLOSE"));
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000 UNSEEN 1)");
        // What others do here is told with commands, if there are any.
        await c.Run("f SELECT INBOX");
        await other.Append("s", "INBOX", Message);
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1000 UNSEEN 2)");
        await c.Send("g UNSELECT");
        await c.Expect("g OK …", "* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 1000 UNSEEN 3)");
    }

    [Fact]
    public async Task With_QRESYNC_and_UIDONLY()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await other.Append("s", "INBOX", Message);
        await DoAsync(c, "a ENABLE QRESYNC UIDONLY IMAP4rev2", "b SELECT INBOX", "c NOTIFY SET (SELECTED (MessageNew (MODSEQ BODY[TEXT]) MessageExpunge FlagChange))");
        await other.Append("s", "INBOX", Message);
        await c.Expect("* 2 EXISTS", "* 2 UIDFETCH (MODSEQ (3) BODY[TEXT] {6}\r\nbody\r\n)");
        await DoAsync(other, "a SELECT INBOX", "b STORE 1 +FLAGS (\\Deleted)");
        await c.Expect("* 1 UIDFETCH (FLAGS (\\Deleted) MODSEQ (4))");
        await other.Run("c EXPUNGE");
        await c.Expect("* VANISHED 1");
        await c.Send("d UID FETCH 2 (FLAGS)");
        await c.Expect("* 2 UIDFETCH (FLAGS ()…)", "d OK …");
    }

    [Fact]
    public async Task A_selected_mailbox_that_goes_ends_the_session_at_once()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await DoAsync(c, "a SELECT Work", "b NOTIFY SET (SELECTED (MessageNew MessageExpunge))");
        await other.Run("a DELETE Work");
        await c.Expect("* BYE The selected mailbox was deleted");
        await c.Closed();
    }

    [Fact]
    public async Task Another_mailbox_that_is_selected_later_is_the_selected_one()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail, "Work");
        await c.Run("a NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge)) (PERSONAL (MessageNew MessageExpunge))");
        await other.Append("s", "INBOX", Message);
        await c.Expect("* STATUS \"INBOX\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1000)");
        await c.Run("b SELECT Work");
        await other.Append("s", "Work", Message);
        await c.Expect("* 1 EXISTS", "* 1 RECENT", "* 1 FETCH (UID 1)");
        await c.Run("c SELECT INBOX");
        await other.Append("s", "Work", Message);
        await c.Expect("* STATUS \"Work\" (MESSAGES 2 UIDNEXT 3)");
    }

    [Fact]
    public async Task Refusals()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        string[] bad =
        [
            "NOTIFY", "NOTIFY SET", "NOTIFY SOME", "NOTIFY NONE x", "NOTIFY SET STATUS", "NOTIFY SET (SELECTED (MessageNew))", "NOTIFY SET (SELECTED (MessageExpunge))",
            "NOTIFY SET (PERSONAL (FlagChange))", "NOTIFY SET (PERSONAL (AnnotationChange))", "NOTIFY SET (SELECTED (MailboxName))",
            "NOTIFY SET (SELECTED NONE) (SELECTED-DELAYED NONE)", "NOTIFY SET (EVERYTHING (MailboxName))", "NOTIFY SET (MAILBOXES (MailboxName))", "NOTIFY SET (SELECTED (MessageNew (NONSENSE) MessageExpunge))",
            "NOTIFY SET (PERSONAL (MailboxName)",
        ];
        foreach (string command in bad)
        {
            await c.Send("a " + command);
            await c.Bad("a");
        }
        const string code = "[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] …";
        await c.Send("b NOTIFY SET (PERSONAL (MailboxName Weather))", "c NOTIFY SET (PERSONAL (MessageNew MessageExpunge AnnotationChange))");
        await c.No("b", code);
        await c.No("c", code);
        await c.Send($"d NOTIFY SET (MAILBOXES ({string.Join(' ', Enumerable.Range(0, 1001))}) (MailboxName))", "e NOOP");
        await c.No("d", "[NOTIFICATIONOVERFLOW] …");
        // None of them has changed anything: the default is still there.
        await c.Expect("e OK …");
        mail.Owner.Unreachable = true;
        await c.Send("f NOTIFY SET (PERSONAL (MailboxName))");
        await c.No("f", "[UNAVAILABLE] …");
        Assert.Equal(0, mail.Accounts.Count);
    }

    /// <summary>One registration a process and account, as long as somebody wants it.</summary>
    [Fact]
    public async Task Who_no_longer_wants_to_hear_costs_nothing()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await mail.LogInAsync(), two = await mail.LogInAsync();
        await one.Run("a NOTIFY SET (SELECTED (MessageNew MessageExpunge))");
        Assert.Equal((0, 0), (mail.Accounts.Count, mail.Owner.Watchers));
        await one.Run("b NOTIFY SET (PERSONAL (MailboxName))");
        await two.Run("b NOTIFY SET (PERSONAL (MailboxName))");
        Assert.Equal((1, 1), (mail.Accounts.Count, mail.Owner.Watchers));
        await one.Run("c NOTIFY NONE");
        Assert.Equal(1, mail.Owner.Watchers);
        await two.Run("c LOGOUT");
        await Eventually.Async("The account is still watched", () => Task.FromResult(mail.Owner.Watchers == 0));
        Assert.Equal(0, mail.Accounts.Count);
    }

    /// <summary>An owner that is out of reach for too long: the client is told that it hears nothing any more, and asks again.</summary>
    [Fact]
    public async Task Overflow()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        (ImapClient c, ImapClient other) = await PairAsync(mail);
        await c.Run("a NOTIFY SET (SELECTED (MessageNew MessageExpunge)) (PERSONAL (MessageNew MessageExpunge MailboxName))");
        mail.Owner.Unreachable = true;
        mail.Accounts.OwnersWereLost();
        await c.Expect("* OK [NOTIFICATIONOVERFLOW] …");
        mail.Owner.Unreachable = false;
        await other.Run("a CREATE Meanwhile");
        await c.Send("b NOTIFY SET STATUS (PERSONAL (MessageNew MessageExpunge))");
        await c.Expect("* STATUS \"INBOX\" …", "* STATUS \"Meanwhile\" …", "b OK …");
    }

    private static async Task<(ImapClient Client, ImapClient Other)> PairAsync(FakeMail mail, params string[] folders)
    {
        (ImapClient client, ImapClient other) = (await mail.LogInAsync(), await mail.LogInAsync());
        foreach (string folder in folders)
            await other.Run($"s CREATE {folder}");
        return (client, other);
    }

    /// <summary>INBOX with messages, selected by the first and known to it.</summary>
    private static async Task FilledAsync(ImapClient client, ImapClient other, int messages)
    {
        for (int i = 0; i < messages; i++)
            await other.Append("s", "INBOX", Message);
        await DoAsync(client, "s SELECT INBOX", "t NOOP");
    }

    private static async Task DoAsync(ImapClient client, params string[] commands)
    {
        foreach (string command in commands)
            await client.Run(command);
    }
}
