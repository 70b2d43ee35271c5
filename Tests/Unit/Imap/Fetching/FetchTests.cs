using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Fetching;

/// <summary>FETCH: what is asked, and what is answered.</summary>
[Covers("BINARY", "OBJECTID", "SAVEDATE")]
public sealed class FetchTests
{
    private const string Simple = "Subject: hello\r\nFrom: a@x.test\r\n\r\nbody\r\n";

    private const string Parts =
        "Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + "--b\r\nContent-Type: text/plain\r\n\r\none\r\n"
        + "--b\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
        + "--b\r\nContent-Type: application/x-z\r\nContent-Transfer-Encoding: rot13\r\n\r\nuryyb\r\n--b--\r\n";

    [Fact]
    public async Task What_the_snapshot_has_asks_nothing_of_the_store()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        await c.Send("a FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE UID EMAILID THREADID SAVEDATE)");
        await c.Expect(
            "* 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"…\" RFC822.SIZE 40 UID 1 EMAILID (M1) THREADID (T1) SAVEDATE \" 1-Jan-1970 00:00:00 +0000\")",
            "a OK FETCH completed");
        await c.Send("b FETCH 1 FAST", "c UID FETCH 1 FLAGS");
        await c.Expect("* 1 FETCH (FLAGS (\\Recent) INTERNALDATE \"…\" RFC822.SIZE 40)", "b OK …");
        await c.Expect("* 1 FETCH (UID 1 FLAGS (\\Recent))", "c OK UID FETCH completed");
        Assert.Equal((0, 0, 0), mail.Bodies.Asked);
    }

    [Fact]
    public async Task Macros_envelopes_and_structures()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        const string Envelope = "ENVELOPE (NIL \"hello\" ((NIL NIL \"a\" \"x.test\")) ((NIL NIL \"a\" \"x.test\")) ((NIL NIL \"a\" \"x.test\")) NIL NIL NIL NIL NIL)";
        await c.Send("a FETCH 1 ALL", "b FETCH 1 FULL", "c FETCH 1 BODYSTRUCTURE");
        await c.Expect($"* 1 FETCH (FLAGS (\\Recent) INTERNALDATE … RFC822.SIZE 40 {Envelope})", "a OK …");
        await c.Expect($"* 1 FETCH (FLAGS … {Envelope} BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1))", "b OK …");
        await c.Expect("* 1 FETCH (BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1 NIL NIL NIL NIL))", "c OK …");
    }

    [Fact]
    public async Task Sections_partials_and_parts()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Parts);
        await c.Send("a FETCH 1 (BODY.PEEK[HEADER.FIELDS (subject)] BODY.PEEK[1] BODY.PEEK[2.MIME] BODY.PEEK[9] BODY.PEEK[]<9.5> BODY.PEEK[1]<7.5>)");
        await c.Expect(
            "* 1 FETCH (BODY[HEADER.FIELDS (subject)] {18}\r\nSubject: parts\r\n\r\n BODY[1] {3}\r\none BODY[2.MIME] {68}\r\nContent-Type: …\r\n\r\n "
            + "BODY[9] NIL BODY[]<9> {5}\r\nparts BODY[1]<7> {0}\r\n)",
            "a OK …");
        await c.Send("b FETCH 1 (RFC822.HEADER)", "c FETCH 1 (BINARY.PEEK[2] BINARY.SIZE[2] BINARY.PEEK[2]<1.2> BINARY.SIZE[9] BINARY.PEEK[9])");
        await c.Expect("* 1 FETCH (RFC822.HEADER {80}\r\nSubject: parts\r\n…\r\n\r\n)", "b OK …");
        await c.Expect("* 1 FETCH (BINARY[2] ~{5}\r\nhello BINARY.SIZE[2] 5 BINARY[2]<1> ~{2}\r\nel BINARY.SIZE[9] 0 BINARY[9] NIL)", "c OK …");
        await c.Send("d FETCH 1 (UID BINARY.PEEK[3])", "e FETCH 1 (BODY.PEEK[3])");
        await c.Expect("* 1 FETCH (UID 1)", "d NO [UNKNOWN-CTE] …", "* 1 FETCH (BODY[3] {5}\r\nuryyb)", "e OK …");
        Assert.Equal(SystemFlags.None, mail.Inbox.Now[0].SystemFlags);
    }

    [Fact]
    public async Task Reading_a_body_sets_Seen_once_for_all_and_says_so_in_the_answers()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple, Simple, Simple);
        await c.Run("a STORE 2 +FLAGS.SILENT (\\Seen)");
        long before = mail.Inbox.Now.ModSeq;
        await c.Send("b FETCH 1:3 BODY[TEXT]");
        await c.Expect(
            "* 1 FETCH (BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen \\Recent))", "* 2 FETCH (BODY[TEXT] {6}\r\nbody\r\n)",
            "* 3 FETCH (BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen \\Recent))", "b OK …");
        Assert.Equal(before + 1, mail.Inbox.Now.ModSeq);
        await c.Send("c FETCH 1 (FLAGS RFC822)", "d NOOP");
        await c.Expect("* 1 FETCH (FLAGS (\\Seen \\Recent) RFC822 {40}\r\nSubject: …\r\n)", "c OK …", "d OK …");
    }

    [Fact]
    public async Task EXAMINE_reads_without_a_trace()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        await c.Run("a EXAMINE INBOX");
        await c.Send("b FETCH 1 BODY[1]");
        await c.Expect("* 1 FETCH (BODY[1] {6}\r\nbody\r\n)", "b OK …");
        Assert.Equal(SystemFlags.None, mail.Inbox.Now[0].SystemFlags);
    }

    [Fact]
    public async Task What_another_session_changed_comes_with_the_Seen_answer()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await c[1].Append("a", "INBOX", Simple);
        await c[1].Send("b FETCH 1 BODY[TEXT]");
        await c[1].Expect("* 1 FETCH (BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen \\Recent))", "b OK …");
        await c[2].Send("a FETCH 1 UID");
        await c[2].Expect("* 1 EXISTS", "* 1 FETCH (UID 1)", "a OK …");
        await c[1].Run("b STORE 1 -FLAGS (\\Seen)");
        await c[2].Send("c FETCH 1 BODY[TEXT]");
        await c[2].Expect("* 1 FETCH (FLAGS ())", "* 1 FETCH (BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen))", "c OK …");
    }

    [Fact]
    public async Task Numbers_must_exist_and_UIDs_need_not()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        await c.Send("a FETCH 2 FLAGS", "b UID FETCH 2,7:9 FLAGS", "c UID FETCH 5:* UID", "d FETCH 1 (BODY.PEEK)", "e FETCH 1 NONSENSE");
        await c.Expect("a BAD …", "b OK …", "* 1 FETCH (UID 1)", "c OK …", "d BAD …", "e BAD …");
    }

    [Fact]
    public async Task An_expunged_message_stays_fetchable_or_says_that_it_is_gone()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        for (int i = 0; i < 3; i++)
            await c[1].Append("a", "INBOX", Simple);
        await c[2].Run("b NOOP");
        await c[1].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[1].Run("a EXPUNGE");
        await c[2].Send("b FETCH 2:3 (UID BODY[TEXT])");
        await c[2].Expect("* 2 FETCH (UID 2 BODY[TEXT] {6}\r\nbody\r\n)", "* 3 FETCH (UID 3 BODY[TEXT] {6}\r\nbody\r\n FLAGS (\\Seen))", "b OK …");
        mail.Bodies.Forget(new EmailId(2));
        await c[2].Send("b FETCH 1:3 (UID BODY.PEEK[TEXT])");
        await c[2].Expect("* 1 FETCH (UID 1 …", "* 3 FETCH (UID 3 …", "b NO [EXPUNGEISSUED] …");
        await c[2].Send("b UID FETCH 1:3 ENVELOPE");
        await c[2].Expect("* 1 FETCH (UID 1 …", "* 3 FETCH (UID 3 …", "* 2 EXPUNGE", "b OK …");
    }

    [Fact]
    public async Task CHANGEDSINCE_and_VANISHED()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple, Simple, Simple, Simple);
        await c.Run("a STORE 4 +FLAGS.SILENT (\\Deleted)");
        long since = mail.Inbox.Now.ModSeq;
        await c.Run("a EXPUNGE");
        await c.Run("a STORE 2 +FLAGS.SILENT (\\Flagged)");
        long changed = mail.Inbox.Now.ModSeq;
        await c.Send($"b UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)");
        await c.Expect("b BAD …");
        await c.Send($"b FETCH 1:* (FLAGS) (CHANGEDSINCE {since})");
        await c.Expect($"* OK [HIGHESTMODSEQ {changed}] …", $"* 2 FETCH (FLAGS (\\Flagged \\Recent) MODSEQ ({changed}))", "b OK …");
        await c.Run("c ENABLE QRESYNC");
        await c.Send($"d UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)");
        await c.Expect("* VANISHED (EARLIER) 4", $"* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ ({changed}))", "d OK …");
        await c.Send($"e UID FETCH 1:3 (FLAGS) (CHANGEDSINCE {changed} VANISHED)", "f FETCH 1 BODY[TEXT]");
        await c.Expect("e OK …", $"* 1 FETCH (UID 1 BODY[TEXT] {{6}}\r\nbody\r\n MODSEQ ({changed + 1}) FLAGS (\\Seen \\Recent))", "f OK …");
    }

    [Fact]
    public async Task A_body_that_fails_in_mid_literal_ends_the_connection_and_never_sends_a_wrong_byte()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        mail.Bodies.OnlyRanges = true;
        mail.Bodies.PieceSize = 8;
        mail.Bodies.BeforePiece = done => done < 16 ? Task.CompletedTask : Task.FromException(new BodyGoneException(new BodyId(1)));
        await c.Send("a FETCH 1 BODY.PEEK[]");
        await Assert.ThrowsAsync<UnexpectedReplyException>(c.Line);
        Assert.DoesNotContain("a NO", c.Transcript);
    }

    [Fact]
    public async Task A_store_that_is_away_in_mid_literal_is_waited_for_and_the_literal_goes_on_where_it_was()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        await c.Send("a FETCH 1 BODY.PEEK[]");
        string whole = string.Join('\n', await c.Ok("a"));
        mail.Bodies.OnlyRanges = true;
        mail.Bodies.PieceSize = 8;
        int fails = 0;
        mail.Bodies.BeforePiece = done => done != 8 || ++fails % 3 == 0 ? Task.CompletedTask : Task.FromException(new StoreUnavailableException("gone"));
        await c.Send("b FETCH 1 BODY.PEEK[]");
        Assert.Equal(whole, string.Join('\n', await c.Ok("b")));
        Assert.True(fails > 1);
    }

    [Theory]
    [InlineData("BODY.PEEK[]")]
    [InlineData("(UID BINARY.PEEK[1] BODY.PEEK[TEXT])")]
    [InlineData("BODY.PEEK[HEADER.FIELDS (Subject)]")]
    public async Task A_store_that_is_away_when_a_large_body_is_begun_is_a_NO_and_the_session_goes_on(string items)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        mail.Bodies.OnlyRanges = true;
        mail.Bodies.BeforePiece = _ => Task.FromException(new StoreUnavailableException("gone"));
        await c.Send($"a FETCH 1 {items}");
        await c.Expect("a NO [UNAVAILABLE] …");
        mail.Bodies.BeforePiece = null;
        await c.Run($"b FETCH 1 {items}");
    }

    [Fact]
    public async Task A_store_that_fails_before_an_answer_is_a_NO_and_the_session_goes_on()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        mail.Bodies.BeforeEmails = () => Task.FromException(new StoreUnavailableException("gone"));
        await c.Send("a FETCH 1 ENVELOPE");
        await c.Expect("a NO [UNAVAILABLE] …");
        mail.Bodies.BeforeEmails = null;
        await c.Run("b FETCH 1 ENVELOPE");
    }

    [Fact]
    public async Task Flags_that_were_set_are_told_also_where_the_body_then_fails()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple, Simple);
        mail.Bodies.OnlyRanges = true;
        mail.Bodies.BeforePiece = _ => Task.FromException(new StoreUnavailableException("gone"));
        await c.Send("a FETCH 1:2 BODY[HEADER.FIELDS (X)]", "b NOOP");
        await c.Expect("* 1 FETCH (FLAGS (\\Seen \\Recent))", "* 2 FETCH (FLAGS (\\Seen \\Recent))", "a NO [UNAVAILABLE] …", "b OK …");
    }

    /// <summary>RFC 3501 §8, the message of the sample connection.</summary>
    [Fact]
    public async Task The_sample_of_RFC_3501()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        const string Header =
            "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
            + "Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n"
            + "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\nMessage-Id: <B27397-0100000@cac.washington.edu>\r\n"
            + "MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";
        await using ImapClient c = await SelectedAsync(mail, Header + string.Concat(Enumerable.Repeat("a line\r\n", 92)));
        await c.Run("a002 STORE 1 FLAGS (\\Seen)");
        await c.Send("a003 FETCH 1 FULL", "a004 FETCH 1 BODY[HEADER]");
        await c.Expect(
            "* 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE \"…\" RFC822.SIZE … "
            + "ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
            + "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
            + "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
            + "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
            + "\"<B27397-0100000@cac.washington.edu>\") BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 736 92))",
            "a003 OK …", $"* 1 FETCH (BODY[HEADER] {{{Header.Length}}}\r\n{Header})", "a004 OK …");
    }

    [Fact]
    public async Task A_large_body_is_read_by_range_and_only_as_far_as_it_is_asked_for()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail, Simple);
        byte[] large = new byte[1024 * 1024];
        Array.Fill(large, (byte)'x');
        BodyId body = mail.Bodies.Add(large);
        await mail.Inbox.Append(new AppendRequest(default, new Actor("", "", null), [new NewMessage(body, 0, [], (uint)large.Length, 0, 0, FlagList.None, [])]));
        await c.Run("a NOOP");
        long octets = 0;
        mail.Bodies.PieceSize = 1000;
        mail.Bodies.BeforePiece = done => Task.FromResult(octets = done + 1000);
        await c.Send("b FETCH 2 BODY.PEEK[]<5000.3000>");
        Assert.Equal("* 2 FETCH (BODY[]<5000> {3000}\r\n)".Length + 3000, (await c.Line()).Length);
        Assert.Equal(3000, octets);
        await c.Send("c FETCH 2 BODY.PEEK[]", "d NOOP");
        await c.Expect("b OK …");
        Assert.Equal("* 2 FETCH (BODY[] {1048576}\r\n)".Length + large.Length, (await c.Line()).Length);
        await c.Expect("c OK …", "d OK …");
        Assert.Equal((2, 0, 2), mail.Bodies.Asked);
    }

    [Fact]
    public async Task Many_messages_come_in_order_with_few_questions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        NewMessage[] messages = [.. Enumerable.Range(1, 1000).Select(i =>
        {
            byte[] body = System.Text.Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\nbody {i}");
            return new NewMessage(mail.Bodies.Add(body), 0, [], (uint)body.Length, 0, 0, FlagList.None, []);
        })];
        await mail.Inbox.Append(new AppendRequest(default, new Actor("", "", null), messages));
        await c.Run("a SELECT INBOX");
        await c.Send("b UID FETCH 1:* (ENVELOPE BODY.PEEK[TEXT])");
        for (int i = 1; i <= 1000; i++)
            await c.Expect($"* {i} FETCH (UID {i} ENVELOPE (NIL \"{i}\" NIL NIL NIL NIL NIL NIL NIL NIL) BODY[TEXT] {{{5 + i.ToString().Length}}}\r\nbody {i})");
        await c.Expect("b OK …");
        Assert.Equal((4, 4, 0), mail.Bodies.Asked);
    }

    private static async Task<ImapClient> SelectedAsync(FakeMail mail, params string[] messages)
    {
        ImapClient client = await mail.LogInAsync();
        foreach (string message in messages)
            await client.Append("s", "INBOX", message);
        await client.Run("s SELECT INBOX");
        return client;
    }
}
