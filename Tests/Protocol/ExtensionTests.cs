using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Extensions of the front end over the real store: what the unit tests show in memory.</summary>
public sealed class ExtensionTests(MailServer server)
{
    [Fact]
    public async Task Sorted_threaded_and_by_pages()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 5);
        await c[1].Send(
            "a SORT (REVERSE SUBJECT) UTF-8 ALL", "b UID SORT RETURN (COUNT PARTIAL 2:3) (SUBJECT) UTF-8 ALL", "c THREAD REFERENCES UTF-8 ALL", "d UID SEARCH RETURN (PARTIAL -1:-2) ALL", "e UID FETCH 1:* (UID) (PARTIAL 5:9)",
            "f FETCH 3 (PREVIEW)");
        await c[1].Expect(
            "* SORT 5 4 3 2 1", "a OK …", "* ESEARCH (TAG \"b\") UID COUNT 5 PARTIAL (2:3 2:3)", "b OK …", "* THREAD …", "c OK …", "* ESEARCH (TAG \"d\") UID PARTIAL (-1:-2 4:5)", "d OK …", "* 5 FETCH (UID 5)", "e OK …",
            "* 3 FETCH (PREVIEW \"…\")", "f OK …");
        await c[2].Run("a STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c[2].Run("a EXPUNGE");
        await c[1].Send("g SORT (SUBJECT) UTF-8 ALL", "h ESEARCH IN (personal) RETURN (COUNT) ALL");
        Assert.Contains("* SORT 1 3 4 5", await c[1].Ok("g"));
        Assert.Contains((await c[1].Ok("h")), static l => l.EndsWith(" UID COUNT 4", StringComparison.Ordinal));
    }

    /// <summary>A message from parts of others; and one that cannot be made leaves nothing behind.</summary>
    [Fact]
    public async Task Put_together()
    {
        ImapClient c = (await server.SelectedAsync(1, messages: 1))[1];
        string large = new('x', 300_000);
        await c.SendRaw($"a APPEND INBOX CATENATE (URL \"/INBOX;UID=1/;SECTION=HEADER\" TEXT {{{large.Length}+}}\r\n{large} URL \"/INBOX;UID=1/;SECTION=TEXT/;PARTIAL=0.4\")\r\n");
        await c.Ok("a", "[APPENDUID … 2] …");
        string answer = Assert.Single(await c.Run("b FETCH 2 BODY.PEEK[TEXT]"));
        Assert.Contains($"{{{large.Length + 4}}}\r\n{large}", answer);
        await c.SendRaw($"c APPEND INBOX CATENATE (TEXT {{{large.Length}+}}\r\n{large} URL \"/INBOX;UID=9\")\r\nd STATUS INBOX (MESSAGES)\r\n");
        await c.Expect("c NO [BADURL \"/INBOX;UID=9\"] …", "* STATUS \"INBOX\" (MESSAGES 2)", "d OK …");
    }

    [Fact]
    public async Task Compressed_and_without_numbers()
    {
        ImapClient[] c = await server.SelectedAsync(2, messages: 2);
        await c[1].Run("a COMPRESS DEFLATE");
        c[1].StartDeflate();
        await c[1].Send("b ENABLE UIDONLY UTF8=ACCEPT", "c FETCH 1 FLAGS", "d UID FETCH 2 (FLAGS)");
        await c[1].Expect("* ENABLED UIDONLY UTF8=ACCEPT", "b OK …", "c BAD [UIDREQUIRED] …", "* 2 UIDFETCH (FLAGS (…))", "d OK …");
        await c[2].Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c[2].Run("a EXPUNGE");
        await c[1].Send("e NOOP");
        Assert.Contains("* VANISHED 1", await c[1].Ok("e"));
    }

    /// <summary>What owners answer is in the session's language, too; in UTF-8.</summary>
    [Fact]
    public async Task Refused_in_the_users_language()
    {
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, await server.AccountAsync(), MailServer.Password);
        await c.Send("a LANGUAGE fr", "b CREATE INBOX/", "c RENAME nothing x", "d DELETE INBOX", "e STATUS INBOX (MESSAGES)");
        await c.Expect("* LANGUAGE (fr)", "* NAMESPACE …\"TRANSLATION\" (\"Autres utilisateurs/\")…\"TRANSLATION\" (\"Dossiers partag&AOk-s/\")))", "a OK …",
            "b NO [ALREADYEXISTS] Une bo\u00c3\u00aete de ce nom existe.", "c NO [NONEXISTENT] Cette bo\u00c3\u00aete n'existe pas.", "d NO [CANNOT] INBOX ne peut pas \u00c3\u00aatre supprim\u00c3\u00a9e.",
            "* STATUS …", "e OK STATUS termin\u00c3\u00a9");
    }
}
