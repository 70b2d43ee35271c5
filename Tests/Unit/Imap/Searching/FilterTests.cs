using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>RFC 5466: searches by name.</summary>
[Covers("FILTERS")]
public sealed class FilterTests
{
    [Fact]
    public async Task A_name_stands_for_what_is_stored()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Run("a SETMETADATA \"\" (/private/filters/values/small \"SMALLER 100\" /private/filters/values/boss \"FROM \\\"boss@example.com\\\"\")");
        await c.Send(
            "b SEARCH FILTER small", "c UID SEARCH RETURN (COUNT) UNSEEN FILTER BOSS", "d SEARCH OR (FILTER small) NOT FILTER boss", "e SORT (REVERSE SIZE) UTF-8 FILTER boss",
            "f THREAD ORDEREDSUBJECT UTF-8 FILTER boss", "g ESEARCH IN (mailboxes INBOX) FILTER boss");
        await c.Expect(
            "* SEARCH 1 2", "b OK …", "* ESEARCH (TAG \"c\") UID COUNT 2", "c OK …", "* SEARCH 1 2", "d OK …", "* SORT 3 1", "e OK …", "* THREAD (1)(3)", "f OK …",
            "* ESEARCH (TAG \"g\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID ALL 1,3", "g OK …");
    }

    /// <summary>§1: the private one goes before the shared one of the same name; both are the server's, not a mailbox's.</summary>
    [Fact]
    public async Task Private_goes_before_shared()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail), other = await mail.LogInAsync();
        await other.Run("a SETMETADATA \"\" (/shared/filters/values/mine \"2\")");
        await c.Run("a SETMETADATA INBOX (/private/filters/values/mine \"3\")");
        await c.Send("b SEARCH FILTER mine");
        await c.Expect("* SEARCH 2", "b OK …");
        await other.Run("c SETMETADATA \"\" (/private/filters/values/mine \"1\")");
        await c.Send("d SEARCH FILTER mine");
        await c.Expect("* SEARCH 1", "d OK …");
        await other.Run("e SETMETADATA \"\" (/private/filters/values/mine NIL /shared/filters/values/mine NIL)");
        await c.Send("f SEARCH FILTER mine");
        await c.Expect("f NO [UNDEFINED-FILTER mine] …");
    }

    /// <summary>§3.1: three substitutions.</summary>
    [Fact]
    public async Task Filters_name_filters()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Run(
            "a SETMETADATA \"\" (/private/filters/values/one \"UNSEEN FILTER two\" /private/filters/values/two \"NOT FILTER three\" /private/filters/values/three \"UID 1\" /private/filters/values/zero \"FILTER one\" "
            + "/private/filters/values/round \"FILTER round\")");
        await c.Send("b SEARCH FILTER one", "c SEARCH FILTER zero", "d SEARCH FILTER round", "e SEARCH FILTER two FILTER three");
        await c.Expect("* SEARCH 2 3", "b OK …", "c NO [UNDEFINED-FILTER three] …", "d NO [UNDEFINED-FILTER round] …", "* SEARCH", "e OK …");
    }

    [Fact]
    public async Task Errors()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Send("a UID SEARCH RETURN (SAVE) ALL", "b SEARCH RETURN (SAVE) FILTER none", "c SEARCH $", "d SEARCH CHARSET X-NONE FILTER none", "e SEARCH FILTER a/b", "f SEARCH FILTER", "g SEARCH FILTER (a)");
        await c.Expect("a OK …", "b NO [UNDEFINED-FILTER none] …", "* SEARCH", "c OK …", "d BAD [BADCHARSET (US-ASCII UTF-8)] …", "e BAD …", "f BAD …", "g BAD …");
        await c.Send(
            "h SETMETADATA \"\" (/private/filters/values/bad \"FROM\")", "i SETMETADATA \"\" (/shared/filters/values/a/b \"ALL\")", "j SETMETADATA \"\" (/private/filters/descriptions/bad \"FROM\")",
            "k SETMETADATA \"\" (/private/filters/values/bad NIL)");
        await c.Expect("h NO [CANNOT] …", "i NO [CANNOT] …", "j OK …", "k OK …");
        await c.Run("l ENABLE UIDONLY");
        await c.Run("m SETMETADATA \"\" (/private/filters/values/first \"1\")");
        await c.Send("n UID SEARCH FILTER first");
        await c.Expect("n BAD [UIDREQUIRED] …");
    }

    [Fact]
    public async Task Many_keys_are_refused()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Run($"a SETMETADATA \"\" (/private/filters/values/many \"{string.Join(' ', Enumerable.Repeat("ALL", 300))}\")");
        await c.Send("b SEARCH FILTER many", $"c SEARCH {string.Join(' ', Enumerable.Repeat("FILTER many", 10))}");
        await c.Expect("* SEARCH 1 2 3", "b OK …", "c NO [LIMIT] …");
    }

    /// <summary>INBOX, selected: two of the boss, of which one is large, and a small one of somebody.</summary>
    private static async Task<ImapClient> FilledAsync(FakeMail mail)
    {
        ImapClient c = await mail.LogInAsync();
        await c.Append("s", "INBOX", "From: boss@example.com\r\nSubject: a\r\n\r\nx\r\n");
        await c.Append("s", "INBOX", "From: somebody@example.com\r\nSubject: b\r\n\r\nx\r\n");
        await c.Append("s", "INBOX", $"From: boss@example.com\r\nSubject: c\r\n\r\n{new string('x', 200)}\r\n");
        await c.Run("s SELECT INBOX");
        return c;
    }
}
