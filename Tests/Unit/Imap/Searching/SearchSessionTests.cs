using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>SEARCH and what it answers in each dialect.</summary>
[Covers("ESEARCH", "SEARCHRES", "WITHIN", "INPROGRESS")]
public sealed class SearchSessionTests
{
    [Fact]
    public async Task Plain_answers_of_rev1()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await Finds(c, "ALL", "1 2 3 4");
        await Finds(c, "2:3", "2 3");
        await Finds(c, "*", "4");
        await Finds(c, "9", "");
        await Finds(c, "UID 3:*", "3 4");
        await Finds(c, "SEEN", "2");
        await Finds(c, "UNSEEN KEYWORD $later", "3");
        await Finds(c, "OR SEEN KEYWORD $Later", "2 3");
        await Finds(c, "NOT (OR SEEN KEYWORD $Later)", "1 4");
        await Finds(c, "NEW", "1 3 4");
        await Finds(c, "OLD", "");
        await Finds(c, "FROM a@X.test", "1 3");
        // UTF-8, which is also what stands for no charset; then as another charset has it.
        await Finds(c, "SUBJECT {7+}\r\ngr\u00c3\u00bc\u00c3\u009fe", "2");
        await Finds(c, "CHARSET UTF-8 SUBJECT {7+}\r\ngr\u00c3\u00bc\u00c3\u009fe", "2");
        await Finds(c, "CHARSET ISO-8859-1 SUBJECT {5+}\r\ngr\u00fc\u00dfe", "2");
        await Finds(c, "CHARSET KOI8-R SUBJECT {5+}\r\ngr\u00fc\u00dfe", "");
        await Finds(c, "HEADER X-Odd \"\"", "3");
        await Finds(c, "NOT HEADER X-Odd \"\" UNSEEN", "1 4");
        await Finds(c, "BODY NEEDLE", "3");
        await Finds(c, "TEXT odd", "3");
        await Finds(c, "BODY odd", "");
        await Finds(c, "BODY \"\"", "1 2 3 4");
        await Finds(c, "SENTON 2-Feb-2020", "2");
        await Finds(c, "SENTBEFORE 2-Feb-2020", "1");
        await Finds(c, "SENTSINCE 2-Feb-2020", "2 3");
        await Finds(c, "LARGER 60 SMALLER 10000", "2 3");
        await Finds(c, "BEFORE 1-Jan-1990", "");
        await Finds(c, "YOUNGER 86400", "1 2 3 4");
        await Finds(c, "OLDER 86400", "");
        await Finds(c, "EMAILID M2", "2");
        await Finds(c, "EMAILID nonsense", "");
        await Finds(c, "THREADID T1 NOT 1", "2 3 4");
        await Finds(c, "SAVEDATESUPPORTED SAVEDON 1-Jan-1970", "1 2 3 4");
    }

    [Fact]
    public async Task Bad_searches()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send("a SEARCH", "b SEARCH NONSENSE", "c SEARCH CHARSET X-UNKNOWN ALL", "d SEARCH ON 30-Feb-2020", "e SEARCH (ALL", "f SEARCH RETURN (FOO) ALL");
        await c.Expect("a BAD …", "b BAD …", "c NO [BADCHARSET (US-ASCII UTF-8)] …", "d BAD …", "e BAD …", "f BAD …");
        string deep = string.Concat(Enumerable.Repeat("NOT ", 99)) + "SEEN";
        await Finds(c, deep, "1 3 4");
        await c.Send("g SEARCH NOT NOT " + deep);
        await c.Expect("g BAD …");
    }

    [Fact]
    public async Task RETURN_answers_with_ESEARCH()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send("A1 SEARCH RETURN (MIN COUNT) UNSEEN", "A2 SEARCH RETURN () UNSEEN", "A3 UID SEARCH RETURN (MAX ALL COUNT) UNSEEN", "A4 SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED");
        await c.Expect(
            "* ESEARCH (TAG \"A1\") MIN 1 COUNT 3", "A1 OK …", "* ESEARCH (TAG \"A2\") ALL 1,3:4", "A2 OK …",
            "* ESEARCH (TAG \"A3\") UID MAX 4 COUNT 3 ALL 1,3:4", "A3 OK …", "* ESEARCH (TAG \"A4\") COUNT 0", "A4 OK …");
        await c.Send("B0 UID SEARCH SEEN", "B1 ENABLE IMAP4rev2", "B2 SEARCH SEEN", "B3 UID SEARCH FLAGGED", "B4 SEARCH UNSEEN");
        await c.Expect(
            "* SEARCH 2", "B0 OK …", "* ENABLED IMAP4rev2", "B1 OK …", "* ESEARCH (TAG \"B2\") ALL 2", "B2 OK …", "* ESEARCH (TAG \"B3\") UID", "B3 OK …",
            "* ESEARCH (TAG \"B4\") ALL 1,3:4", "B4 OK …");
    }

    [Fact]
    public async Task A_result_is_saved_as_messages_not_as_numbers()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send("a FETCH $ UID", "b SEARCH RETURN (SAVE) UNSEEN", "c FETCH $ UID", "d SEARCH $ KEYWORD $Later", "e SEARCH RETURN (COUNT) $");
        await c.Expect(
            "a OK …", "b OK SEARCH completed", "* 1 FETCH (UID 1)", "* 3 FETCH (UID 3)", "* 4 FETCH (UID 4)", "c OK …", "* SEARCH 3", "d OK …",
            "* ESEARCH (TAG \"e\") COUNT 3", "e OK …");
        await c.Run("f STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c.Run("f EXPUNGE");
        await c.Send("g FETCH $ UID", "h UID SEARCH RETURN (SAVE MIN) $", "i UID SEARCH UID $", "j SEARCH RETURN (SAVE MIN MAX) ALL", "k SEARCH $", "l SEARCH RETURN (SAVE MAX COUNT) ALL", "m SEARCH NOT $");
        await c.Expect(
            "* 2 FETCH (UID 3)", "* 3 FETCH (UID 4)", "g OK …", "* ESEARCH (TAG \"h\") UID MIN 3", "h OK …", "* SEARCH 3", "i OK …",
            "* ESEARCH (TAG \"j\") MIN 1 MAX 3", "j OK …", "* SEARCH 1 3", "k OK …", "* ESEARCH (TAG \"l\") MAX 3 COUNT 3", "l OK …", "* SEARCH", "m OK …");
        await c.Send("n SEARCH RETURN (SAVE) CHARSET X-NO ALL", "o SEARCH $", "p SEARCH RETURN (SAVE) ALL", "q SEARCH RETURN (SAVE) NONSENSE", "r SEARCH $");
        await c.Expect("n NO [BADCHARSET …", "* SEARCH", "o OK …", "p OK …", "q BAD …", "* SEARCH 1 2 3", "r OK …");
        mail.Bodies.BeforeEmails = () => Task.FromException(new StoreUnavailableException("gone"));
        await c.Send("s SEARCH RETURN (SAVE) TEXT x", "t SEARCH $");
        await c.Expect("s NO [UNAVAILABLE] …", "* SEARCH", "t OK …");
    }

    [Fact]
    public async Task MODSEQ_is_found_and_told()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        long highest = mail.Inbox.Now.ModSeq;
        long first = mail.Inbox.Now[0].ModSeq, second = mail.Inbox.Now[1].ModSeq;
        await c.Send($"a SEARCH MODSEQ {second} SEEN", $"b SEARCH MODSEQ \"/flags/\\\\draft\" all {highest + 1}", "c SEARCH RETURN (MIN) MODSEQ 1", "d SEARCH RETURN (MIN MAX) MODSEQ 1", "e SEARCH RETURN (COUNT) MODSEQ 1");
        await c.Expect(
            $"* OK [HIGHESTMODSEQ {highest}] …", $"* SEARCH 2 (MODSEQ {second})", "a OK …", "* SEARCH", "b OK …", $"* ESEARCH (TAG \"c\") MIN 1 MODSEQ {first}", "c OK …",
            $"* ESEARCH (TAG \"d\") MIN 1 MAX 4 MODSEQ {highest}", "d OK …", $"* ESEARCH (TAG \"e\") COUNT 4 MODSEQ {highest}", "e OK …");
    }

    [Fact]
    public async Task An_expunged_message_is_not_found_while_numbers_stay()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await SelectedAsync(mail);
        await using ImapClient two = await mail.LogInAsync();
        await two.Run("s SELECT INBOX");
        await two.Run("s FETCH 1 UID");
        await one.Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await one.Run("a EXPUNGE");
        await two.Send("b SEARCH ALL", "c UID SEARCH ALL", "d SEARCH ALL");
        await two.Expect("* SEARCH 1 3 4", "b OK …", "* SEARCH 1 3 4", "* 2 EXPUNGE", "c OK …", "* SEARCH 1 2 3", "d OK …");
    }

    [Fact]
    public async Task What_is_cheap_decides_first()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await Finds(c, "TEXT needle SEEN 1", "");
        await Finds(c, "OR TEXT nowhere ALL", "1 2 3 4");
        Assert.Equal((0, 0, 0), mail.Bodies.Asked);
        await Finds(c, "TEXT needle SUBJECT third", "3");
        await Finds(c, "TEXT needle SUBJECT nowhere", "");
        Assert.Equal((2, 1, 0), mail.Bodies.Asked);
    }

    [Fact]
    public async Task A_search_ends_when_its_client_is_gone()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient c = await SelectedAsync(mail);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        mail.Bodies.BeforeEmails = () =>
        {
            begun.TrySetResult();
            return go.Task;
        };
        await c.Send("a SEARCH TEXT needle");
        await begun.Task;
        await c.DisposeAsync();
        go.SetResult();
        await using ImapClient other = await mail.LogInAsync();
        await other.Run("a SELECT INBOX");
        await Finds(other, "TEXT needle", "3");
    }

    [Fact]
    public async Task A_long_search_says_that_it_goes_on()
    {
        var clock = new FakeClock();
        await using FakeMail mail = await FakeMail.StartAsync(time: clock);
        await using ImapClient c = await SelectedAsync(mail);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        mail.Bodies.BeforeEmails = () => go.Task;
        await c.Send("a SEARCH TEXT needle");
        Task said = c.Expect("* OK [INPROGRESS (\"a\" NIL NIL)] Still searching");
        while (!said.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            await Task.Yield();
        }
        await said;
        go.SetResult();
        Assert.Equal("* SEARCH 3", (await c.Ok("a"))[^1]);
    }

    private static async Task Finds(ImapClient client, string keys, string numbers)
    {
        await client.Send("s SEARCH " + keys);
        await client.Expect(("* SEARCH " + numbers).TrimEnd(), "s OK SEARCH completed");
    }

    /// <summary>Four messages: 2 is \Seen, 3 has $Later, 4 has no header to speak of.</summary>
    private static async Task<ImapClient> SelectedAsync(FakeMail mail)
    {
        ImapClient client = await mail.LogInAsync();
        await client.Append("s", "INBOX", "From: A@x.test\r\nDate: Sat, 1 Feb 2020 23:59:59 -0800\r\n\r\n1\r\n");
        await client.Append("s", "INBOX", "From: b@x.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Sun, 2 Feb 2020 00:00:01 +0900\r\n\r\n2\r\n", "(\\Seen)");
        await client.Append("s", "INBOX", "From: a@X.test\r\nSubject: third\r\nX-Odd: 1\r\nDate: Mon, 3 Feb 2020 00:00:00 +0000\r\n\r\na nee=\r\ndle needle\r\n", "($Later)");
        await client.Append("s", "INBOX", "Date: nonsense\r\n\r\n");
        await client.Run("s SELECT INBOX");
        return client;
    }
}
