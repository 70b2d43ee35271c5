using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>MESSAGELIMIT (RFC 9738), which an option switches on; the examples of that RFC with a limit of 3.</summary>
[Covers("MESSAGELIMIT=")]
public sealed class MessageLimitTests
{
    [Fact]
    public async Task The_newest_are_worked_on_and_the_lowest_UID_of_them_is_told()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { MessageLimit = 3 });
        await using ImapClient c = await FilledAsync(mail, 6);
        Assert.Contains(" MESSAGELIMIT=3", Assert.Single(await c.Run("a CAPABILITY")));
        await c.Send("b UID FETCH 1:* (UID)", "c FETCH 2:5 (UID)", "d UID FETCH 1:3 (UID)", "e UID STORE 1:5 +FLAGS.SILENT (\\Flagged)", "f UID SEARCH ALL", "g SEARCH UID 1:4", "h UID SEARCH RETURN (COUNT) UIDBEFORE 6");
        await c.Expect(
            "* 6 FETCH (UID 6)", "* 5 FETCH (UID 5)", "* 4 FETCH (UID 4)", "b OK [MESSAGELIMIT 3 4] …",
            "* 5 FETCH (UID 5)", "* 4 FETCH (UID 4)", "* 3 FETCH (UID 3)", "c OK [MESSAGELIMIT 3 3] …",
            "* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "d OK UID FETCH completed",
            "e OK [MESSAGELIMIT 3 3] …", "* SEARCH 4 5 6", "f OK [MESSAGELIMIT 3 4] …", "* SEARCH 2 3 4", "g OK [MESSAGELIMIT 3 2] …", "* ESEARCH (TAG \"h\") UID COUNT 3", "h OK [MESSAGELIMIT 3 3] …");
        // The count is of what is searched, not of what is found; and only that is saved.
        await c.Send("i UID SEARCH RETURN (SAVE COUNT) FLAGGED", "j UID SEARCH $", "k UID SEARCH UIDAFTER 3", "l UID SEARCH UIDAFTER 2 UIDBEFORE 5");
        await c.Expect("* ESEARCH (TAG \"i\") UID COUNT 2", "i OK [MESSAGELIMIT 3 4] …", "* SEARCH 4 5", "j OK …", "* SEARCH 4 5 6", "k OK UID SEARCH completed", "* SEARCH 3 4", "l OK UID SEARCH completed");
    }

    [Fact]
    public async Task What_is_done_wholly_or_not_at_all_is_refused()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { MessageLimit = 3 });
        await using ImapClient c = await FilledAsync(mail, 6);
        await c.Send("a COPY 1:4 INBOX", "b SORT (ARRIVAL) UTF-8 ALL", "c UID THREAD REFERENCES UTF-8 1:4", "d SORT (ARRIVAL) UTF-8 4:6", "e UID FETCH 1:* (UID) (PARTIAL 1:4)", "f UID FETCH 1:* (UID) (PARTIAL 1:3)");
        await c.Expect(
            "a NO [MESSAGELIMIT 3] …", "b NO [MESSAGELIMIT 3] …", "c NO [MESSAGELIMIT 3] …", "* SORT 4 5 6", "d OK …", "e NO [MESSAGELIMIT 3] …",
            "* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "f OK UID FETCH completed");
        await c.SendRaw("g APPEND INBOX" + string.Concat(Enumerable.Repeat(" {3+}\r\n\r\nx", 4)) + "\r\nh NOOP\r\n");
        await c.Expect("g NO [MESSAGELIMIT 3] …", "h OK …");
        Assert.Equal(6, mail.Inbox.Now.Count);
    }

    /// <summary>A move and UID EXPUNGE leave the rest where it is; a plain EXPUNGE takes all.</summary>
    [Fact]
    public async Task Removal()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { MessageLimit = 3 });
        await using ImapClient c = await FilledAsync(mail, 9);
        await c.Run("a CREATE Work");
        await c.Send("b UID MOVE 1:9 Work");
        // The code of the OK may be taken by HIGHESTMODSEQ: then it comes apart.
        await c.Expect("* OK [COPYUID … 7:9 1:3] …", "* 7 EXPUNGE", "* 7 EXPUNGE", "* 7 EXPUNGE", "b OK [MESSAGELIMIT 3 7] …");
        await c.Send("c UID STORE 4:6 +FLAGS.SILENT (\\Deleted)", "d UID STORE 1:3 +FLAGS.SILENT (\\Deleted)", "e ENABLE QRESYNC", "f UID EXPUNGE 1:6");
        await c.Expect("c OK …", "d OK …", "* ENABLED QRESYNC", "* OK [HIGHESTMODSEQ …", "e OK …", "* NO [MESSAGELIMIT 3 4] …", "* VANISHED 4:6", "f OK [HIGHESTMODSEQ …");
        await c.Send("g EXPUNGE");
        await c.Expect("* VANISHED 1:3", "g OK [HIGHESTMODSEQ …");
    }

    [Fact]
    public async Task It_is_off_by_default()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail, 4);
        Assert.DoesNotContain("LIMIT=", Assert.Single(await c.Run("a CAPABILITY")).Replace("APPENDLIMIT=", "", StringComparison.Ordinal));
        await c.Send("b UID SEARCH UIDAFTER 1 UIDBEFORE 4", "c UID SEARCH UIDAFTER 4294967295", "d UID SEARCH UIDBEFORE 1", "e UID SEARCH UIDAFTER *", "f UID SEARCH UIDBEFORE 1:2");
        await c.Expect("* SEARCH 2 3", "b OK …", "* SEARCH", "c OK …", "* SEARCH", "d OK …");
        await c.Bad("e");
        await c.Bad("f");
    }

    private static async Task<ImapClient> FilledAsync(FakeMail mail, int messages)
    {
        ImapClient client = await mail.LogInAsync();
        for (int i = 0; i < messages; i++)
            await client.Append("s", "INBOX", "\r\nx");
        await client.Run("s SELECT INBOX");
        return client;
    }
}
