using System.Text;
using MailCluster.Imap.Search;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>COMPARATOR (RFC 5255 §4): what SEARCH, SORT and THREAD compare with is a session's choice.</summary>
[Covers("I18NLEVEL=2")]
public sealed class ComparatorTests
{
    /// <summary>RFC 5255 §4.7, its example with a collation that is there.</summary>
    [Fact]
    public async Task Is_told_and_chosen()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a COMPARATOR", "A001 COMPARATOR \"cz;*\" i;octet", "b COMPARATOR", "c COMPARATOR \"cz;*\" i;basic", "d COMPARATOR", "e COMPARATOR \"*casemap\"", "f COMPARATOR i;octet i;oct*");
        await c.Expect(
            "* COMPARATOR i;unicode-casemap", "a OK …", "* COMPARATOR i;octet", "A001 OK …", "* COMPARATOR i;octet", "b OK …", "c NO [BADCOMPARATOR] …", "* COMPARATOR i;octet", "d OK …",
            "* COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap)", "e OK …", "f BAD …");
        await c.Send("a COMPARATOR \"-I;oct*\" default", "b COMPARATOR +i;ascii-casemap", "c COMPARATOR default i;octet", "d COMPARATOR \"*\"");
        await c.Expect(
            "* COMPARATOR -i;octet (i;octet i;unicode-casemap)", "a OK …", "* COMPARATOR i;ascii-casemap", "b OK …", "* COMPARATOR i;unicode-casemap (i;unicode-casemap i;octet)", "c OK …",
            "* COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap i;octet)", "d OK …");
        // It has no substring operation, without which SEARCH can do nothing (§4.4).
        await c.Send("a COMPARATOR i;ascii-numeric", "b COMPARATOR");
        await c.Expect("a NO [BADCOMPARATOR] …", "* COMPARATOR i;unicode-casemap", "b OK …");
    }

    [Theory]
    [InlineData("COMPARATOR \"\"")]
    [InlineData("COMPARATOR -")]
    [InlineData("COMPARATOR \"i;**\"")]
    [InlineData("COMPARATOR ;octet")]
    [InlineData("COMPARATOR i;octet (i;octet)")]
    [InlineData("COMPARATOR \"i;oct?t\"")]
    [InlineData("COMPARATOR i;octet  i;octet")]
    public async Task Bad(string command)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a " + command, $"b COMPARATOR {new string('a', 255)}", "c COMPARATOR");
        await c.Expect("a BAD …", "b BAD …", "* COMPARATOR i;unicode-casemap", "c OK …");
        await using ImapClient early = await mail.ConnectAsync();
        await early.Send("a COMPARATOR");
        await early.Expect("a BAD …");
    }

    [Fact]
    public async Task SEARCH_SORT_and_THREAD_go_by_it()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Send("a SEARCH SUBJECT \"hello\"", "b SORT (SUBJECT) UTF-8 ALL", "d THREAD ORDEREDSUBJECT UTF-8 ALL", "e SORT (REVERSE FROM) UTF-8 ALL");
        await c.Expect("* SEARCH 1 2 5", "a OK …", "* SORT 3 4 1 2 5", "b OK …", "* THREAD (1 (2)(5))(3 4)", "d OK …", "* SORT 2 4 1 3 5", "e OK …");
        await c.Run("o COMPARATOR i;octet");
        await c.Send(
            "a SEARCH SUBJECT \"hello\"", "b SEARCH SUBJECT Hello", "d SEARCH BODY TEXT", "e SEARCH TEXT \"Subject: Re: h\"", "f SEARCH FROM ZOE", "g SEARCH HEADER FROM zoe", "h SEARCH FUZZY SUBJECT \"hello re:\"");
        await c.Expect("* SEARCH 2 5", "a OK …", "* SEARCH 1", "b OK …", "* SEARCH", "d OK …", "* SEARCH 5", "e OK …", "* SEARCH", "f OK …", "* SEARCH 2", "g OK …", "* SEARCH", "h OK …");
        await c.Send("a SORT (SUBJECT) UTF-8 ALL", "b THREAD ORDEREDSUBJECT UTF-8 ALL", "d THREAD REFERENCES UTF-8 ALL", "e SORT (DISPLAYFROM) UTF-8 ALL", "f ESEARCH IN (mailboxes INBOX) SUBJECT Hello");
        await c.Expect(
            "* SORT 3 1 4 2 5", "a OK …", "* THREAD (1)(2 5)(3)(4)", "b OK …", "* THREAD (1)(2 5)(3)(4)", "d OK …", "* SORT 1 3 5 4 2", "e OK …", "* ESEARCH (TAG \"f\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID ALL 1", "f OK …");
        // Turned round are texts, and nothing else.
        await c.Run("o COMPARATOR -i;octet");
        await c.Send("a SORT (SUBJECT) UTF-8 ALL", "b SORT (REVERSE SUBJECT) UTF-8 ALL", "d SORT (ARRIVAL) UTF-8 ALL", "e SORT (DATE) UTF-8 ALL", "f SEARCH SUBJECT Hello");
        await c.Expect("* SORT 2 5 4 1 3", "a OK …", "* SORT 3 1 4 2 5", "b OK …", "* SORT 1 2 3 4 5", "d OK …", "* SORT 1 2 3 4 5", "e OK …", "* SEARCH 1", "f OK …");
    }

    /// <summary>Of i;ascii-casemap only letters of ASCII have two cases.</summary>
    [Fact]
    public async Task Letters_of_ASCII()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        foreach (string subject in new[] { "\u00e9t\u00e9", "\u00c9T\u00c9", "\u00e9T\u00e9", "ete" })
            await c.Append("s", "INBOX", Latin($"Subject: {subject}\r\n\r\nx\r\n"));
        await c.Run("s SELECT INBOX");
        await Finds(c, "\u00e9t\u00e9", "1 2 3");
        await c.Run("s COMPARATOR i;ascii-casemap");
        await Finds(c, "\u00e9t\u00e9", "1 3");
        await Finds(c, "ET", "4");
        await Finds(c, "t", "1 2 3 4");
        await c.Send("a SORT (SUBJECT) UTF-8 ALL");
        await c.Expect("* SORT 4 2 1 3", "a OK …");
    }

    /// <summary>Another session's, and another user's of the same connection, is its own.</summary>
    [Fact]
    public async Task Is_of_one_session()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient other = await FilledAsync(mail);
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + UnauthenticateTests.AsOperator("alice"));
        await c.Run("a COMPARATOR i;octet");
        await other.Send("a COMPARATOR", "b SEARCH SUBJECT HELLO");
        await other.Expect("* COMPARATOR i;unicode-casemap", "a OK …", "* SEARCH 1 2 5", "b OK …");
        await c.Run("a SELECT INBOX");
        await c.Send("a SEARCH SUBJECT HELLO", "b UNAUTHENTICATE", "d AUTHENTICATE PLAIN " + UnauthenticateTests.AsOperator("alice"), "e COMPARATOR");
        await c.Expect("* SEARCH", "a OK …", "b OK …", "d OK …", "* COMPARATOR i;unicode-casemap", "e OK …");
    }

    /// <summary>A search that is followed goes on by what it began with (RFC 5267).</summary>
    [Fact]
    public async Task What_is_followed_goes_on_as_it_began()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Run("o COMPARATOR i;octet");
        await c.Send("s UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 SUBJECT ello");
        await c.Expect("* ESEARCH (TAG \"s\") UID ALL 1:2,5", "s OK …");
        await c.Run("o COMPARATOR default");
        await using ImapClient other = await mail.LogInAsync();
        await other.Append("a", "INBOX", "Subject: ELLO\r\n\r\nx\r\n");
        await other.Append("a", "INBOX", "Subject: Jello\r\n\r\nx\r\n");
        Assert.Contains("* ESEARCH (TAG \"s\") UID ADDTO (2 7)", await c.Run("n NOOP"));
    }

    /// <summary>Wherever pieces end, what is found is what the whole text contains; and where that is so the index of texts never says otherwise.</summary>
    [Fact]
    public void Pieces_and_signatures_agree_with_the_whole()
    {
        const string Alphabet = "aAbB\u00e9\u00c9e\u0301\ufb01fi\U00010428\U00010400 \uac01";
        Rune[] runes = [.. Alphabet.EnumerateRunes()];
        var random = new Random(11);
        int found = 0;
        for (int round = 0; round < 2_000; round++)
        {
            string text = Text(20), value = Text(3);
            bool[] contained = [.. Collation.All.Select(c => c.Contains(text, value))];
            for (int i = 0; i < contained.Length; i++)
            {
                var matcher = new TextMatcher([value], Collation.All[i]);
                for (int at = 0, size; at < text.Length; at += size)
                    matcher.Add(text.AsSpan(at, size = Math.Min(random.Next(1, 5), text.Length - at)));
                Assert.True(contained[i] == matcher.Found[0], $"{Collation.All[i].Name}: '{value}' in '{text}'");
            }
            Assert.True(!contained[2] || contained[1]);
            Assert.True(!contained[1] || contained[0]);
            if (!contained[0])
                continue;
            found++;
            var signature = new TextSignature();
            signature.Add(text);
            ushort[] has = signature.Positions();
            Assert.All(TextSignature.PositionsOf(value) ?? [], p => Assert.Contains((ushort)p, has));
        }
        Assert.InRange(found, 50, 1_950);

        string Text(int most) => string.Concat(Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => runes[random.Next(runes.Length)]));
    }

    private static async Task<ImapClient> FilledAsync(FakeMail mail)
    {
        ImapClient c = await mail.LogInAsync();
        string[] subjects = ["Hello", "hello", "ALPHA", "alpha", "Re: hello"];
        string[] senders = ["Ann <m@x.test>", "zoe <Z@x.test>", "Bea <M@x.test>", "ann <z@x.test>", "Zoe <A@x.test>"];
        for (int i = 0; i < subjects.Length; i++)
            await c.Append("s", "INBOX", $"From: {senders[i]}\r\nSubject: {subjects[i]}\r\nDate: Sun, {i + 1} Feb 2026 10:00:00 +0000\r\n\r\nText\r\n");
        await c.Run("s SELECT INBOX");
        return c;
    }

    private static string Latin(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static async Task Finds(ImapClient client, string value, string numbers)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        await client.SendRaw($"s SEARCH SUBJECT {{{bytes.Length}+}}\r\n{Encoding.Latin1.GetString(bytes)}\r\n");
        await client.Expect(("* SEARCH " + numbers).TrimEnd(), "s OK SEARCH completed");
    }
}
