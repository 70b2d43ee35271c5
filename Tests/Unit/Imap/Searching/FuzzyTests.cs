using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>SEARCH=FUZZY (RFC 6203).</summary>
[Covers("SEARCH=FUZZY")]
public sealed class FuzzyTests
{
    [Fact]
    public async Task Words_in_any_order()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await Finds(c, "SUBJECT \"brown quick\"", "");
        await Finds(c, "FUZZY SUBJECT \"brown quick\"", "1");
        await Finds(c, "FUZZY SUBJECT \" fox \"", "1 2");
        await Finds(c, "FUZZY BODY \"dog lazy\"", "1");
        await Finds(c, "FUZZY TEXT \"dog brown\"", "1");
        await Finds(c, "FUZZY (SUBJECT \"fox red\" TO z)", "2");
        await Finds(c, "FUZZY OR SUBJECT \"brown quick\" SUBJECT nothing", "1");
        await Finds(c, "FUZZY NOT SUBJECT fox", "3");
        await Finds(c, "FUZZY SUBJECT \"\"", "1 2 3");
        await Finds(c, "SUBJECT fox FUZZY 2:3", "2");
    }

    /// <summary>RFC 6203 §4 and §6.</summary>
    [Fact]
    public async Task RELEVANCY()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send(
            "B1 SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT fox", "B2 UID SEARCH RETURN (RELEVANCY PARTIAL 2:9 COUNT) FUZZY SUBJECT fox", "B3 SEARCH RETURN (RELEVANCY) FUZZY SUBJECT wolf",
            "C1 SORT (RELEVANCY) UTF-8 FUZZY SUBJECT fox", "C2 SORT (REVERSE RELEVANCY REVERSE ARRIVAL SUBJECT) UTF-8 FUZZY SUBJECT fox");
        await c.Expect(
            "* ESEARCH (TAG \"B1\") ALL 1:2 RELEVANCY (100 100)", "B1 OK …", "* ESEARCH (TAG \"B2\") UID COUNT 2 PARTIAL (2:9 2) RELEVANCY (100)", "B2 OK …", "* ESEARCH (TAG \"B3\") RELEVANCY ()", "B3 OK …",
            "* SORT 1 2", "C1 OK …", "* SORT 2 1", "C2 OK …");
        await c.Send("D1 SEARCH RETURN (RELEVANCY) SUBJECT fox", "D2 SORT (RELEVANCY) UTF-8 ALL", "D3 SEARCH FUZZY", "D4 SEARCH FUZZY FOO");
        await c.Expect("D1 BAD …", "D2 BAD …", "D3 BAD …", "D4 BAD …");
    }

    private static async Task Finds(ImapClient client, string keys, string numbers)
    {
        await client.Send("s SEARCH " + keys);
        await client.Expect(("* SEARCH " + numbers).TrimEnd(), "s OK SEARCH completed");
    }

    private static async Task<ImapClient> SelectedAsync(FakeMail mail)
    {
        ImapClient client = await mail.LogInAsync();
        await client.Append("s", "INBOX", "Subject: The quick brown fox\r\n\r\njumps over the lazy dog\r\n", "\" 1-Feb-1994 12:00:00 +0000\"");
        await client.Append("s", "INBOX", "Subject: a red fox\r\nTo: z@x.test\r\n\r\n\r\n", "\" 1-Feb-1994 12:00:00 +0000\"");
        await client.Append("s", "INBOX", "Subject: none\r\n\r\n\r\n");
        await client.Run("s SELECT INBOX");
        return client;
    }
}
