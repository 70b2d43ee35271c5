using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>The tree of mailboxes: CREATE, DELETE, RENAME, LIST, LSUB, STATUS, SELECT.</summary>
public sealed class MailboxTests(MailServer server)
{
    [Fact]
    public async Task A_mailbox_lives_from_CREATE_to_DELETE()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send("a CREATE a/b/c/", "b CREATE a", "c CREATE \"x*\"", "d CREATE Verschickt (USE (\\Flagged))", "e CREATE q (USE (\\Nope))", "f CREATE inbox");
        await c.Expect(
            "a OK [MAILBOXID (F…)] CREATE completed", "b NO [ALREADYEXISTS] …", "c NO [CANNOT] …", "d OK …", "e NO [USEATTR] …", "f NO [ALREADYEXISTS] …");
        await c.Send("a LIST \"\" a*");
        await c.Expect(
            "* LIST (\\HasChildren) \"/\" \"a\"", "* LIST (\\HasChildren) \"/\" \"a/b\"", "* LIST (\\HasNoChildren) \"/\" \"a/b/c\"", "a OK …");
        await c.Send("a DELETE a/b", "b LIST \"a/\" %", "c DELETE a/b", "d SELECT a/b", "e DELETE a/b/c", "f DELETE inbox", "g DELETE nothing");
        await c.Expect(
            "a OK …", "* LIST (\\Noselect \\HasChildren) \"/\" \"a/b\"", "b OK …", "c NO [HASCHILDREN] …", "d NO [NONEXISTENT] …", "e OK …", "f NO [CANNOT] …",
            "g NO [NONEXISTENT] …");
    }

    [Fact]
    public async Task Renaming_a_tree_moves_what_is_below_and_renaming_INBOX_leaves_an_empty_one()
    {
        ImapClient[] c = await server.SessionsAsync(2);
        await c[1].Run("a CREATE one/two");
        await c[1].Append("a", "one/two", "Subject: x\r\n\r\n");
        await c[2].Run("b SELECT one/two");
        await c[1].Send("a RENAME one uno", "b LIST \"\" (one* uno*)", "c RENAME uno Sent", "d RENAME nothing x");
        await c[1].Expect("a OK …", "* LIST (\\HasChildren) \"/\" \"uno\"", "* LIST (\\HasNoChildren) \"/\" \"uno/two\"", "b OK …", "c NO [ALREADYEXISTS] …", "d NO [NONEXISTENT] …");
        await c[2].Send("b STORE 1 +FLAGS (\\Seen)");
        await c[2].Expect("* 1 FETCH (FLAGS (\\Seen \\Recent))", "b OK …");

        await c[1].Append("a", "INBOX", "Subject: y\r\n\r\n");
        await c[1].Send("a RENAME INBOX 2026", "b STATUS INBOX (MESSAGES)", "c STATUS 2026 (MESSAGES)");
        await c[1].Expect("a OK …", "* STATUS \"INBOX\" (MESSAGES 0)", "b OK …", "* STATUS \"2026\" (MESSAGES 1)", "c OK …");
    }

    [Fact]
    public async Task A_name_that_is_used_again_gets_a_higher_UIDVALIDITY()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Run("a CREATE again");
        long before = await UidValidityAsync(c, "again");
        await c.Run("a DELETE again");
        await c.Run("a CREATE again");
        Assert.True(await UidValidityAsync(c, "again") > before);
    }

    [Fact]
    public async Task Subscriptions_outlive_mailboxes()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Run("a CREATE lists/dotnet");
        await c.Run("a SUBSCRIBE lists/dotnet");
        await c.Run("a DELETE lists/dotnet");
        await c.Send("a LIST (SUBSCRIBED) \"\" lists*", "b LSUB \"\" lists/%", "c LSUB \"\" lists%", "d UNSUBSCRIBE lists/dotnet", "e LIST (SUBSCRIBED) \"\" lists*");
        await c.Expect(
            "* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"lists/dotnet\"", "a OK …", "* LSUB () \"/\" \"lists/dotnet\"", "b OK …",
            "* LSUB (\\Noselect) \"/\" \"lists\"", "c OK …", "d OK …", "e OK …");
    }

    [Fact]
    public async Task What_STATUS_has_told_no_session_goes_back_behind()
    {
        ImapClient[] c = await server.SessionsAsync(5);
        await c[1].Run("a CREATE busy");
        await c[2].Run("a SELECT busy");
        using var stop = new CancellationTokenSource();
        Task[] writers = [.. c[4..].Select(writer => Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
                await writer.Append($"w{i}", "busy", $"Subject: {i}\r\n\r\n");
        }))];
        long exists = 0;
        for (int i = 0; i < 100; i++)
        {
            // By turns: STATUS here, what a session with the mailbox selected is told there, LIST-STATUS here again.
            long status = Number(await c[1].Run("s STATUS busy (MESSAGES)"), @"MESSAGES (\d+)");
            Assert.True(status >= exists, $"STATUS told {status}, before it a session was told {exists}");
            IReadOnlyList<string> told = await c[2].Run("n NOOP");
            exists = told.Any(static l => l.EndsWith("EXISTS", StringComparison.Ordinal)) ? Number(told, @"\* (\d+) EXISTS") : exists;
            Assert.True(exists >= status, $"a session was told {exists}, STATUS before it {status}");
            long listed = Number(await c[3].Run("l LIST \"\" busy RETURN (STATUS (MESSAGES))"), @"MESSAGES (\d+)");
            Assert.True(listed >= exists, $"LIST-STATUS told {listed}, before it a session was told {exists}");
            long opened = Number(await c[3].Run("e EXAMINE busy"), @"\* (\d+) EXISTS");
            Assert.True(opened >= listed, $"EXAMINE told {opened}, before it LIST-STATUS {listed}");
            exists = Math.Max(exists, status);
        }
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        static long Number(IReadOnlyList<string> lines, string pattern) =>
            lines.Select(l => Regex.Match(l, pattern)).Where(static m => m.Success).Select(static m => long.Parse(m.Groups[1].Value)).Last();
    }

    [Fact]
    public async Task STATUS_and_LIST_STATUS_count()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Append("a", "Sent", "Subject: x\r\n\r\n", "(\\Seen)");
        await c.Append("a", "Sent", "Subject: y\r\n\r\n", "(\\Deleted)");
        await c.Send("a STATUS Sent (MESSAGES UIDNEXT UNSEEN DELETED SIZE RECENT)", "b LIST \"\" (Sent Trash) RETURN (STATUS (MESSAGES SIZE) SPECIAL-USE)", "c STATUS nix (MESSAGES)");
        await c.Expect(
            "* STATUS \"Sent\" (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 1 DELETED 1 SIZE 28)", "a OK …",
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"", "* STATUS \"Sent\" (MESSAGES 2 SIZE 28)",
            "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"", "* STATUS \"Trash\" (MESSAGES 0 SIZE 0)", "b OK …", "c NO [NONEXISTENT] …");
    }

    [Fact]
    public async Task SELECT_tells_what_a_client_needs()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Append("a", "INBOX", "Subject: x\r\n\r\n", "($Label1)");
        await c.Send("b SELECT INBOX");
        await c.Expect(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1)", "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1 \\*)] …",
            "* 1 EXISTS", "* 1 RECENT", "* OK [UIDVALIDITY …] …", "* OK [UIDNEXT 2] …", "* OK [HIGHESTMODSEQ …] …", "* OK [MAILBOXID (F…)] …", "* OK [ANNOTATIONS 16384] …", "b OK [READ-WRITE] …");
        await c.Send("c SELECT nothing", "d EXPUNGE", "e ENABLE IMAP4rev2", "f EXAMINE INBOX");
        await c.Expect("* OK [CLOSED] …", "c NO [NONEXISTENT] …", "d BAD …", "* ENABLED IMAP4rev2", "e OK …");
        Assert.DoesNotContain(await c.Ok("f", "[READ-ONLY] …"), static l => l.Contains("RECENT"));
    }

    [Fact]
    public async Task Names_are_UTF7_before_ENABLE_and_UTF8_after_it()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Run("a CREATE &ZeVnLIqe-");
        await c.Send("a CREATE &bad", "b LIST \"\" &ZeVn*", "c ENABLE IMAP4rev2", "d LIST \"\" \"日*\"", "e STATUS \"日本語\" (MESSAGES)");
        await c.Expect(
            "a NO [CANNOT] …", "b OK …", "* ENABLED IMAP4rev2", "c OK …", "* LIST (\\HasNoChildren) \"/\" \"日本語\"", "d OK …",
            "* STATUS \"日本語\" (MESSAGES 0)", "e OK …");
    }

    /// <summary>RFC 9051 §5.1, §6.3.9.7: names are composed, and who writes them otherwise is told.</summary>
    [Fact]
    public async Task A_name_that_is_not_composed_leads_to_the_one_that_is()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send("a ENABLE IMAP4rev2", "b CREATE \"Re\u0301sume\u0301/x\"", "c CREATE \"r\u00e9\"");
        await c.Expect(
            "* ENABLED IMAP4rev2", "a OK …", "* LIST () \"/\" \"R\u00e9sum\u00e9/x\" (\"OLDNAME\" (\"Re\u0301sume\u0301/x\"))", "b OK [MAILBOXID …", "c OK …");
        string[] before = ["* FLAGS …", "* OK [PERMANENTFLAGS …", "* 0 EXISTS", "* OK [UIDVALIDITY …", "* OK [UIDNEXT 1] …", "* OK [HIGHESTMODSEQ …", "* OK [MAILBOXID …"];
        await c.Send("d SELECT \"Re\u0301sume\u0301/x\"", "e EXAMINE \"R\u00e9sum\u00e9/x\"");
        await c.Expect([.. before, "* LIST () \"/\" \"R\u00e9sum\u00e9/x\" (\"OLDNAME\" (\"Re\u0301sume\u0301/x\"))", "* OK [ANNOTATIONS …", "d OK …"]);
        await c.Expect(["* OK [CLOSED] …", .. before, "* LIST () \"/\" \"R…sum…/x\"", "* OK [ANNOTATIONS …", "e OK …"]);
    }

    [Fact]
    public async Task A_deleted_mailbox_says_goodbye_to_its_sessions()
    {
        ImapClient[] c = await server.SessionsAsync(3);
        await c[1].Run("a CREATE doomed");
        await c[2].Run("b SELECT doomed");
        await c[3].Run("c SELECT doomed");
        await c[3].Send("c IDLE");
        await c[3].Expect("+ idling");
        await c[1].Run("a DELETE doomed");
        await c[1].Run("a CREATE doomed");
        await c[3].Expect("* BYE The selected mailbox was deleted");
        await c[2].Send("b NOOP");
        await c[2].Expect("* BYE The selected mailbox was deleted", "b NO …");
        await c[2].Closed();
    }

    private static async Task<long> UidValidityAsync(ImapClient c, string name)
    {
        await c.Send($"v STATUS {name} (UIDVALIDITY)");
        return long.Parse(Regex.Match((await c.Ok("v"))[0], @"UIDVALIDITY (\d+)").Groups[1].Value);
    }
}
