using System.Globalization;
using System.Text;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>THREAD (RFC 5256 §3, §4; REFS: draft-ietf-morg-inthread).</summary>
[Covers("THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS")]
public sealed class ThreadTests
{
    [Fact]
    public async Task ORDEREDSUBJECT()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "b", "Re: two", 5);
        await Add(c, "a", "one", 2);
        await Add(c, "c", "two", 1);
        await Add(c, "d", "Fwd: ONE", 4);
        await Add(c, "e", "[x] one", 3);
        await Add(c, "f", "three", 6);
        await c.Run("s SELECT INBOX");
        await Threads(c, "ORDEREDSUBJECT", "(3 1)(2 (5)(4))(6)");
        await c.Send("A284 THREAD ORDEREDSUBJECT US-ASCII TEXT \"gewp\"", "A285 UID THREAD ORDEREDSUBJECT UTF-8 4:*");
        await c.Expect("* THREAD", "A284 OK THREAD completed", "* THREAD (5 4)(6)", "A285 OK UID THREAD completed");
    }

    /// <summary>The tree of RFC 5256 §4's answers: (2)(3 6 (4 23)(44 7 96)), with numbers of our own.</summary>
    [Fact]
    public async Task REFERENCES()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "alone", "alone", 1);
        await Add(c, "root", "root", 2);
        await Add(c, "child", "Re: root", 3, "<root>");
        await Add(c, "x1", "x", 4, "<root> <child>");
        await Add(c, "x2", "x", 5, "<root> <child> <x1>");
        await Add(c, "y1", "y", 6, inReplyTo: "<child>");
        await Add(c, "y2", "y", 7, "<y1>");
        await Add(c, "y3", "y", 8, "text <y1>, \"quoted\" <y2>");
        await c.Run("s SELECT INBOX");
        await Threads(c, "REFERENCES", "(1)(2 3 (4 5)(6 7 8))");
        // The first of the thread is not among what is asked for: a dummy has its place.
        await Threads(c, "REFERENCES", "((4 5)(6 7 8))", "4:8");
        await Threads(c, "REFERENCES", "(2)(6)", "2,6");
    }

    [Fact]
    public async Task Broken_references()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "a", "1", 1, "<b>");
        await Add(c, "b", "2", 2, "<a>");
        await Add(c, "c", "3", 3, "<c>");
        await Add(c, "c", "4", 4, "<a> <a>");
        await Add(c, "", "5", 5, "no identifier <unclosed");
        await Add(c, "\"q\"@x", "6", 6);
        await Add(c, "g", "7", 7, "<q@x>");
        await c.Run("s SELECT INBOX");
        // A loop is cut where it would close; of two messages with one identifier the first has it; quotes make no difference.
        await Threads(c, "REFERENCES", "(2 1 4)(3)(5)(6 7)");
    }

    /// <summary>A message says itself who its parent is, whatever the references of others made of it (step 1 B).</summary>
    [Fact]
    public async Task Own_references_win()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "leaf", "1", 4, "<wrong> <mid>");
        await Add(c, "wrong", "2", 2);
        await Add(c, "mid", "3", 3, "<right>");
        await Add(c, "right", "4", 1);
        await c.Run("s SELECT INBOX");
        await Threads(c, "REFERENCES", "(4 3 1)(2)");
    }

    /// <summary>Step 5.</summary>
    [Fact]
    public async Task Subjects_join_threads()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "1", "news", 1);
        await Add(c, "2", "Re: news", 2);
        await Add(c, "3", "again", 3);
        await Add(c, "4", "again", 4);
        await Add(c, "5", "Re: later", 5);
        await Add(c, "6", "later", 6);
        await Add(c, "7", "lost", 7, "<gone>");
        await Add(c, "8", "Re: lost", 8, "<gone>");
        await Add(c, "9", "Re: lost", 9);
        await Add(c, "10", "", 10);
        await Add(c, "11", "Re:", 11);
        await c.Run("s SELECT INBOX");
        await Threads(c, "REFERENCES", "(1 2)((3)(4))(6 5)((7)(8)(9))(10)(11)");
        // No subjects in REFS, and threads by what came in last.
        await Threads(c, "REFS", "(1)(2)(3)(4)(5)(6)((7)(8))(9)(10)(11)");
    }

    [Fact]
    public async Task REFS_go_by_the_newest_message()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await Add(c, "a", "1", 1);
        await Add(c, "b", "2", 2);
        await Add(c, "c", "3", 3, "<a>");
        await c.Run("s SELECT INBOX");
        await Threads(c, "REFS", "(2)(1 3)");
        await Threads(c, "REFERENCES", "(1 3)(2)");
    }

    [Fact]
    public async Task A_thread_may_be_as_deep_as_a_mailbox()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        const int Depth = 3000;
        var command = new StringBuilder("s APPEND INBOX");
        for (int i = 1; i <= Depth; i++)
        {
            string message = $"Message-ID: <{i}>\r\nReferences: <{i - 1}>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\n";
            command.Append(CultureInfo.InvariantCulture, $" {{{message.Length}+}}\r\n{message}");
            if (i % 1000 == 0)
            {
                await c.SendRaw(command + "\r\n");
                await c.Ok("s");
                command.Clear().Append("s APPEND INBOX");
            }
        }
        await c.Run("s SELECT INBOX");
        await Threads(c, "REFS", "(" + string.Join(' ', Enumerable.Range(1, Depth)) + ")");
    }

    [Fact]
    public async Task Errors()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("s SELECT INBOX");
        await c.Send("a THREAD NONSENSE UTF-8 ALL", "b THREAD REFERENCES X-NONE ALL", "c THREAD REFERENCES UTF-8", "d THREAD REFERENCES ALL", "e THREAD REFERENCES UTF-8 ALL");
        await c.Expect("a BAD …", "b NO [BADCHARSET (US-ASCII UTF-8)] …", "c BAD …", "d BAD …", "* THREAD", "e OK …");
    }

    private static Task Add(ImapClient client, string id, string subject, int day, string? references = null, string? inReplyTo = null)
    {
        var header = new StringBuilder();
        if (id.Length > 0)
            header.Append(CultureInfo.InvariantCulture, $"Message-ID: <{id}>\r\n");
        if (references is not null)
            header.Append(CultureInfo.InvariantCulture, $"References: {references}\r\n");
        if (inReplyTo is not null)
            header.Append(CultureInfo.InvariantCulture, $"In-Reply-To: {inReplyTo}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Subject: {subject}\r\nDate: {day} Feb 2020 00:00:00 +0000\r\n\r\n");
        return client.Append("s", "INBOX", header.ToString(), $"\"{day,2}-Feb-2020 12:00:00 +0000\"");
    }

    private static async Task Threads(ImapClient client, string algorithm, string threads, string keys = "ALL")
    {
        await client.Send($"s THREAD {algorithm} UTF-8 {keys}");
        await client.Expect("* THREAD " + threads, "s OK THREAD completed");
    }
}
