using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>SORT (RFC 5256), SORT=DISPLAY (RFC 5957), ESORT (RFC 5267) and PARTIAL (RFC 9394).</summary>
[Covers("SORT", "SORT=DISPLAY", "ESORT")]
public sealed class SortTests
{
    [Fact]
    public async Task By_each_criterion()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, 1, "From: bob@b.test\r\nTo: Zoe <z@x.test>\r\nCc: c@x.test\r\nSubject: Re: beta\r\nDate: Sun, 2 Feb 2020 00:30:00 +0100\r\n", "22-Feb-2020");
        await Add(c, 2, "From: Ann <ANN@a.test>\r\nTo: adam@x.test\r\nSubject: ALPHA\r\nDate: Sat, 1 Feb 2020 23:00:00 +0000\r\nX-Long: 0123456789\r\n", "21-Feb-2020");
        await Add(c, 3, "From: ann@c.test\r\nCc: A@x.test\r\nSubject: =?utf-8?q?[list]_b=C3=A9ta?=\r\nDate: never\r\n", "20-Feb-2020");
        await Add(c, 4, "Subject: [fwd: alpha]\r\n", "1-Jan-2020");
        await c.Run("s SELECT INBOX");
        await Sorts(c, "(ARRIVAL)", "4 3 2 1");
        await Sorts(c, "(REVERSE ARRIVAL)", "1 2 3 4");
        await Sorts(c, "(SIZE)", "4 3 1 2", reverseOf: "(REVERSE SIZE)");
        // What has no date that can be read has its internal date; equal ones stay in the order of the mailbox.
        await Sorts(c, "(DATE)", "4 2 1 3");
        await Sorts(c, "(FROM)", "4 2 3 1");
        await Sorts(c, "(FROM REVERSE DATE)", "4 3 2 1");
        await Sorts(c, "(TO)", "3 4 2 1");
        await Sorts(c, "(CC)", "2 4 3 1");
        // BETA is before BÉTA: the accent follows its letter.
        await Sorts(c, "(SUBJECT)", "2 4 1 3");
        await Sorts(c, "(SUBJECT ARRIVAL)", "4 2 1 3");
        await Sorts(c, "(REVERSE SUBJECT)", "3 1 2 4");
        await Sorts(c, "(DISPLAYFROM)", "4 2 3 1");
        await Sorts(c, "(DISPLAYTO)", "3 4 2 1");
    }

    /// <summary>RFC 5256 §3: the criteria and keys of its examples.</summary>
    [Fact]
    public async Task Examples()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, 1, "From: Brown <b@x.test>\r\nSubject: two\r\nDate: Wed, 2 Feb 1994 10:00:00 +0000\r\n", "2-Feb-1994");
        await Add(c, 2, "From: Smith <s@x.test>\r\nSubject: one\r\nDate: Thu, 3 Feb 1994 10:00:00 +0000\r\n", "3-Feb-1994");
        await Add(c, 3, "From: Smith <s@x.test>\r\nSubject: \r\nDate: Tue, 1 Feb 1994 10:00:00 +0000\r\n", "1-Feb-1994");
        await c.Run("s SELECT INBOX");
        await c.Run("s STORE 3 +FLAGS.SILENT (\\Seen)");
        await c.Send("A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994", "A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "A284 SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"", "A285 UID SORT (DATE) US-ASCII UNSEEN FROM smith");
        await c.Expect("* SORT 3 2 1", "A282 OK SORT completed", "* SORT 3 2 1", "A283 OK …", "* SORT", "A284 OK …", "* SORT 2", "A285 OK UID SORT completed");
    }

    [Fact]
    public async Task Errors()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a SORT (DATE) UTF-8 ALL");
        await c.Expect("a BAD …");
        await c.Run("s SELECT INBOX");
        await c.Send(
            "b SORT (DATE) X-NONE ALL", "c SORT () UTF-8 ALL", "d SORT (COLOUR) UTF-8 ALL", "e SORT (REVERSE) UTF-8 ALL", "f SORT (DATE) UTF-8", "g SORT DATE UTF-8 ALL",
            "h SORT (" + string.Join(' ', Enumerable.Repeat("DATE", 33)) + ") UTF-8 ALL", "i SORT RETURN (UPDATES) (DATE) UTF-8 ALL", "j SORT (DATE) UTF-8 NONSENSE", "k SORT (DATE) UTF-8 ALL");
        await c.Expect(
            "b NO [BADCHARSET (US-ASCII UTF-8)] …", "c BAD …", "d BAD …", "e BAD …", "f BAD …", "g BAD …", "h BAD …", "i BAD …", "j BAD …", "* SORT", "k OK …");
        await Add(c, 1, "Subject: x\r\n", "1-Feb-1994");
        mail.Bodies.BeforeEmails = () => Task.FromException(new StoreUnavailableException("gone"));
        await c.Send("l SORT (DATE) UTF-8 ALL", "m SORT (ARRIVAL) UTF-8 ALL");
        await c.Expect("l NO [UNAVAILABLE] …", "* SORT 1", "m OK …");
    }

    /// <summary>RFC 5957 §3: the name of the first address or group, decoded; else the address; else nothing.</summary>
    [Fact]
    public async Task Display_names()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, 1, "From: =?utf-8?q?=C3=9Cber?= <a@x.test>\r\nTo: Friends: zed@x.test;\r\n", "1-Feb-1994");
        await Add(c, 2, "From: middle@x.test\r\nTo: \"Albert\" <zed@x.test>\r\n", "1-Feb-1994");
        await Add(c, 3, "From: \"uberhaupt\" <z@x.test>\r\n", "1-Feb-1994");
        await Add(c, 4, "From: middle <z@x.test>\r\nTo: undisclosed-recipients:;\r\n", "1-Feb-1994");
        await c.Run("s SELECT INBOX");
        await Sorts(c, "(DISPLAYFROM)", "4 2 3 1");
        await Sorts(c, "(DISPLAYTO)", "3 2 1 4");
    }

    /// <summary>RFC 5267 §3.1 and RFC 9394 §3: results in the order of SORT.</summary>
    [Fact]
    public async Task RETURN()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        for (int i = 1; i <= 6; i++)
            await Add(c, i, "Subject: " + "bcadfe"[i - 1] + "\r\n", "1-Feb-1994");
        await c.Run("s SELECT INBOX");
        // 3 1 2 4 6 5
        await c.Send(
            "E01 UID SORT RETURN (COUNT) (SUBJECT) UTF-8 UNDELETED", "E02 SORT RETURN (MIN MAX) (SUBJECT) UTF-8 ALL", "E03 UID SORT RETURN (ALL) (SUBJECT) UTF-8 ALL",
            "E04 SORT RETURN () (REVERSE SUBJECT) UTF-8 ALL", "E05 SORT RETURN (COUNT PARTIAL 2:4) (SUBJECT) UTF-8 ALL", "E06 SORT RETURN (PARTIAL -1:-2) (SUBJECT) UTF-8 ALL",
            "E07 SORT RETURN (PARTIAL 7:9) (SUBJECT) UTF-8 ALL", "E08 SORT RETURN (MIN COUNT ALL) (SUBJECT) UTF-8 SEEN", "E09 SORT RETURN (SAVE PARTIAL 2:3) (SUBJECT) UTF-8 ALL", "E10 SEARCH $",
            "E11 SORT RETURN (SAVE MIN) (SUBJECT) UTF-8 ALL", "E12 SEARCH $", "E13 SORT (SUBJECT) UTF-8 MODSEQ 1");
        await c.Expect(
            "* ESEARCH (TAG \"E01\") UID COUNT 6", "E01 OK …", "* ESEARCH (TAG \"E02\") MIN 3 MAX 5", "E02 OK …", "* ESEARCH (TAG \"E03\") UID ALL 3,1:2,4,6,5", "E03 OK …",
            "* ESEARCH (TAG \"E04\") ALL 5:6,4,2,1,3", "E04 OK …", "* ESEARCH (TAG \"E05\") COUNT 6 PARTIAL (2:4 1:2,4)", "E05 OK …", "* ESEARCH (TAG \"E06\") PARTIAL (-1:-2 6,5)", "E06 OK …",
            "* ESEARCH (TAG \"E07\") PARTIAL (7:9 NIL)", "E07 OK …", "* ESEARCH (TAG \"E08\") COUNT 0", "E08 OK …", "* ESEARCH (TAG \"E09\") PARTIAL (2:3 1:2)", "E09 OK …", "* SEARCH 1 2", "E10 OK …",
            "* ESEARCH (TAG \"E11\") MIN 3", "E11 OK …", "* SEARCH 3", "E12 OK …", "* OK [HIGHESTMODSEQ …", "* SORT 3 1 2 4 6 5 (MODSEQ …)", "E13 OK …");
        await c.Send("F1 ENABLE IMAP4rev2", "F2 SORT (SUBJECT) UTF-8 1:3");
        await c.Expect("* ENABLED IMAP4rev2", "F1 OK …", "* SORT 3 1 2", "F2 OK …");
    }

    [Fact]
    public async Task What_another_session_expunges_keeps_its_number_until_it_is_told()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c0 = await mail.LogInAsync())
        {
            foreach (string subject in (string[])["c", "b", "a"])
                await Add(c0, 1, $"Subject: {subject}\r\n", "1-Feb-1994");
        }
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[2].Run("a SORT (SUBJECT) UTF-8 ALL");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("b EXPUNGE");
        await c[2].Send("b SORT (SUBJECT) UTF-8 ALL", "c UID SORT (SUBJECT) UTF-8 ALL", "d SORT (SUBJECT) UTF-8 ALL");
        await c[2].Expect("* SORT 3 1", "b OK …", "* SORT 3 1", "* 2 EXPUNGE", "c OK …", "* SORT 2 1", "d OK …");
        // What is collected meanwhile stands where messages without a subject do.
        mail.Bodies.Forget(mail.Inbox.Now[0].Email);
        await c[2].Send("e UID SORT (SUBJECT) UTF-8 ALL");
        await c[2].Expect("* SORT 1 3", "e OK …");
    }

    private static Task Add(ImapClient client, int number, string header, string date) =>
        client.Append("s", "INBOX", header + "\r\n" + number.ToString(CultureInfo.InvariantCulture) + "\r\n", $"\"{date,11} 12:00:00 +0000\"");

    private static async Task Sorts(ImapClient client, string criteria, string numbers, string? reverseOf = null)
    {
        await client.Send($"s SORT {criteria} UTF-8 ALL");
        await client.Expect("* SORT " + numbers, "s OK SORT completed");
        if (reverseOf is null)
            return;
        await client.Send($"s SORT {reverseOf} UTF-8 ALL");
        await client.Expect("* SORT " + string.Join(' ', numbers.Split(' ').Reverse()), "s OK …");
    }
}
