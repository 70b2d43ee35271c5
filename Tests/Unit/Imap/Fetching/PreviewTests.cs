using System.Globalization;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Fetching;

/// <summary>PREVIEW (RFC 8970).</summary>
[Covers("PREVIEW")]
public sealed class PreviewTests
{
    [Theory]
    // The example of RFC 8970 §4.
    [InlineData("\r\nPreview text!\r\n", "\"Preview text!\"")]
    [InlineData("\r\n", "\"\"")]
    [InlineData("\r\n \t\r\n\r\n", "\"\"")]
    [InlineData("\r\n one\r\n\r\n  two\tthree\r\n", "\"one two three\"")]
    [InlineData("\r\nsay \"hi\"\r\n", "\"say \\\"hi\\\"\"")]
    [InlineData("Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n", "\"hello\"")]
    [InlineData("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ngr=FC=DFe\r\n", "{7}\r\ngr\u00c3\u00bc\u00c3\u009fe")]
    [InlineData("Content-Type: text/html\r\n\r\n<html><head><title>t</title><style>p { x }</style></head><body><p>one</p><script>no()</script>t&amp;o<br>&#x200b;three</body></html>\r\n", "\"one t&o three\"")]
    [InlineData("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n", "\"\"")]
    [InlineData("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<b>bold</b>\r\n--b--\r\n", "\"bold\"")]
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--\r\n", "\"yes\"")]
    [InlineData("Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nsecret\r\n--b--\r\n", "\"\"")]
    [InlineData("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n", "\"\"")]
    public async Task First_words(string message, string preview)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", "MIME-Version: 1.0\r\n" + message);
        await c.Run("s SELECT INBOX");
        await c.Send("a FETCH 1 (PREVIEW)", "b FETCH 1 PREVIEW", "c UID FETCH 1 (UID PREVIEW (LAZY))", "d FETCH 1 PREVIEW (LAZY)", "e FETCH 1 PREVIEW (CHANGEDSINCE 1)");
        await c.Expect(
            $"* 1 FETCH (PREVIEW {preview})", "a OK …", $"* 1 FETCH (PREVIEW {preview})", "b OK …", $"* 1 FETCH (UID 1 PREVIEW {preview})", "c OK …", $"* 1 FETCH (PREVIEW {preview})", "d OK …",
            "* OK [HIGHESTMODSEQ …", $"* 1 FETCH (PREVIEW {preview} MODSEQ (2))", "e OK …");
    }

    [Fact]
    public async Task At_most_two_hundred_characters()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", "\r\n" + string.Concat(Enumerable.Repeat("abcd ", 100_000)));
        await c.Append("s", "INBOX", "Content-Type: text/plain; charset=utf-8\r\n\r\n" + string.Concat(Enumerable.Repeat("\U0001f600", 300)) + "\r\n");
        await c.Run("s ENABLE IMAP4rev2");
        await c.Run("s SELECT INBOX");
        await c.Send("a FETCH 1:2 (PREVIEW)");
        // The last word would not fit with its blank before it.
        await c.Expect($"* 1 FETCH (PREVIEW \"{string.Join(' ', Enumerable.Repeat("abcd", 40))}\")", $"* 2 FETCH (PREVIEW \"{string.Concat(Enumerable.Repeat("\U0001f600", 200))}\")", "a OK …");
    }

    [Fact]
    public async Task LAZY_does_not_wait_for_what_has_to_be_read()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", "\r\nlarge\r\n" + new string(' ', 40_000));
        await c.Run("s SELECT INBOX");
        int reads = mail.Bodies.Asked.Reads;
        await c.Send("a FETCH 1 (PREVIEW (LAZY))");
        await c.Expect("* 1 FETCH (PREVIEW NIL)", "a OK …");
        Assert.Equal(reads, mail.Bodies.Asked.Reads);
        await c.Send("b FETCH 1 (PREVIEW)");
        await c.Expect("* 1 FETCH (PREVIEW \"large\")", "b OK …");
    }

    [Theory]
    [InlineData("(PREVIEW (FOO))")]
    [InlineData("(PREVIEW ())")]
    [InlineData("(PREVIEW (LAZY FOO))")]
    [InlineData("(PREVIEW (LAZY)")]
    [InlineData("PREVIEWS")]
    public async Task Errors(string items)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", "\r\nx");
        await c.Run("s SELECT INBOX");
        await c.Send("a FETCH 1 " + items);
        await c.Expect("a BAD …");
    }

    /// <summary>A preview is no reading: \Seen stays as it is; and what another session expunged says so.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using (ImapClient c0 = await mail.LogInAsync())
        {
            for (int i = 1; i <= 2; i++)
                await c0.Append("s", "INBOX", "\r\n" + i.ToString(CultureInfo.InvariantCulture));
        }
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[2].Run("a FETCH 1:2 (PREVIEW)");
        await c[1].Send("a FETCH 1:2 (FLAGS)");
        await c[1].Expect("* 1 FETCH (FLAGS (\\Recent))", "* 2 FETCH (FLAGS (\\Recent))", "a OK …");
        await c[1].Run("b STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("c EXPUNGE");
        mail.Bodies.Forget(new MailCluster.Contracts.EmailId(1));
        await c[2].Send("b FETCH 1:2 (PREVIEW)");
        await c[2].Expect("* 2 FETCH (PREVIEW \"2\")", "b NO [EXPUNGEISSUED] …");
    }
}
