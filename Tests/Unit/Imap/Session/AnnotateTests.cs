using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>ANNOTATE (RFC 5257): its examples, what is refused, what other sessions hear, and how it goes together with other extensions. That annotations are kept: Tests/Protocol.</summary>
[Covers("ANNOTATE-EXPERIMENT-1")]
public sealed class AnnotateTests
{
    private static readonly ImapOptions _options = new() { AnnotationOctets = FakeAnnotations.MostOctets };

    private static async Task<(FakeMail Mail, ImapClient Client)> StartAsync(params string[] messages)
    {
        FakeMail mail = await FakeMail.StartAsync(_options, annotations: true);
        await mail.FillAsync(messages.Length == 0 ? ["Subject: a\r\n\r\nx"] : messages);
        return (mail, (await mail.SelectedAsync(1))[1]);
    }

    /// <summary>§4.1, §4.2.</summary>
    [Fact]
    public async Task SELECT_tells_how_large_an_annotation_may_be()
    {
        await using FakeMail mail = await FakeMail.StartAsync(_options, annotations: true);
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a SELECT INBOX (ANNOTATE)", "b EXAMINE INBOX (CONDSTORE ANNOTATE)", "c SELECT INBOX (ANNOTATION)", "d SELECT INBOX");
        Assert.Contains("* OK [ANNOTATIONS 1024] Octets of an annotation", await c.Ok("a", "[READ-WRITE] …"));
        Assert.Contains("* OK [ANNOTATIONS READ-ONLY] Annotations can be read", await c.Ok("b", "[READ-ONLY] …"));
        await c.Expect("c BAD …");
        Assert.Contains("* OK [ANNOTATIONS 1024] Octets of an annotation", await c.Ok("d"));
    }

    /// <summary>§4.3, §4.4, §4.5.</summary>
    [Fact]
    public async Task FETCH_and_STORE()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Send("a FETCH 1 (ANNOTATION (/comment value))", "b STORE 1 ANNOTATION (/comment (value.priv \"My comment\" value.shared \"Group note\"))", "c FETCH 1 (ANNOTATION (/comment value))",
            "d STORE 1 ANNOTATION (/comment (value.priv \"My new comment\"))", "e STORE 1 ANNOTATION (/comment (value.shared NIL))", "f FETCH 1 (ANNOTATION (/comment (value size)))");
        await c.Expect(
            "* 1 FETCH (ANNOTATION (/comment (value.priv NIL value.shared NIL)))", "a OK …", "b OK …",
            "* 1 FETCH (ANNOTATION (/comment (value.priv \"My comment\" value.shared \"Group note\")))", "c OK …", "d OK …", "e OK …",
            "* 1 FETCH (ANNOTATION (/comment (value.priv \"My new comment\" value.shared NIL size.priv \"14\" size.shared \"0\")))", "f OK …");
        await c.Send("a STORE 1 ANNOTATION (/comment (value.priv \"Get tix Tuesday\") /altsubject (value.priv \"Wots On\" value.shared \"Patches?\"))",
            "b STORE 1 ANNOTATION (/vendor/foobar/label (value.priv \"label43\") /1/comment (value.priv \"a part\"))",
            "c UID FETCH 1 (UID ANNOTATION (/* (value.priv size.priv)))", "d FETCH 1 (ANNOTATION (/% value.shared))", "e FETCH 1 (ANNOTATION ((/comment /altsubject) value.priv))",
            "f FETCH 1 (ANNOTATION (\"/vendor/*\" value.priv) FLAGS)", "g FETCH 1 (ANNOTATION (/1/% value))", "h FETCH 1 ANNOTATION (/comment* value)");
        await c.Expect(
            "a OK …", "b OK …",
            "* 1 FETCH (UID 1 ANNOTATION (/1/comment (value.priv \"a part\" size.priv \"6\") /altsubject (value.priv \"Wots On\" size.priv \"7\") /comment (value.priv \"Get tix Tuesday\" size.priv \"15\") /vendor/foobar/label (value.priv \"label43\" size.priv \"7\")))", "c OK …",
            "* 1 FETCH (ANNOTATION (/altsubject (value.shared \"Patches?\")))", "d OK …",
            "* 1 FETCH (ANNOTATION (/comment (value.priv \"Get tix Tuesday\") /altsubject (value.priv \"Wots On\")))", "e OK …",
            "* 1 FETCH (ANNOTATION (/vendor/foobar/label (value.priv \"label43\")) FLAGS (\\Recent))", "f OK …",
            "* 1 FETCH (ANNOTATION (/1/comment (value.priv \"a part\" value.shared NIL)))", "g OK …",
            // '*' is one character at least (§4.3), and what has nothing to tell has no answer.
            "h OK …");
    }

    /// <summary>Octets of all kinds, also with the text of a message beside them, and more than comes along unasked.</summary>
    [Fact]
    public async Task Values_are_octets()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        await using FakeMail _ = mail;
        string large = new('x', 1024);
        await c.SendRaw($"a STORE 1 ANNOTATION (/vendor/a/nul (value.priv ~{{3+}}\r\na\0b) /vendor/a/large (value.shared {{1024+}}\r\n{large}) /vendor/a/lines (value.priv {{4+}}\r\n1\r\n2) /comment (value.priv \"\"))\r\n");
        await c.Expect("a OK …");
        await c.SendRaw("b FETCH 1:2 (ANNOTATION (/* value) BODY.PEEK[TEXT] ENVELOPE)\r\n");
        string first = await c.Line();
        Assert.Equal("* 1 FETCH (ANNOTATION (/comment (value.priv \"\" value.shared NIL) /vendor/a/large (value.priv NIL value.shared \"" + large + "\") /vendor/a/lines (value.priv {4}\r\n1\r\n2 value.shared NIL) "
            + "/vendor/a/nul (value.priv ~{3}\r\na\0b value.shared NIL)) BODY[TEXT] {1}\r\nx ENVELOPE (NIL \"a\" NIL NIL NIL NIL NIL NIL NIL NIL))", first);
        await c.Expect("* 2 FETCH (BODY[TEXT] {1}\r\ny ENVELOPE …", "b OK …");
    }

    [Theory]
    [InlineData("/comment (value \"x\")")]
    [InlineData("/comment (size.priv \"1\")")]
    [InlineData("/comment (value.priv x)")]
    [InlineData("/comment (VALUE.PRIV \"x\")")]
    [InlineData("/comment/ (value.priv \"x\")")]
    [InlineData("/vendor//x (value.priv \"x\")")]
    [InlineData("/ (value.priv \"x\")")]
    [InlineData("comment (value.priv \"x\")")]
    [InlineData("\"/com*\" (value.priv \"x\")")]
    [InlineData("\"/vendor/%\" (value.priv \"x\")")]
    [InlineData("/Comment (value.priv \"x\")")]
    [InlineData("/vendor (value.priv \"x\")")]
    [InlineData("/flags/seen (value.priv \"1\")")]
    [InlineData("/1/flags/seen (value.priv \"yes\")")]
    [InlineData("/1/flags/other (value.priv \"1\")")]
    [InlineData("/1/altsubject (value.priv \"x\")")]
    [InlineData("/0/comment (value.priv \"x\")")]
    [InlineData("/1./comment (value.priv \"x\")")]
    [InlineData("/1a/comment (value.priv \"x\")")]
    [InlineData("/2/comment (value.priv \"x\")")]
    [InlineData("/1.1/comment (value.priv \"x\")")]
    [InlineData("/comment ()")]
    [InlineData("/comment")]
    [InlineData("")]
    public async Task What_STORE_can_not_mean_is_BAD(string annotations)
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Send($"a STORE 1 ANNOTATION ({annotations})", "b FETCH 1 (ANNOTATION (/* value))");
        await c.Expect("a BAD …", "b OK …");
    }

    [Theory]
    [InlineData("FETCH 1 (ANNOTATION (/comment other))")]
    [InlineData("FETCH 1 (ANNOTATION (/comment value.both))")]
    [InlineData("FETCH 1 (ANNOTATION (/comment/ value))")]
    [InlineData("FETCH 1 (ANNOTATION (/7/comment value))")]
    [InlineData("FETCH 1 (ANNOTATION (/1.x/comment value))")]
    [InlineData("FETCH 1 (ANNOTATION (/comment))")]
    [InlineData("FETCH 1 (ANNOTATION /comment value)")]
    [InlineData("SEARCH ANNOTATION /comment size \"1\"")]
    [InlineData("SEARCH ANNOTATION /comment value")]
    [InlineData("SORT (ANNOTATION /comment value) UTF-8 ALL")]
    [InlineData("SORT (ANNOTATION /* value.priv) UTF-8 ALL")]
    [InlineData("SORT (ANNOTATION /comment size.priv) UTF-8 ALL")]
    public async Task What_can_not_be_asked_is_BAD(string command)
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.Send("a " + command);
        await c.Expect("a BAD …");
    }

    /// <summary>§4.5.</summary>
    [Fact]
    public async Task What_is_too_much_is_refused_as_a_whole()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.SendRaw($"a STORE 1 ANNOTATION (/comment (value.priv \"x\") /altsubject (value.priv {{1025+}}\r\n{new string('x', 1025)}))\r\n");
        await c.Expect("a NO [ANNOTATE TOOBIG] …");
        string ten = string.Join(' ', Enumerable.Range(0, 10).Select(static i => $"/vendor/a/{i} (value.priv \"x\")"));
        await c.Send("b FETCH 1 (ANNOTATION (/* value))", $"c STORE 1 ANNOTATION ({ten})", "d STORE 1 ANNOTATION (/comment (value.priv \"x\"))", "e STORE 1 ANNOTATION (/comment (value.priv \"x\") /vendor/a/0 (value.priv NIL))",
            "f FETCH 1 ANNOTATION ((/comment /vendor/a/0) value.priv)");
        await c.Expect("b OK …", "c OK …", "d NO [ANNOTATE TOOMANY] …", "e OK …", "* 1 FETCH (ANNOTATION (/comment (value.priv \"x\") /vendor/a/0 (value.priv NIL)))", "f OK …");
        await c.Send("a EXAMINE INBOX");
        await c.Ok("a", "[READ-ONLY] …");
        await c.Send("b STORE 1 ANNOTATION (/comment (value.priv \"y\"))");
        await c.Expect("b NO …");
        string big = new('x', 1025);
        await c.SendRaw($"c APPEND INBOX ANNOTATION (/comment (value.priv {{1025+}}\r\n{big})) {{1+}}\r\nx\r\n");
        await c.Expect("c NO [ANNOTATE TOOBIG] …");
    }

    /// <summary>§4.4: names, never values, to those who asked; one's own change is no news (§4.5).</summary>
    [Fact]
    public async Task Others_hear_which_entries_changed()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        await using FakeMail _ = mail;
        await using ImapClient listening = await mail.LogInAsync(), plain = await mail.LogInAsync(), following = await mail.LogInAsync();
        await listening.Run("s SELECT INBOX (ANNOTATE)");
        await plain.Run("s SELECT INBOX");
        await following.Run("s SELECT INBOX (CONDSTORE ANNOTATE)");
        // SELECT alone tells no flags: what changes before the rows are read is told with them.
        foreach (ImapClient session in (ImapClient[])[listening, plain, following])
            await session.Run("s NOOP");
        await c.Send("a STORE 1:2 ANNOTATION (/comment (value.priv \"x\" value.shared \"y\"))", "b STORE 2 ANNOTATION (/altsubject (value.priv \"z\"))", "c NOOP");
        await c.Expect("a OK …", "b OK …", "c OK …");
        await listening.Send("a NOOP", "b NOOP");
        await listening.Expect("* 1 FETCH (ANNOTATION (/comment))", "* 2 FETCH (ANNOTATION (/altsubject /comment))", "a OK …", "b OK …");
        await plain.Send("a NOOP");
        await plain.Expect("a OK …");
        await following.Send("a NOOP");
        await following.Expect("* 1 FETCH (UID 1 ANNOTATION (/comment) MODSEQ (…))", "* 2 FETCH (UID 2 ANNOTATION (/altsubject /comment) MODSEQ (…))", "a OK …");
        // Flags and annotations at once; one that was taken away is a change, too; one's own change beside another's.
        await c.Run("a STORE 1 +FLAGS.SILENT (\\Seen)");
        await c.Run("a STORE 1 ANNOTATION (/comment (value.priv NIL))");
        await listening.Send("a STORE 1 ANNOTATION (/altsubject (value.priv \"mine\"))", "b NOOP");
        await listening.Expect("* 1 FETCH (FLAGS (\\Seen) ANNOTATION (/comment))", "a OK …", "b OK …");
        Assert.True(mail.Annotations.Asked > 0);
        // A session that only reads flags never asks.
        int asked = mail.Annotations.Asked;
        await c.Run("a STORE 2 +FLAGS.SILENT (\\Seen)");
        await plain.Run("a NOOP");
        Assert.Equal(asked, mail.Annotations.Asked);
        // What can't be looked up now is told at the next time.
        await c.Run("a STORE 2 ANNOTATION (/comment (value.priv \"later\"))");
        mail.Annotations.Away = true;
        await listening.Send("a NOOP");
        await listening.Expect("* 2 FETCH (FLAGS (\\Seen))", "a OK …");
        mail.Annotations.Away = false;
        await listening.Send("a NOOP");
        await listening.Expect("* 2 FETCH (ANNOTATION (/comment))", "a OK …");
    }

    [Fact]
    public async Task In_IDLE_changes_are_told_as_they_come()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await using ImapClient idle = await mail.LogInAsync();
        await idle.Run("s SELECT INBOX (ANNOTATE)");
        await idle.Run("s NOOP");
        await idle.Send("a IDLE");
        await idle.Expect("+ …");
        await c.Run("a STORE 1 ANNOTATION (/comment (value.priv \"x\"))");
        await idle.Expect("* 1 FETCH (ANNOTATION (/comment))");
        await idle.Send("DONE");
        await idle.Expect("a OK …");
    }

    /// <summary>RFC 7162: an annotation's change is one of the message's modseq.</summary>
    [Fact]
    public async Task Changes_have_modseqs()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        await using FakeMail _ = mail;
        await c.Run("a ENABLE CONDSTORE");
        long before = mail.Inbox.Now.ModSeq;
        await c.Send($"a STORE 1:2 (UNCHANGEDSINCE {before}) ANNOTATION (/comment (value.priv \"x\"))", $"b STORE 1:2 (UNCHANGEDSINCE {before}) ANNOTATION (/comment (value.priv \"y\"))",
            $"c FETCH 1:2 (ANNOTATION (/comment value.priv)) (CHANGEDSINCE {before})", "d STORE 1 ANNOTATION (/comment (value.priv \"x\"))", $"e UID STORE 2 (UNCHANGEDSINCE {before + 1}) ANNOTATION (/comment (value.priv \"z\"))",
            $"f FETCH 1:* (UID) (CHANGEDSINCE {before + 1})", $"g SEARCH MODSEQ {before + 2} ANNOTATION /comment value \"z\"");
        await c.Expect(
            $"* 1 FETCH (UID 1 MODSEQ ({before + 1}))", $"* 2 FETCH (UID 2 MODSEQ ({before + 1}))", "a OK …", "b OK [MODIFIED 1:2] …",
            $"* 1 FETCH (ANNOTATION (/comment (value.priv \"x\")) MODSEQ ({before + 1}))", $"* 2 FETCH (ANNOTATION (/comment (value.priv \"x\")) MODSEQ ({before + 1}))", "c OK …",
            // The same value is no change.
            "d OK …", $"* 2 FETCH (UID 2 MODSEQ ({before + 2}))", "e OK …",
            $"* 2 FETCH (UID 2 MODSEQ ({before + 2}))", "f OK …", $"* SEARCH 2 (MODSEQ {before + 2})", "g OK …");
    }

    /// <summary>§4.8, §4.9, and their ways into ESEARCH, SEARCHRES, PARTIAL, CONTEXT, MULTISEARCH and THREAD.</summary>
    [Fact]
    public async Task SEARCH_and_SORT()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny", "Subject: c\r\n\r\nz", "Subject: d\r\n\r\nz");
        await using FakeMail _ = mail;
        await c.Run("a STORE 1 ANNOTATION (/comment (value.priv \"About imap4\" value.shared \"zebra\"))");
        await c.Run("a STORE 2 ANNOTATION (/comment (value.shared \"IMAP4 of all\") /altsubject (value.priv \"Äpfel\"))".Replace("Ä", "A", StringComparison.Ordinal));
        await c.Run("a STORE 3 ANNOTATION (/1/comment (value.priv \"imap4 in a part\") /comment (value.shared \"apple\"))");
        await c.Send("a SEARCH ANNOTATION /comment value \"IMAP4\"", "b SEARCH ANNOTATION * value.priv \"IMAP4\"", "c SEARCH ANNOTATION /% value \"IMAP4\" NOT ANNOTATION /altsubject value \"\"",
            "d SEARCH ANNOTATION /comment value.shared NIL", "e SEARCH OR ANNOTATION /altsubject value.priv \"apf\" SUBJECT d", "f UID SEARCH RETURN (COUNT ALL SAVE) ANNOTATION /comment value \"\"", "g FETCH $ (UID)",
            "h UID SEARCH RETURN (PARTIAL -1:-1) ANNOTATION /comment value.shared \"a\"", "i SEARCH ANNOTATION \"\" value \"\"");
        await c.Expect(
            "* SEARCH 1 2", "a OK …", "* SEARCH 1 3", "b OK …", "* SEARCH 1", "c OK …", "* SEARCH 4", "d OK …", "* SEARCH 2 4", "e OK …",
            "* ESEARCH (TAG \"f\") UID COUNT 3 ALL 1:3", "f OK …", "* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)", "g OK …",
            "* ESEARCH (TAG \"h\") UID PARTIAL (-1:-1 3)", "h OK …", "i BAD …");
        await c.Send("a SORT (ANNOTATION /comment value.shared) UTF-8 ALL", "b SORT (REVERSE ANNOTATION /comment value.shared) UTF-8 ALL", "c UID SORT (ANNOTATION /altsubject value.priv REVERSE ARRIVAL SUBJECT) US-ASCII ALL",
            "d UID SORT RETURN (UPDATE COUNT) (ANNOTATION /comment value.priv) UTF-8 ALL", "e UID SEARCH RETURN (UPDATE COUNT) ANNOTATION /comment value \"a\"",
            "f ESEARCH IN (personal) RETURN (COUNT) ANNOTATION /comment value \"imap4\"", "g THREAD REFERENCES UTF-8 ANNOTATION /comment value.shared \"apple\"");
        await c.Expect(
            "* SORT 4 3 2 1", "a OK …", "* SORT 1 2 3 4", "b OK …", "* SORT 1 3 4 2", "c OK …",
            "* ESEARCH (TAG \"d\") UID COUNT 4", "* NO [NOUPDATE \"d\"] …", "d OK …", "* ESEARCH (TAG \"e\") UID COUNT 3", "* NO [NOUPDATE \"e\"] …", "e OK …",
            "* ESEARCH (TAG \"f\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID COUNT 2", "f OK …", "* THREAD (3)", "g OK …");
    }

    /// <summary>§4.7, with MULTIAPPEND (RFC 3502), CATENATE (RFC 4469) and REPLACE (RFC 8508); a value may be a literal of either kind.</summary>
    [Fact]
    public async Task Messages_come_with_annotations()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await c.SendRaw("a APPEND INBOX (\\Seen) ANNOTATION (/comment (value.priv \"Don't send until I say so\")) {1+}\r\nx (\\Draft) ANNOTATION (/comment (value.priv {6+}\r\nsecond value.shared ~{3+}\r\na\0b)) {1+}\r\ny {1+}\r\nz\r\n");
        await c.Expect("* 4 EXISTS", "* … RECENT", "a OK [APPENDUID …] …");
        await c.Send("b FETCH 2:4 (ANNOTATION (/comment (value.priv size)))");
        await c.Expect(
            "* 2 FETCH (ANNOTATION (/comment (value.priv \"Don't send until I say so\" size.priv \"25\" size.shared \"0\")))", "* 3 FETCH (ANNOTATION (/comment (value.priv \"second\" size.priv \"6\" size.shared \"3\")))",
            "* 4 FETCH (ANNOTATION (/comment (value.priv NIL size.priv \"0\" size.shared \"0\")))", "b OK …");
        // The client waits before each literal.
        await c.Send("a APPEND INBOX ANNOTATION (/comment (value.priv {4}");
        await c.Expect("+ …");
        await c.Send("wait)) {1}");
        await c.Expect("+ …");
        await c.SendRaw("x ANNOTATION (/comment (value.priv {5}\r\n");
        await c.Expect("+ …");
        await c.Send("again)) CATENATE (TEXT {1}");
        await c.Expect("+ …");
        await c.Send("y)");
        await c.Expect("* 6 EXISTS", "* … RECENT", "a OK [APPENDUID …] …");
        await c.SendRaw("b REPLACE 1 INBOX ANNOTATION (/altsubject (value.shared \"new\")) {1+}\r\nr\r\n");
        await c.Expect("* OK [APPENDUID …] …", "* 1 EXPUNGE", "* 6 EXISTS", "* … RECENT", "b OK …");
        await c.Send("c FETCH 4:6 (ANNOTATION ((/comment /altsubject) value))");
        await c.Expect(
            "* 4 FETCH (ANNOTATION (/comment (value.priv \"wait\" value.shared NIL) /altsubject (value.priv NIL value.shared NIL)))", "* 5 FETCH (ANNOTATION (/comment (value.priv \"again\" value.shared NIL) /altsubject (value.priv NIL value.shared NIL)))",
            "* 6 FETCH (ANNOTATION (/comment (value.priv NIL value.shared NIL) /altsubject (value.priv NIL value.shared \"new\")))", "c OK …");
        await c.SendRaw("d APPEND INBOX ANNOTATION (/comment (value \"x\")) {1+}\r\nx\r\n");
        await c.Expect("d BAD …");
        await c.SendRaw("e APPEND INBOX ANNOTATION (/comment (value.priv \"x\")) ANNOTATION (/comment (value.priv \"x\")) {1+}\r\nx\r\n");
        await c.Expect("e BAD …");
    }

    /// <summary>§4.6.</summary>
    [Fact]
    public async Task Copies_have_them()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        await using FakeMail _ = mail;
        await c.Run("a CREATE Work");
        await c.Run("a STORE 1:2 ANNOTATION (/comment (value.priv \"mine\" value.shared \"ours\"))");
        await c.Run("a COPY 1 Work");
        await c.Run("a MOVE 2 Work");
        await c.Run("a SELECT Work");
        await c.Send("b FETCH 1:2 (ANNOTATION (/comment value))");
        await c.Expect("* 1 FETCH (ANNOTATION (/comment (value.priv \"mine\" value.shared \"ours\")))", "* 2 FETCH (ANNOTATION (/comment (value.priv \"mine\" value.shared \"ours\")))", "b OK …");
    }

    /// <summary>RFC 9586: nothing has a number.</summary>
    [Fact]
    public async Task With_UIDONLY_answers_are_about_UIDs()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await using ImapClient uids = await mail.LogInAsync();
        await uids.Run("a ENABLE UIDONLY");
        await uids.Run("a SELECT INBOX (ANNOTATE)");
        await uids.Send("a STORE 1 ANNOTATION (/comment (value.priv \"x\"))", "b UID STORE 1 ANNOTATION (/comment (value.priv \"x\"))", "c UID FETCH 1 (ANNOTATION (/comment value.priv))");
        await uids.Expect("a BAD [UIDREQUIRED] …", "b OK …", "* 1 UIDFETCH (ANNOTATION (/comment (value.priv \"x\")))", "c OK …");
        await c.Run("a STORE 1 ANNOTATION (/altsubject (value.priv \"y\"))");
        await uids.Send("d NOOP");
        await uids.Expect("* 1 UIDFETCH (ANNOTATION (/altsubject))", "d OK …");
    }

    /// <summary>RFC 5465: AnnotationChange.</summary>
    [Fact]
    public async Task NOTIFY_tells_of_changes()
    {
        (FakeMail mail, ImapClient c) = await StartAsync();
        await using FakeMail _ = mail;
        await using ImapClient watching = await mail.LogInAsync(), elsewhere = await mail.LogInAsync();
        await watching.Run("s SELECT INBOX");
        await watching.Run("s NOOP");
        await watching.Send("a NOTIFY SET (SELECTED (MessageNew MessageExpunge AnnotationChange))", "b NOTIFY SET (SELECTED (Weather))");
        await watching.Expect("a OK …", "b NO [BADEVENT (MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] …");
        await elsewhere.Run("a NOTIFY SET (PERSONAL (MessageNew MessageExpunge AnnotationChange))");
        await c.Run("a STORE 1 ANNOTATION (/comment (value.priv \"x\"))");
        await watching.Expect("* 1 FETCH (UID 1 ANNOTATION (/comment))");
        await elsewhere.Expect("* STATUS \"INBOX\" (UIDVALIDITY 1000)");
        // Flags were not asked for.
        await c.Run("a STORE 1 +FLAGS.SILENT (\\Seen)");
        await c.Run("a STORE 1 ANNOTATION (/comment (value.priv \"y\"))");
        await watching.Expect("* 1 FETCH (UID 1 ANNOTATION (/comment))");
    }

    /// <summary>What is fetched unasked of new messages (RFC 5465 §5.2) may be annotations; what is stored as a filter (RFC 5466) may look for them; a range of places (RFC 9394) is one of answers.</summary>
    [Fact]
    public async Task They_are_found_by_filters_and_fetched_unasked()
    {
        (FakeMail mail, ImapClient c) = await StartAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        await using FakeMail _ = mail;
        await using ImapClient watching = await mail.LogInAsync();
        // Which has no \Recent, that only one session could have.
        await watching.Run("s ENABLE IMAP4rev2");
        await watching.Run("s SELECT INBOX");
        await watching.Run("s NOTIFY SET (SELECTED (MessageNew (ANNOTATION (/comment value.priv)) MessageExpunge))");
        await c.SendRaw("a APPEND INBOX ANNOTATION (/comment (value.priv \"new\")) {1+}\r\nx\r\n");
        await c.Expect("* 3 EXISTS", "* … RECENT", "a OK …");
        await watching.Expect("* 3 EXISTS", "* 3 FETCH (UID 3 ANNOTATION (/comment (value.priv \"new\")))");
        await c.Run("a SETMETADATA \"\" (/private/filters/values/noted \"ANNOTATION /comment value.priv \\\"new\\\"\")");
        await c.Send("b SEARCH FILTER noted", "c UID FETCH 1:* (ANNOTATION (/comment value.priv)) (PARTIAL -1:-1)");
        await c.Expect("* SEARCH 3", "b OK …", "* 3 FETCH (UID 3 ANNOTATION (/comment (value.priv \"new\")))", "c OK …");
    }

    /// <summary>RFC 9738: a command is about so many messages at most.</summary>
    [Fact]
    public async Task A_limit_of_messages_is_one_for_annotations()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { MessageLimit = 1 }, annotations: true);
        await mail.FillAsync("Subject: a\r\n\r\nx", "Subject: b\r\n\r\ny");
        ImapClient c = (await mail.SelectedAsync(1))[1];
        await c.Send("a STORE 1:2 ANNOTATION (/comment (value.priv \"x\"))", "b FETCH 1 (ANNOTATION (/comment value.priv))", "c FETCH 2 (ANNOTATION (/comment value.priv))");
        await c.Expect("a OK [MESSAGELIMIT 1 2] …", "* 1 FETCH (ANNOTATION (/comment (value.priv NIL)))", "b OK …", "* 2 FETCH (ANNOTATION (/comment (value.priv \"x\")))", "c OK …");
    }

    /// <summary>A server that keeps none says nothing of it.</summary>
    [Fact]
    public async Task Without_a_store_for_them_there_are_none()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync("Subject: a\r\n\r\nx");
        ImapClient c = (await mail.SelectedAsync(1))[1];
        Assert.DoesNotContain("ANNOTATE", (await c.Run("a CAPABILITY"))[0]);
        await c.Send("a FETCH 1 (ANNOTATION (/comment value))", "b STORE 1 ANNOTATION (/comment (value.priv \"x\"))", "c SEARCH ANNOTATION /comment value \"x\"", "d SORT (ANNOTATION /comment value.priv) UTF-8 ALL", "e SELECT INBOX (ANNOTATE)");
        await c.Expect("a BAD …", "b BAD …", "c BAD …", "d BAD …", "e BAD …");
        await c.SendRaw("f APPEND INBOX ANNOTATION (/comment (value.priv \"x\")) {1+}\r\nx\r\n");
        await c.Expect("f BAD …");
    }
}
