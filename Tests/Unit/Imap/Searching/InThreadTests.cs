using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>SEARCH=INTHREAD (draft-ietf-morg-inthread).</summary>
[Covers("SEARCH=INTHREAD")]
public sealed class InThreadTests
{
    /// <summary>The examples of §3.1 to §3.4.</summary>
    [Fact]
    public async Task Examples()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send(
            "a UID SEARCH INTHREAD (SUBJECT meeting BODY fizzle)", "b UID THREAD REFS utf-8 INTHREAD FROM <fred@example.com>", "d UID SEARCH THREADROOT INTHREAD UNSEEN",
            "e UID SEARCH THREADLEAF OR TO <me@example.com> CC <me@example.com>", "f UID SEARCH INTHREAD MESSAGEID <4321.1234321@example.com>");
        await c.Expect(
            "* SEARCH 1 2 3 5", "a OK …", "* THREAD (4 6)", "b OK …", "* SEARCH 1 7 8", "d OK …", "* SEARCH 3 6", "e OK …", "* SEARCH 4 6", "f OK …");
    }

    [Fact]
    public async Task With_other_keys()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        // A parent that is not there makes roots of its children; a leaf has none; one's own identifier, however it is written.
        await c.Send("a SEARCH THREADROOT", "b SEARCH THREADLEAF", "d SEARCH NOT THREADROOT NOT THREADLEAF", "e SEARCH MESSAGEID \"<\\\"m2\\\"@x>\"", "f SEARCH OR MESSAGEID <none@x> INTHREAD 6");
        await c.Expect("* SEARCH 1 4 7 8", "a OK …", "* SEARCH 3 5 6 7 8", "b OK …", "* SEARCH 2", "d OK …", "* SEARCH 2", "e OK …", "* SEARCH 4 6", "f OK …");
        await c.Send(
            "a SEARCH INTHREAD (INTHREAD 3 THREADROOT)", "b SEARCH NOT INTHREAD ALL", "d SEARCH INTHREAD NOT ALL", "e SEARCH FUZZY INTHREAD SUBJECT \"meeting re:\"", "f SEARCH RETURN (THREAD=ORDEREDSUBJECT COUNT) INTHREAD 8",
            "g SEARCH RETURN (THREAD=REFS) INTHREAD 8", "h SORT (REVERSE ARRIVAL) UTF-8 INTHREAD 6");
        await c.Expect(
            "* SEARCH 1 2 3 5", "a OK …", "* SEARCH", "b OK …", "* SEARCH", "d OK …", "* SEARCH 1 2 3 5", "e OK …", "* ESEARCH (TAG \"f\") COUNT 1", "f OK …", "* ESEARCH (TAG \"g\") ALL 7:8", "g OK …", "* SORT …", "h OK …");
        await c.Send("a UID SEARCH RETURN (UPDATE COUNT) INTHREAD UNSEEN", "b ESEARCH IN (personal) RETURN (COUNT) INTHREAD FROM fred");
        await c.Expect("* ESEARCH (TAG \"a\") UID COUNT 6", "* NO [NOUPDATE \"a\"] …", "a OK …", "* ESEARCH (TAG \"b\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID COUNT 2", "b OK …");
        // Without what was expunged.
        await c.Run("s STORE 1 +FLAGS (\\Deleted)");
        await c.Run("s EXPUNGE");
        await c.Send("a UID SEARCH THREADROOT");
        await c.Expect("* SEARCH 2 4 5 7 8", "a OK …");
    }

    [Theory]
    [InlineData("SEARCH INTHREAD")]
    [InlineData("SEARCH MESSAGEID one@x")]
    [InlineData("SEARCH MESSAGEID <one@x><two@x>")]
    [InlineData("SEARCH MESSAGEID <>")]
    [InlineData("SEARCH RETURN (THREAD=NONE) ALL")]
    [InlineData("SEARCH RETURN (THREAD) ALL")]
    [InlineData("SEARCH INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD INTHREAD ALL")]
    public async Task Bad(string command)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send("a " + command);
        await c.Expect("a BAD …");
    }

    /// <summary>1 is answered by 2 and 5, 2 by 3; 4 by 6; the parent of 7 and 8 is not there.</summary>
    private static async Task<ImapClient> SelectedAsync(FakeMail mail)
    {
        await mail.FillAsync(
            Message(1, "meeting", "fizzle", ""), Message(2, "Re: meeting", "x", "<m1@x>"), Message(3, "Re: meeting", "x", "<m1@x> <m2@x>", "Cc: <me@example.com>\r\n"),
            "Message-ID: <4321.1234321@example.com>\r\nFrom: <fred@example.com>\r\nSubject: other\r\n\r\nx", Message(5, "Re: meeting", "x", "<m1@x>"),
            Message(6, "Re: other", "x", "<4321.1234321@example.com>", "To: <me@example.com>\r\n"), Message(7, "lost", "x", "<gone@x>"), Message(8, "meeting three", "x", "<gone@x>"));
        ImapClient c = await mail.LogInAsync();
        await c.Run("s SELECT INBOX");
        await c.Run("s STORE 1,2,4,6,7 +FLAGS.SILENT (\\Seen)");
        return c;
    }

    private static string Message(int number, string subject, string body, string references, string more = "") =>
        $"Message-ID: <m{number}@x>\r\nFrom: a@b.test\r\nSubject: {subject}\r\n{more}{(references.Length > 0 ? $"References: {references}\r\n" : "")}\r\n{body}";
}
