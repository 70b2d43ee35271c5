using System.Text;

namespace MailCluster.Tests.Support.Messages;

/// <summary>Messages of our own, one for each kind of trouble that mail makes, as they arrive at a store (CRLF line ends).</summary>
public static class TroubleMessages
{
    /// <summary>Every message by a name that says what its trouble is; the large ones are made anew at each call.</summary>
    public static IEnumerable<(string Name, byte[] Message)> All =>
    [
        ("empty", []),
        ("header only", Lines("Subject: nothing follows", "")),
        ("header without line end", Encoding.Latin1.GetBytes("Subject: cut")),
        ("empty line first", Lines("", "only a body")),
        ("no header at all", Lines("This is no header", "and neither is this")),
        ("plain", Plain),
        ("nested multiparts", NestedMultiparts),
        ("digest", Digest),
        ("message in message", MessageInMessage),
        ("end boundary missing", EndBoundaryMissing),
        ("boundary is the start of another", BoundaryPrefix),
        ("boundary with a colon", ColonBoundary),
        ("multipart without parts", Lines("Content-Type: multipart/mixed; boundary=b", "", "no part", "")),
        ("multipart without boundary", Lines("Content-Type: multipart/mixed", "", "--b", "", "text", "--b--", "")),
        ("multipart cut after a boundary", Lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--b", "")),
        ("8-bit header", EightBitHeader),
        ("folded header", Folded),
        ("groups and routes", GroupsAndRoutes),
        ("split parameters", SplitParameters),
        ("unknown transfer encoding", Lines("Content-Type: text/plain", "Content-Transfer-Encoding: x-rot13", "", "Uryyb")),
        ("broken base64", Lines("Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "", "SGVs*bG8g!!", "d29ybGQ", "")),
        ("NUL", Lines("Subject: a\0b", "", "text\0text")),
        ("lone CR", Encoding.Latin1.GetBytes("Subject: a\rb\r\n\r\nline\rstill the line\r\nnext\r\n")),
        ("encoded message", Lines("Content-Type: message/global", "Content-Transfer-Encoding: base64", "", "U3ViamVjdDogaQ0KDQpi", "")),
        ("external body", Lines("Content-Type: message/external-body; access-type=local-file; name=x", "", "Content-Type: image/gif", "", "")),
        ("byte order mark", [.. Encoding.UTF8.Preamble, .. Lines("Subject: marked", "", "body")]),
        ("bad content type", Lines("Content-Type: ;;; /=", "", "body")),
        ("header of 100 KB", LongHeader(100 * 1024)),
        ("header of 3 MB", LongHeader(3 * 1024 * 1024)),
        ("200 levels", Levels(200)),
        ("200 messages in messages", MessageLevels(200)),
        ("20,000 parts", Parts(20_000)),
    ];

    public static byte[] Plain => Lines(
        "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)", "From: Fred Foobar <foobar@Blurdybloop.example>", "Subject: afternoon meeting",
        "To: mooch@owatagu.siam.edu.example", "Message-Id: <B27397-0100000@Blurdybloop.example>", "MIME-Version: 1.0",
        "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII", "", "Hello Joe, do you think we can meet at 3:30 tomorrow?", "");

    public static byte[] NestedMultiparts => Lines(
        "Content-Type: multipart/mixed; boundary=outer", "", "preamble", "--outer", "Content-Type: multipart/alternative; boundary=inner", "",
        "--inner", "Content-Type: text/plain", "", "plain text", "--inner", "Content-Type: text/html; charset=utf-8", "", "<p>html</p>", "",
        "--inner--", "epilogue of inner", "--outer", "Content-Type: image/png; name=\"a b.png\"", "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment; filename=\"a b.png\"", "Content-ID: <png@example>", "", "iVBORw0KGgo=", "--outer--", "epilogue", "");

    /// <summary>A digest of two messages, the second of which is a multipart; neither has a Content-Type of its own in the digest.</summary>
    public static byte[] Digest => Lines(
        "Subject: digest", "Content-Type: multipart/digest; boundary=d", "", "--d", "", "From: one@example", "Subject: first", "", "body one",
        "--d", "", "From: two@example", "Subject: second", "Content-Type: multipart/mixed; boundary=m", "", "--m", "", "inner one", "--m",
        "Content-Type: text/html", "", "<b>inner two</b>", "--m--", "--d--", "");

    public static byte[] MessageInMessage => Lines(
        "Subject: outer", "Content-Type: message/rfc822", "", "Subject: middle", "Content-Type: message/rfc822", "", "Subject: inner", "",
        "the text", "");

    public static byte[] EndBoundaryMissing => Lines(
        "Content-Type: multipart/mixed; boundary=a", "", "--a", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "first", "--a", "",
        "second, and no end");

    public static byte[] BoundaryPrefix => Lines(
        "Content-Type: multipart/mixed; boundary=part", "", "--part", "Content-Type: multipart/mixed; boundary=part-inner", "",
        "--part-inner", "", "one", "--part-inner--", "--part", "", "two", "--partial is text", "--part--", "");

    /// <summary>Parts without an empty line after their header: the next boundary line ends the header though it looks like a field.</summary>
    public static byte[] ColonBoundary => Lines(
        "Content-Type: multipart/mixed; boundary=\"a:b\"", "", "--a:b", "Content-Type: text/plain", "--a:b", "Content-Type: text/html", "",
        "html", "--a:b--", "");

    public static byte[] EightBitHeader => Encoding.Latin1.GetBytes(
        "From: \"J\u00e9r\u00f4me\" <jerome@example.com>\r\nSubject: caf\u00e9\r\nTo: Gr\u00c3\u00bc\u00c3\u009fe <a@example.com>\r\n\r\nbody\r\n");

    public static byte[] Folded => Lines(
        "Subject: one", " two", "\tthree", "From: First", "  Last", " <first.last@example.com>", "References: <1@a>", " <2@b>", "", "body", "");

    public static byte[] GroupsAndRoutes => Lines(
        "From: <@relay.example,@hub.example:user@host.example>", "To: undisclosed-recipients:;",
        "Cc: A Group:Ed Jones <joe@a.example>,joe@where.example,John <jdoe@one.example>;, after@group.example",
        "Bcc: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>, root, \"Quoted, \\\"Name\\\"\" <\"odd local\"@example.com>, old@style.example (Old Style)",
        "", "body", "");

    public static byte[] SplitParameters => Lines(
        "Content-Type: application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;", " title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"; plain=x",
        "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac%20rates; size*0=1; size*1=2", "", "body", "");

    public static byte[] LongHeader(int length) => Lines(
        "Subject: before", "X-Long: " + new string('x', length), "To: after@example.com", "", "the body", "");

    public static byte[] Levels(int levels)
    {
        var text = new StringBuilder();
        for (var i = 0; i < levels; i++)
            text.Append($"Content-Type: multipart/mixed; boundary=level{i}\r\n\r\n--level{i}\r\n");
        text.Append("\r\ndeepest\r\n");
        for (var i = levels - 1; i >= 0; i--)
            text.Append($"--level{i}--\r\n");
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    public static byte[] MessageLevels(int levels) =>
        Lines([.. Enumerable.Repeat("Content-Type: message/rfc822\r\n", levels), "Subject: deepest", "", "text", ""]);

    public static byte[] Parts(int parts)
    {
        var text = new StringBuilder("Content-Type: multipart/mixed; boundary=p\r\n\r\n");
        for (var i = 1; i <= parts; i++)
            text.Append($"--p\r\n\r\npart {i}\r\n");
        return Encoding.Latin1.GetBytes(text.Append("--p--\r\n").ToString());
    }

    /// <summary>Lines joined by CRLF, one byte a character.</summary>
    public static byte[] Lines(params IEnumerable<string> lines) => Encoding.Latin1.GetBytes(string.Join("\r\n", lines));
}
