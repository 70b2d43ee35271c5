using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>UIDONLY (RFC 9586).</summary>
[Covers("UIDONLY")]
public sealed class UidOnlyTests
{
    [Fact]
    public async Task Message_numbers_are_refused()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, 3);
        await c.Send(
            "01 FETCH 1 FLAGS", "02 STORE 1 +FLAGS (\\Seen)", "03 SEARCH ALL", "04 COPY 1 INBOX", "05 MOVE 1 INBOX", "06 SORT (ARRIVAL) UTF-8 ALL", "07 THREAD REFS UTF-8 ALL", "08 UID SEARCH 1:*",
            "09 UID SEARCH NOT (OR 2 SEEN)", "10 UID SORT (ARRIVAL) UTF-8 2", "11 UID THREAD REFS UTF-8 1:2", "12 FETCH nonsense", "13 REPLACE 1 INBOX");
        for (int i = 1; i <= 13; i++)
            await c.Bad($"{i:00}", "[UIDREQUIRED] …");
        Assert.All(mail.Inbox.Now.Messages(), static m => Assert.Equal(MailCluster.Contracts.SystemFlags.None, m.SystemFlags));
        await c.Send("20 UID SEARCH UID 2:*", "21 UID SEARCH RETURN (SAVE COUNT) UNSEEN", "22 UID SEARCH $", "23 UID SORT (REVERSE ARRIVAL) UTF-8 ALL", "24 UID THREAD REFS UTF-8 ALL", "25 EXPUNGE", "26 NOOP");
        await c.Expect(
            "* SEARCH 2 3", "20 OK …", "* ESEARCH (TAG \"21\") UID COUNT 3", "21 OK …", "* SEARCH 1 2 3", "22 OK …", "* SORT …", "23 OK …", "* THREAD (1)(2)(3)", "24 OK …", "25 OK …", "26 OK …");
    }

    [Fact]
    public async Task UIDFETCH_and_VANISHED()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, 4);
        await c.Run("a CREATE Other");
        await c.Run("a UID STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c.Send("b UID EXPUNGE 2", "c UID FETCH 3:4 (FLAGS)", "d UID FETCH 3 (UID FLAGS)", "e UID STORE 4 +FLAGS (\\Seen)", "f UID FETCH 3 BODY[TEXT]", "g UID MOVE 1 Other", "h UID FETCH 3 (FLAGS) (CHANGEDSINCE 1)");
        await c.Expect(
            "* VANISHED 2", "b OK …", "* 3 UIDFETCH (FLAGS (\\Recent))", "* 4 UIDFETCH (FLAGS (\\Recent))", "c OK …", "* 3 UIDFETCH (UID 3 FLAGS (\\Recent))", "d OK …",
            "* 4 UIDFETCH (FLAGS (\\Seen \\Recent))", "e OK …", "* 3 UIDFETCH (BODY[TEXT] {1}\r\nx FLAGS (\\Seen \\Recent))", "f OK …");
        await c.Expect("* OK [COPYUID …", "* VANISHED 1", "g OK …", "* OK [HIGHESTMODSEQ …", "* 3 UIDFETCH (FLAGS (…) MODSEQ (…))", "h OK …");
    }

    /// <summary>What others do is told by UID, while the others go on with numbers.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c0 = await mail.LogInAsync())
        {
            for (int i = 0; i < 3; i++)
                await c0.Append("s", "INBOX", "\r\nx");
        }
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Send("a ENABLE UIDONLY", "b ENABLE UIDONLY");
        await c[1].Expect("* ENABLED UIDONLY", "a OK …", "* ENABLED", "b OK …");
        await c[1].Run("c NOOP");
        await c[2].Run("a STORE 1,3 +FLAGS.SILENT (\\Deleted)");
        await c[1].Send("d NOOP");
        await c[1].Expect("* 1 UIDFETCH (FLAGS (…\\Deleted…))", "* 3 UIDFETCH (FLAGS (…\\Deleted…))", "d OK …");
        await c[2].Send("b EXPUNGE");
        await c[2].Expect("* 1 EXPUNGE", "* 2 EXPUNGE", "b OK …");
        await c[1].Send("e UID FETCH 1:3 (FLAGS)", "f NOOP");
        await c[1].Expect("* 1 UIDFETCH …", "* 2 UIDFETCH (FLAGS (…))", "* 3 UIDFETCH …", "* VANISHED 1,3", "e OK …", "f OK …");
        await c[1].Send("g UID STORE 2 FLAGS (\\Flagged)");
        await c[1].Expect("* 2 UIDFETCH (FLAGS (\\Flagged…))", "g OK …");
        await c[2].Send("c NOOP");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Flagged…))", "c OK …");
        await c[1].Send("h ENABLE QRESYNC", "i SELECT INBOX (QRESYNC (1000 1 1:3 (1 1)))");
        await c[1].Expect("* ENABLED QRESYNC", "* OK [HIGHESTMODSEQ …", "h OK …", "i BAD [UIDREQUIRED] …");
        await c[1].Send("j SELECT INBOX (QRESYNC (1000 1 1:3))");
        Assert.Contains("* VANISHED (EARLIER) 1,3", await c[1].Ok("j"));
    }

    private static async Task<ImapClient> SelectedAsync(FakeMail mail, int messages)
    {
        ImapClient client = await mail.LogInAsync();
        for (int i = 0; i < messages; i++)
            await client.Append("s", "INBOX", "\r\nx");
        await client.Send("s ENABLE UIDONLY", "t SELECT INBOX");
        Assert.Equal(["* ENABLED UIDONLY"], await client.Ok("s"));
        await client.Ok("t");
        return client;
    }
}
