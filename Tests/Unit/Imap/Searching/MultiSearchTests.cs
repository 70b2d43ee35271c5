using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>MULTISEARCH (RFC 7377).</summary>
[Covers("MULTISEARCH")]
public sealed class MultiSearchTests
{
    /// <summary>The example of RFC 7377 §2.1 with folders of our own.</summary>
    [Fact]
    public async Task Several_mailboxes()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Send(
            "tag1 ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") SUBJECT chad", "tag2 ESEARCH IN (mailboxes (folder1 nowhere INBOX)) RETURN (MIN COUNT) ALL", "tag3 ESEARCH IN (subtree-one folder2) RETURN () SUBJECT chad",
            "tag4 ESEARCH IN (subscribed mailboxes INBOX) ALL", "tag5 ESEARCH IN (personal) SUBJECT nothing", "tag6 ESEARCH IN (personal personal mailboxes folder1) RETURN (COUNT PARTIAL -1:-1) UNSEEN MODSEQ 1");
        await c.Expect(
            "* ESEARCH (TAG \"tag1\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID ALL 1,3", "* ESEARCH (TAG \"tag1\" MAILBOX \"folder2/salmon\" UIDVALIDITY 1000) UID ALL 1",
            "* ESEARCH (TAG \"tag1\" MAILBOX \"folder2/salmon/deep\" UIDVALIDITY 1000) UID ALL 1", "tag1 OK ESEARCH completed",
            "* ESEARCH (TAG \"tag2\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID MIN 1 COUNT 1", "* ESEARCH (TAG \"tag2\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID MIN 1 COUNT 3", "tag2 OK …",
            "* ESEARCH (TAG \"tag3\" MAILBOX \"folder2/salmon\" UIDVALIDITY 1000) UID ALL 1", "tag3 OK …",
            "* ESEARCH (TAG \"tag4\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID ALL 1", "* ESEARCH (TAG \"tag4\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID ALL 1:3", "tag4 OK …", "tag5 OK …");
        IReadOnlyList<string> all = await c.Ok("tag6");
        Assert.Equal(4, all.Count);
        Assert.Matches("COUNT 3 PARTIAL \\(-1:-1 3\\) MODSEQ \\d+$", all[1]);
        // Mail may be delivered into any mailbox.
        await c.Send("tag7 ESEARCH IN (inboxes) RETURN (COUNT PARTIAL -1:-1) UNSEEN MODSEQ 1");
        Assert.Equal(all.Select(static line => line.Replace("tag6", "tag7", StringComparison.Ordinal)), await c.Ok("tag7"));
    }

    [Fact]
    public async Task The_selected_mailbox()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await FilledAsync(mail);
        await c.Send("a ESEARCH ALL", "b ESEARCH IN (selected) ALL");
        await c.Expect("a BAD …", "b BAD …");
        await c.Run("c SELECT folder1");
        await c.Run("c STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c.Run("c EXPUNGE");
        await c.Send(
            "d ESEARCH ALL", "e ESEARCH IN (selected) RETURN (SAVE) 2", "f SEARCH $", "g ESEARCH IN (selected mailboxes folder1 mailboxes INBOX) RETURN (COUNT) ALL", "h ESEARCH UID 1:2");
        await c.Expect(
            "* ESEARCH (TAG \"d\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID ALL 1,3", "d OK …", "e OK …", "* SEARCH 2", "f OK …",
            "* ESEARCH (TAG \"g\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID COUNT 1", "* ESEARCH (TAG \"g\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID COUNT 2", "g OK …",
            "* ESEARCH (TAG \"h\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID ALL 1", "h OK …");
    }

    [Theory]
    [InlineData("ESEARCH")]
    [InlineData("ESEARCH IN () ALL")]
    [InlineData("ESEARCH IN (nonsense) ALL")]
    [InlineData("ESEARCH IN (selected-delayed) ALL")]
    [InlineData("ESEARCH IN (mailboxes) ALL")]
    [InlineData("ESEARCH IN (mailboxes ()) ALL")]
    [InlineData("ESEARCH IN (personal) RETURN (SAVE) ALL")]
    [InlineData("ESEARCH IN (personal) UID 1")]
    [InlineData("ESEARCH IN (personal) 1:5")]
    [InlineData("ESEARCH IN (personal) NOT $")]
    [InlineData("ESEARCH IN (personal) RETURN (FOO) ALL")]
    [InlineData("ESEARCH IN (personal (depth 1)) ALL")]
    public async Task Errors(string command)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("s SELECT INBOX");
        await c.Send("a " + command, "b ESEARCH IN (personal) CHARSET X-NONE ALL", "c NOOP");
        await c.Expect("a BAD …", "b NO [BADCHARSET (US-ASCII UTF-8)] …", "c OK …");
    }

    /// <summary>What another session does to a mailbox is found at once; one that it deletes is none any more; one that cannot be reached fails the search.</summary>
    [Fact]
    public async Task Two_sessions()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient one = await FilledAsync(mail);
        await using ImapClient two = await mail.LogInAsync();
        await two.Append("a", "folder1", "Subject: new\r\n\r\n");
        await one.Send("b ESEARCH IN (personal) SUBJECT new");
        await one.Expect("* ESEARCH (TAG \"b\" MAILBOX \"folder1\" UIDVALIDITY 1000) UID ALL 4", "b OK …");
        await two.Run("c DELETE folder1");
        await one.Send("d ESEARCH IN (personal) SUBJECT new");
        await one.Expect("d OK …");
        mail.Inbox.Unreachable = true;
        await one.Send("e ESEARCH IN (personal) SUBJECT new");
        await one.Expect("e NO [UNAVAILABLE] …");
    }

    private static async Task<ImapClient> FilledAsync(FakeMail mail)
    {
        ImapClient client = await mail.LogInAsync();
        foreach (string name in (string[])["folder1", "folder2", "folder2/salmon", "folder2/salmon/deep", "zzz"])
            await client.Run("s CREATE " + name);
        await client.Run("s SUBSCRIBE folder1");
        foreach (string subject in (string[])["chad", "other", "Re: CHAD"])
            await client.Append("s", "folder1", $"Subject: {subject}\r\n\r\n");
        foreach (string name in (string[])["INBOX", "folder2/salmon", "folder2/salmon/deep"])
            await client.Append("s", name, $"Subject: {(name == "INBOX" ? "in" : "chad")}\r\n\r\n");
        return client;
    }
}
