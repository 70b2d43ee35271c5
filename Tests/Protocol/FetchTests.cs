using System.Security.Cryptography;
using System.Text;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

public sealed class FetchTests(MailServer server)
{
    [Fact]
    public async Task Items_of_a_stored_message()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.SendRaw("a APPEND INBOX (\\Flagged $x) \" 7-Feb-1994 21:52:25 -0800\" {40+}\r\nSubject: hello\r\nFrom: a@x.test\r\n\r\nbody\r\n\r\n");
        await c.Ok("a");
        await c.Run("b SELECT INBOX");
        await c.Send("c UID FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID THREADID SAVEDATE)");
        await c.Expect(
            "* OK [HIGHESTMODSEQ …",
            "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent $x) INTERNALDATE \" 7-Feb-1994 21:52:25 -0800\" RFC822.SIZE 40 MODSEQ (…) EMAILID (M…) THREADID (T…) SAVEDATE \"…\")",
            "c OK …");
        await c.Send("d FETCH 1 (BODY[HEADER.FIELDS (FROM)] BODY[TEXT]<1.2> BINARY.SIZE[1] ENVELOPE BODY)");
        await c.Expect(
            "* 1 FETCH (BODY[HEADER.FIELDS (FROM)] {18}\r\nFrom: a@x.test\r\n\r\n BODY[TEXT]<1> {2}\r\nod BINARY.SIZE[1] 6 ENVELOPE (NIL \"hello\" ((NIL NIL \"a\" \"x.test\")) … "
            + "BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1) MODSEQ (…) FLAGS (\\Flagged \\Seen \\Recent $x))",
            "d OK …");
    }

    [Fact]
    public async Task Reading_is_seen_by_all_and_an_expunged_message_can_still_be_read()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 3);
        await c[1].Send("a FETCH 1:2 BODY[TEXT]");
        await c[1].Expect("* 1 FETCH (BODY[TEXT] {8}\r\nText 1\r\n FLAGS (\\Seen))", "* 2 FETCH (BODY[TEXT] {8}\r\nText 2\r\n FLAGS (\\Seen))", "a OK …");
        await c[2].Send("b FETCH 2 BODY[TEXT]");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Seen))", "* 2 FETCH (FLAGS (\\Seen))", "* 2 FETCH (BODY[TEXT] {8}\r\nText 2\r\n)", "b OK …");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[2].Send("c FETCH 2:3 (UID BODY.PEEK[TEXT])", "d UID FETCH 3 (UID)");
        await c[2].Expect(
            "* 2 FETCH (UID 2 BODY[TEXT] {8}\r\nText 2\r\n)", "* 3 FETCH (UID 3 BODY[TEXT] {8}\r\nText 3\r\n)", "c OK …", "* 3 FETCH (UID 3)", "* 2 EXPUNGE", "d OK …");
    }

    [Fact]
    public async Task QRESYNC_tells_what_changed_and_what_vanished()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 4);
        await c[2].Run("b ENABLE QRESYNC");
        await c[1].Run("a FETCH 1 MODSEQ");
        string line = (await c[1].Run("a SELECT INBOX")).Single(static l => l.Contains("HIGHESTMODSEQ"));
        string since = line[(line.IndexOf("SEQ ", StringComparison.Ordinal) + 4)..line.IndexOf(']')];
        await c[1].Run("a STORE 4 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Flagged)");
        await c[2].Run("b NOOP");
        await c[2].Send($"c UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)");
        await c[2].Expect("* VANISHED (EARLIER) 4", "* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (…))", "c OK …");
    }

    [Fact]
    public async Task A_large_message_comes_back_byte_for_byte()
    {
        ImapClient c = (await server.SelectedAsync(1))[1];
        byte[] message = new byte[5_000_000];
        new Random(1).NextBytes(message);
        // No line ends to put right, no NUL.
        for (int i = 0; i < message.Length; i++)
            message[i] = message[i] is 0 or (byte)'\r' or (byte)'\n' ? (byte)'x' : message[i];
        Encoding.ASCII.GetBytes("Subject: large\r\n\r\n").CopyTo(message, 0);
        await c.SendRaw($"a APPEND INBOX {{{message.Length}+}}\r\n");
        await c.SendBytes(message);
        await c.SendRaw("\r\n");
        await c.Ok("a");
        await c.Send("b FETCH 1 BODY.PEEK[]", "c FETCH 1 BODY.PEEK[]<3000000.70000>");
        string expected = Encoding.Latin1.GetString(message);
        string whole = await c.Line();
        Assert.Equal(Hash($"* 1 FETCH (BODY[] {{5000000}}\r\n{expected})"), Hash(whole));
        await c.Expect("b OK …");
        Assert.Equal(Hash($"* 1 FETCH (BODY[]<3000000> {{70000}}\r\n{expected.Substring(3000000, 70000)})"), Hash(await c.Line()));
        await c.Expect("c OK …");

        static string Hash(string text) => Convert.ToHexString(SHA256.HashData(Encoding.Latin1.GetBytes(text)));
    }
}
