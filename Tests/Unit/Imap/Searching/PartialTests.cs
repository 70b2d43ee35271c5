using MailCluster.Imap.Wire;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using MailCluster.Tests.Unit.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>PARTIAL (RFC 9394): a page of a SEARCH or of a UID FETCH.</summary>
[Covers("PARTIAL")]
public sealed class PartialTests
{
    [Theory]
    [InlineData(1, 500, false, 764, 0, 500)]
    [InlineData(501, 1000, false, 764, 500, 264)]
    [InlineData(1000, 501, false, 764, 500, 264)]
    [InlineData(765, 900, false, 764, 0, 0)]
    [InlineData(1, 100, true, 764, 664, 100)]
    [InlineData(100, 1, true, 764, 664, 100)]
    [InlineData(701, 800, true, 764, 0, 64)]
    [InlineData(1, 4294967295, true, 3, 0, 3)]
    [InlineData(1, 1, false, 0, 0, 0)]
    public void Places(uint first, uint last, bool fromEnd, int count, int start, int length) =>
        Assert.Equal((start, length), new PartialRange(first, last, fromEnd).Of(count));

    [Theory]
    [InlineData("RETURN (PARTIAL) ALL")]
    [InlineData("RETURN (PARTIAL 5) ALL")]
    [InlineData("RETURN (PARTIAL 0:5) ALL")]
    [InlineData("RETURN (PARTIAL 1:*) ALL")]
    [InlineData("RETURN (PARTIAL -1:5) ALL")]
    [InlineData("RETURN (PARTIAL 1:-5) ALL")]
    [InlineData("RETURN (PARTIAL 1:5 PARTIAL 6:9) ALL")]
    [InlineData("RETURN (PARTIAL 1:5 ALL) ALL")]
    [InlineData("RETURN (ALL PARTIAL 1:5) ALL")]
    public void Bad_ranges(string text) => Grammar.Bad(text, SearchGrammar.Parse);

    /// <summary>The examples of RFC 9394 §3.1, with fewer messages.</summary>
    [Fact]
    public async Task SEARCH()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await c.Send(
            "A01 UID SEARCH RETURN (PARTIAL 1:3) UNDELETED", "A02 UID SEARCH RETURN (PARTIAL 4:6) UNDELETED", "A03 UID SEARCH RETURN (PARTIAL 9:12) UNDELETED",
            "A04 SEARCH RETURN (PARTIAL -1:-3 COUNT MIN) UNDELETED", "A05 SEARCH RETURN (PARTIAL 1:2) DELETED", "A06 UID SEARCH RETURN (PARTIAL 1:9) 2:3,5,7:8");
        await c.Expect(
            "* ESEARCH (TAG \"A01\") UID PARTIAL (1:3 1:3)", "A01 OK …", "* ESEARCH (TAG \"A02\") UID PARTIAL (4:6 4:6)", "A02 OK …", "* ESEARCH (TAG \"A03\") UID PARTIAL (9:12 NIL)", "A03 OK …",
            "* ESEARCH (TAG \"A04\") MIN 1 COUNT 8 PARTIAL (-1:-3 6:8)", "A04 OK …", "* ESEARCH (TAG \"A05\") PARTIAL (1:2 NIL)", "A05 OK …", "* ESEARCH (TAG \"A06\") UID PARTIAL (1:9 2:3,5,7:8)", "A06 OK …");
    }

    /// <summary>RFC 9394 §3.2.</summary>
    [Fact]
    public async Task What_SAVE_keeps()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        await Saves(c, "PARTIAL 2:3", "2 3");
        await Saves(c, "PARTIAL -1:-2", "7 8");
        await Saves(c, "PARTIAL 2:3 MIN", "1 2 3");
        await Saves(c, "PARTIAL 2:3 MAX", "2 3 8");
        await Saves(c, "PARTIAL 2:3 MIN MAX", "1 2 3 8");
        await Saves(c, "PARTIAL 2:3 COUNT", "1 2 3 4 5 6 7 8");
        await Saves(c, "PARTIAL 20:30", "");
    }

    /// <summary>RFC 9394 §3.3, §3.4.</summary>
    [Fact]
    public async Task UID_FETCH()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await SelectedAsync(mail);
        long before = mail.Inbox.Now.ModSeq;
        await c.Run("s STORE 2,4,6 +FLAGS.SILENT ($x)");
        await c.Send("10 UID FETCH 1:* (FLAGS) (PARTIAL -1:-2)", "11 UID FETCH 2:6 (UID) (PARTIAL 2:3)", $"12 UID FETCH 1:* (UID) (PARTIAL -1:-2 CHANGEDSINCE {before})", "13 UID FETCH 1:* (UID) (PARTIAL 9:10)");
        await c.Expect(
            "* 7 FETCH (UID 7 FLAGS (…))", "* 8 FETCH (UID 8 FLAGS (…))", "10 OK …", "* 3 FETCH (UID 3)", "* 4 FETCH (UID 4)", "11 OK …",
            "* OK [HIGHESTMODSEQ …", "* 4 FETCH (UID 4 …", "* 6 FETCH (UID 6 …", "12 OK …", "13 OK …");
        await c.Send("a FETCH 1:* (UID) (PARTIAL 1:2)", "b UID FETCH 1:* (UID) (PARTIAL 1:2 PARTIAL 3:4)", "c UID FETCH 1:* (UID) (PARTIAL)");
        await c.Expect("a BAD …", "b BAD …", "c BAD …");
    }

    private static async Task Saves(ImapClient client, string options, string saved)
    {
        await client.Run($"s SEARCH RETURN (SAVE {options}) ALL");
        await client.Send("t SEARCH $");
        await client.Expect(("* SEARCH " + saved).TrimEnd(), "t OK …");
    }

    private static async Task<ImapClient> SelectedAsync(FakeMail mail)
    {
        ImapClient client = await mail.LogInAsync();
        for (int i = 0; i < 8; i++)
            await client.Append("s", "INBOX", "Subject: x\r\n\r\n");
        await client.Run("s SELECT INBOX");
        return client;
    }
}
