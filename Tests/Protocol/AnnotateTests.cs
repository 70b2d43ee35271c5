using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Annotations of messages (RFC 5257) as they are kept.</summary>
public sealed class AnnotateTests(MailServer server)
{
    private const string Message = "Subject: hello\r\n\r\nText\r\n";

    private async Task<ImapClient[]> SelectedAsync(int sessions, int messages = 1)
    {
        ImapClient[] c = await server.SessionsAsync(sessions);
        for (int i = 0; i < messages; i++)
            await c[1].Append("a", "INBOX", Message);
        for (int i = 1; i <= sessions; i++)
        {
            await c[i].Run("a SELECT INBOX");
            // SELECT alone has told no flags: what changes before the rows are read is told with them.
            await c[i].Run("a NOOP");
        }
        return c;
    }

    /// <summary>The examples of §4.3, §4.4 and §4.5.</summary>
    [Fact]
    public async Task Entries_are_set_and_fetched()
    {
        ImapClient[] c = await SelectedAsync(2);
        await c[1].Send("a STORE 1 ANNOTATION (/comment (value.priv \"My comment\"))", "b FETCH 1 (ANNOTATION (/comment value))", "c FETCH 1 (ANNOTATION (/comment (value size)))");
        await c[1].Expect(
            "a OK …", "* 1 FETCH (ANNOTATION (/comment (value.priv \"My comment\" value.shared NIL)))", "b OK …",
            "* 1 FETCH (ANNOTATION (/comment (value.priv \"My comment\" value.shared NIL size.priv \"10\" size.shared \"0\")))", "c OK …");
        await c[2].Send("a STORE 1 ANNOTATION (/comment (value.priv \"My new comment\" value.shared \"foo's bar\"))", "b STORE 1 ANNOTATION (/altsubject (value.priv \"Rhinoceroses!\") /vendor/foobar/label (value.priv \"label43\"))");
        await c[2].Expect("a OK …", "b OK …");
        await c[1].Send("a UID FETCH 1 (UID ANNOTATION (/* (value.priv size.priv)))", "b FETCH 1 (ANNOTATION (/% value.shared))", "c FETCH 1 (ANNOTATION ((/comment /altsubject) value.priv))",
            "d FETCH 1 (FLAGS ANNOTATION (/vendor/* value))", "e FETCH 1 ANNOTATION (/nothing (value size))", "f FETCH 1 ANNOTATION (/nothing* value)");
        await c[1].Expect(
            "* 1 FETCH (UID 1 ANNOTATION (/altsubject (value.priv \"Rhinoceroses!\" size.priv \"13\") /comment (value.priv \"My new comment\" size.priv \"14\") /vendor/foobar/label (value.priv \"label43\" size.priv \"7\")))",
            "a OK …", "* 1 FETCH (ANNOTATION (/comment (value.shared \"foo's bar\")))", "b OK …",
            "* 1 FETCH (ANNOTATION (/comment (value.priv \"My new comment\") /altsubject (value.priv \"Rhinoceroses!\")))", "c OK …",
            "* 1 FETCH (FLAGS (\\Recent) ANNOTATION (/vendor/foobar/label (value.priv \"label43\" value.shared NIL)))", "d OK …",
            "* 1 FETCH (ANNOTATION (/nothing (value.priv NIL value.shared NIL size.priv \"0\" size.shared \"0\")))", "e OK …", "f OK …");
        await c[1].Send("a STORE 1 ANNOTATION (/comment (value.shared NIL))", "b FETCH 1 (ANNOTATION (/comment value.shared))");
        await c[1].Expect("a OK …", "* 1 FETCH (ANNOTATION (/comment (value.shared NIL)))", "b OK …");
    }

    /// <summary>§4.6: what a copy has, and what EXPUNGE leaves of it in the account's usage (RFC 9208).</summary>
    [Fact]
    public async Task They_go_where_messages_go_and_count_as_long_as_they_are_there()
    {
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await c.Append("a", "INBOX", Message);
        await c.Append("a", "INBOX", Message);
        await c.Run("a CREATE Work");
        await c.Run("a SELECT INBOX");
        async Task UsesAsync(int kilobytes)
        {
            await c.Send($"q GETQUOTA user/{user}");
            await c.Expect($"* QUOTA user/{user} (… ANNOTATION-STORAGE {kilobytes} 10240)", "q OK …");
        }
        string value = new('v', 4000);
        await c.SendRaw($"a STORE 1:2 ANNOTATION (/comment (value.priv {{4000+}}\r\n{value} value.shared \"ours\"))\r\n");
        await c.Expect("a OK …");
        await UsesAsync(8);
        await c.Run("a COPY 1 Work");
        await UsesAsync(12);
        await c.Run("a MOVE 2 Work");
        await UsesAsync(12);
        await c.Run("a SETMETADATA INBOX (/private/comment \"" + new string('m', 3000) + "\")");
        await UsesAsync(15);
        await c.Run("a STORE 1 +FLAGS.SILENT (\\Deleted)");
        await c.Run("a EXPUNGE");
        await UsesAsync(11);
        await c.Run("a SELECT Work");
        await c.Send("b FETCH 1:2 (ANNOTATION (/comment (size value.shared)))");
        string both = "FETCH (ANNOTATION (/comment (size.priv \"4000\" size.shared \"4\" value.shared \"ours\")))";
        await c.Expect("* 1 " + both, "* 2 " + both, "b OK …");
        await c.Run("a STORE 1:2 ANNOTATION (/comment (value.priv NIL))");
        await UsesAsync(3);
        await c.Run("a STORE 1 ANNOTATION (/comment (value.shared \"" + new string('s', 2000) + "\"))");
        await UsesAsync(5);
        await c.Run("a CLOSE");
        await c.Run("a DELETE Work");
        await UsesAsync(3);
    }

    /// <summary>An account's limit is one for annotations of all kinds, wherever they come from; a copy that would exceed it is none.</summary>
    [Fact]
    public async Task A_quota_holds_for_all_that_sets_them()
    {
        string user = await server.AccountAsync(), manager = await server.AccountAsync();
        Assert.True((await server.Accounts.SetManagesAsync(manager, true)).IsOk);
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await using ImapClient m = await ImapClient.LoggedInAsync(server.Imap, manager, MailServer.Password);
        await c.Append("a", "INBOX", Message);
        await c.Append("a", "INBOX", Message);
        await c.Run("a SELECT INBOX");
        await m.Run($"m SETQUOTA user/{user} (ANNOTATION-STORAGE 1)");
        string half = new('x', 500);
        await c.Run($"a STORE 1 ANNOTATION (/comment (value.priv \"{half}\"))");
        await c.Send($"b STORE 1:2 ANNOTATION (/comment (value.shared \"{half}\"))", "c COPY 1 Trash", "d COPY 1 Trash", "e MOVE 1 Trash", $"f SETMETADATA INBOX (/private/comment \"{half}\")", "g FETCH 1 (ANNOTATION (/comment (size)))");
        await c.Expect("b NO [OVERQUOTA] …", "c OK [COPYUID …] …", "d NO [OVERQUOTA] …", "* OK [COPYUID …] …", "* 1 EXPUNGE", "e OK …", "f NO [OVERQUOTA] …",
            "* 1 FETCH (ANNOTATION (/comment (size.priv \"0\" size.shared \"0\")))", "g OK …");
        await c.SendRaw($"a APPEND INBOX ANNOTATION (/comment (value.priv \"{half}\")) {{{Message.Length}+}}\r\n{Message}\r\n");
        await c.Expect("a NO [OVERQUOTA] …");
        await m.Run($"m SETQUOTA user/{user} (ANNOTATION-STORAGE 3)");
        await c.SendRaw($"a APPEND INBOX ANNOTATION (/comment (value.priv \"{half}\")) {{{Message.Length}+}}\r\n{Message}\r\n");
        await c.Expect("* 2 EXISTS", "* … RECENT", "a OK …");
    }

    /// <summary>§4.5: as many as a message may have of each reader, wherever they come from; and no larger than that (§4.1).</summary>
    [Fact]
    public async Task A_message_has_so_many_and_no_more()
    {
        ImapClient c = (await SelectedAsync(1))[1];
        for (int i = 0; i < 100; i += 50)
            await c.Run($"a STORE 1 ANNOTATION ({string.Join(' ', Enumerable.Range(i, 50).Select(static n => $"/vendor/acme/{n} (value.priv \"x\")"))})");
        await c.Send("b STORE 1 ANNOTATION (/comment (value.priv \"x\") /vendor/acme/0 (value.priv \"changed\"))", "c FETCH 1 (ANNOTATION ((/comment /vendor/acme/0) value.priv))", "d STORE 1 ANNOTATION (/comment (value.shared \"x\"))",
            "e STORE 1 ANNOTATION (/comment (value.priv \"x\") /vendor/acme/0 (value.priv NIL))");
        await c.Expect("b NO [ANNOTATE TOOMANY] …", "* 1 FETCH (ANNOTATION (/comment (value.priv NIL) /vendor/acme/0 (value.priv \"x\")))", "c OK …", "d OK …", "e OK …");
        string large = new('x', (16 * 1024) + 1);
        await c.SendRaw($"f STORE 1 ANNOTATION (/comment (value.shared {{{large.Length}+}}\r\n{large}))\r\n");
        await c.Expect("f NO [ANNOTATE TOOBIG] …");
        await c.SendRaw($"g STORE 1 ANNOTATION (/comment (value.shared {{{large.Length - 1}+}}\r\n{large[1..]}))\r\n");
        await c.Expect("g OK …");
        await c.Send("h FETCH 1 (ANNOTATION (/comment (size.shared value.shared)))");
        await c.Expect($"* 1 FETCH (ANNOTATION (/comment (size.shared \"16384\" value.shared \"{large[1..]}\")))", "h OK …");
        // Those that are set and taken away again and again leave nothing behind that counts.
        for (int i = 0; i < 250; i += 50)
        {
            string names = string.Join(' ', Enumerable.Range(i, 50).Select(static n => $"/vendor/acme/again{n} (value.shared @)"));
            await c.Run($"a STORE 1 ANNOTATION ({names.Replace("@", "\"y\"", StringComparison.Ordinal)})");
            await c.Run($"a STORE 1 ANNOTATION ({names.Replace("@", "NIL", StringComparison.Ordinal)})");
        }
        string many = string.Join(' ', Enumerable.Range(0, 101).Select(static n => $"/vendor/acme/{n} (value.priv \"x\")"));
        await c.SendRaw($"a APPEND INBOX ANNOTATION ({many}) {{{Message.Length}+}}\r\n{Message}\r\n");
        await c.Expect("a NO [ANNOTATE TOOMANY] …");
    }

    /// <summary>§3.2.1: a part that is not there, of a message that is there or is just to be.</summary>
    [Fact]
    public async Task Parts_have_annotations_of_their_own()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        string multipart = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--b--\r\n";
        await c.SendRaw($"a APPEND INBOX ANNOTATION (/2.1/comment (value.priv \"the inner text\") /1/flags/seen (value.shared \"1\")) {{{multipart.Length}+}}\r\n{multipart}\r\n");
        await c.Expect("a OK …");
        await c.SendRaw($"b APPEND INBOX ANNOTATION (/3/comment (value.priv \"x\")) {{{multipart.Length}+}}\r\n{multipart}\r\n");
        await c.Expect("b BAD …");
        await c.SendRaw($"b APPEND INBOX {{{Message.Length}+}}\r\n{Message} ANNOTATION (/1.1/comment (value.priv \"x\")) {{{multipart.Length}+}}\r\n{multipart}\r\n");
        await c.Expect("b BAD …");
        await c.Append("a", "INBOX", Message);
        await c.Run("a SELECT INBOX");
        await c.Send("b FETCH 1 (ANNOTATION (/*/flags/% value))", "c FETCH 1 (ANNOTATION (/2.1/* value.priv))", "d STORE 1:2 ANNOTATION (/2/comment (value.priv \"x\"))", "e STORE 1 ANNOTATION (/2/flags/forwarded (value.priv \"1\"))",
            "f FETCH 1:2 (ANNOTATION (/2/comment value))", "g FETCH 1:2 (ANNOTATION (/1/comment value.priv))", "h SEARCH ANNOTATION /1/flags/seen value \"1\"");
        await c.Expect(
            "* 1 FETCH (ANNOTATION (/1/flags/seen (value.priv NIL value.shared \"1\")))", "b OK …", "* 1 FETCH (ANNOTATION (/2.1/comment (value.priv \"the inner text\")))", "c OK …",
            "d BAD …", "e OK …", "f BAD …", "* 1 FETCH (ANNOTATION (/1/comment (value.priv NIL)))", "* 2 FETCH (ANNOTATION (/1/comment (value.priv NIL)))", "g OK …", "* SEARCH 1", "h OK …");
    }

    /// <summary>§3.3, §3.4: private ones are each reader's own, shared ones need n; a copy takes along what who copies reads and may put there.</summary>
    [Fact]
    public async Task Of_a_shared_mailbox_each_reader_has_his_own()
    {
        string owner = await server.AccountAsync(tenant: "sharing"), viewer = await server.AccountAsync(tenant: "sharing");
        await using ImapClient alice = await ImapClient.LoggedInAsync(server.Imap, owner, MailServer.Password);
        await using ImapClient bob = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await alice.Run("a CREATE Work");
        await alice.Append("a", "Work", Message);
        await alice.Run($"a SETACL Work {viewer} lri");
        await alice.Run("a SELECT Work (ANNOTATE)");
        await alice.Run("a STORE 1 ANNOTATION (/comment (value.priv \"alice's\" value.shared \"ours\"))");
        string work = $"\"Other Users/{owner}/Work\"";
        await bob.Run($"b SELECT {work} (ANNOTATE)");
        await bob.Send("b FETCH 1 (ANNOTATION (/comment value))", "c STORE 1 ANNOTATION (/comment (value.shared \"mine\"))", "d STORE 1 ANNOTATION (/comment (value.priv \"bob's\"))", "e FETCH 1 (ANNOTATION (/comment value))",
            "f SEARCH ANNOTATION * value \"alice\"", "g COPY 1 INBOX");
        await bob.Expect(
            "* 1 FETCH (ANNOTATION (/comment (value.priv NIL value.shared \"ours\")))", "b OK …", "c NO [NOPERM] …", "d OK …", "* 1 FETCH (ANNOTATION (/comment (value.priv \"bob's\" value.shared \"ours\")))", "e OK …",
            "* SEARCH", "f OK …", "g OK …");
        // Another's own is nothing that anybody hears of; each pays for his own (RFC 9208).
        await alice.Send("a NOOP", "b FETCH 1 (ANNOTATION (/comment value))", $"c GETQUOTA user/{owner}");
        await alice.Expect("a OK …", "* 1 FETCH (ANNOTATION (/comment (value.priv \"alice's\" value.shared \"ours\")))", "b OK …", $"* QUOTA user/{owner} (… ANNOTATION-STORAGE 1 …)", "c OK …");
        await bob.SendRaw($"b APPEND {work} ANNOTATION (/comment (value.shared \"mine\")) {{{Message.Length}+}}\r\n{Message}\r\n");
        await bob.Expect("b NO [NOPERM] …");
        // Into where he may set no shared ones his own alone go.
        await bob.Run("b SELECT INBOX");
        await bob.Run("b STORE 1 ANNOTATION (/altsubject (value.priv \"a\" value.shared \"b\"))");
        await bob.Send($"b COPY 1 {work}", "c FETCH 1 (ANNOTATION (/* value))");
        await bob.Expect("b OK …", "* 1 FETCH (ANNOTATION (/altsubject (value.priv \"a\" value.shared \"b\") /comment (value.priv \"bob's\" value.shared \"ours\")))", "c OK …");
        await alice.Send("a NOOP", "b FETCH 2 (ANNOTATION (/* value) UID)", $"c SETACL Work {viewer} +n");
        await alice.Expect("* 2 EXISTS", "* … RECENT", "a OK …", "* 2 FETCH (UID 2)", "b OK …", "c OK …");
        await bob.Send($"b COPY 1 {work}", $"c SELECT {work}");
        await bob.Expect("b OK …");
        await bob.Ok("c", "[READ-WRITE] …");
        await bob.Send("d STORE 1 ANNOTATION (/comment (value.shared \"changed by bob\"))", "e FETCH 2 (ANNOTATION (/* value))");
        await bob.Expect("d OK …", "* 2 FETCH (ANNOTATION (/altsubject (value.priv \"a\" value.shared NIL) /comment (value.priv \"bob's\" value.shared NIL)))", "e OK …");
        await alice.Send("a NOOP", "b FETCH 3 (ANNOTATION (/* value))");
        await alice.Expect("* 3 EXISTS", "* … RECENT", "* 1 FETCH (ANNOTATION (/comment))", "a OK …", "* 3 FETCH (ANNOTATION (/altsubject (value.priv NIL value.shared \"b\") /comment (value.priv NIL value.shared \"ours\")))", "b OK …");
        // Without r nothing of it is to be had.
        await alice.Run($"a SETACL Work {viewer} ln");
        await bob.Send("f FETCH 1 (ANNOTATION (/* value))");
        await bob.Expect("* BYE [NOPERM] …");
    }

    /// <summary>RFC 7162: who comes back asks for what changed since, and finds annotations by it.</summary>
    [Fact]
    public async Task Their_changes_have_modseqs()
    {
        ImapClient[] c = await SelectedAsync(2, messages: 2);
        await c[1].Run("a ENABLE QRESYNC");
        long before = long.Parse((await c[1].Run("a SELECT INBOX")).Single(static l => l.Contains("HIGHESTMODSEQ", StringComparison.Ordinal)).Split(' ', ']')[3]);
        await c[2].Run("b STORE 2 ANNOTATION (/comment (value.shared \"x\"))");
        await c[2].Run("b STORE 2 ANNOTATION (/comment (value.shared \"x\"))");
        await c[1].Send("a UID FETCH 1:* (ANNOTATION (/comment value.shared)) (CHANGEDSINCE " + before + ")", $"b UID STORE 1:2 (UNCHANGEDSINCE {before}) ANNOTATION (/comment (value.shared \"y\"))", "c STATUS INBOX (HIGHESTMODSEQ)");
        await c[1].Expect(
            $"* 2 FETCH (UID 2 FLAGS (…) MODSEQ ({before + 1}))", $"* 2 FETCH (UID 2 ANNOTATION (/comment (value.shared \"x\")) MODSEQ ({before + 1}))", "a OK …", $"* 1 FETCH (UID 1 MODSEQ ({before + 2}))", "b OK [MODIFIED 2] …", $"* STATUS \"INBOX\" (HIGHESTMODSEQ {before + 2})", "c OK …");
        await c[1].Run("a UNSELECT");
        await c[2].Run("b STORE 1 ANNOTATION (/altsubject (value.priv \"z\"))");
        uint validity = uint.Parse((await c[1].Run("a STATUS INBOX (UIDVALIDITY)"))[0].Split(' ', ')')[4]);
        Assert.Contains((await c[1].Run($"a SELECT INBOX (QRESYNC ({validity} {before + 2}))")), l => l.StartsWith("* 1 FETCH (UID 1 FLAGS", StringComparison.Ordinal) && l.EndsWith($"MODSEQ ({before + 3}))", StringComparison.Ordinal));
    }
}
