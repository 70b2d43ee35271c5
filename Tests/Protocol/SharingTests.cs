using System.Text.RegularExpressions;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Stories of an owner and those with whom mailboxes are shared (RFC 4314).</summary>
public sealed class SharingTests(MailServer server)
{
    private const string Message = "Subject: hello\r\n\r\nText\r\n";

    // Apart from those of other tests, who would see what "anyone" may.
    private Task<string> AccountAsync(long? maxBytes = null) => server.AccountAsync(maxBytes, "sharing");

    /// <summary>The owner with a mailbox Work of some messages, and another account; its name for that mailbox.</summary>
    private async Task<(ImapClient Alice, ImapClient Bob, string Owner, string Viewer, string Work)> PairAsync(int messages = 0)
    {
        string owner = await AccountAsync(), viewer = await AccountAsync();
        ImapClient alice = await ImapClient.LoggedInAsync(server.Imap, owner, MailServer.Password);
        ImapClient bob = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await alice.Run("a CREATE Work");
        for (int i = 0; i < messages; i++)
            await alice.Append("a", "Work", Message);
        // Nothing is \Recent any more.
        await alice.Run("a SELECT Work");
        await alice.Run("a UNSELECT");
        return (alice, bob, owner, viewer, $"Other Users/{owner}/Work");
    }

    [Fact]
    public async Task Each_has_an_own_Seen()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync(3);
        await alice.Run($"a SETACL Work {viewer} lrsw");
        await alice.Run("a SELECT Work");
        await alice.Run("a STORE 1 +FLAGS.SILENT (\\Seen)");
        await bob.Send($"b STATUS \"{work}\" (MESSAGES UNSEEN)", $"b SELECT \"{work}\"");
        await bob.Expect($"* STATUS \"{work}\" (MESSAGES 3 UNSEEN 3)", "b OK …");
        IReadOnlyList<string> lines = await bob.Ok("b", "[READ-WRITE] …");
        Assert.Contains("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Seen \\Draft \\*)] Flags that can be stored", lines);
        Assert.Contains("* 0 RECENT", lines);
        await bob.Send("b FETCH 1:3 FLAGS", "b STORE 2:3 +FLAGS (\\Seen \\Flagged)", "b SEARCH UNSEEN", "b SEARCH SEEN");
        await bob.Expect(
            "* 1 FETCH (FLAGS ())", "* 2 FETCH (FLAGS ())", "* 3 FETCH (FLAGS ())", "b OK …",
            "* 2 FETCH (FLAGS (\\Flagged \\Seen))", "* 3 FETCH (FLAGS (\\Flagged \\Seen))", "b OK …", "* SEARCH 1", "b OK …", "* SEARCH 2 3", "b OK …");
        // The owner hears of the flag, and of nobody's \Seen.
        await alice.Send("a NOOP", "a SEARCH UNSEEN", "a STATUS Work (UNSEEN)");
        await alice.Expect("* 2 FETCH (FLAGS (\\Flagged))", "* 3 FETCH (FLAGS (\\Flagged))", "a OK …", "* SEARCH 2 3", "a OK …", "* STATUS \"Work\" (UNSEEN 2)", "a OK …");
        await bob.Send("b STORE 2 -FLAGS (\\Seen)", $"b STATUS \"{work}\" (UNSEEN)");
        await bob.Expect("* 2 FETCH (FLAGS (\\Flagged))", "b OK …", $"* STATUS \"{work}\" (UNSEEN 2)", "b OK …");
        await alice.Send("a NOOP");
        await alice.Expect("a OK …");
        // FLAGS without prefix replaces what may be changed, the viewer's \Seen with it.
        await alice.Run("a STORE 3 +FLAGS.SILENT (\\Deleted \\Seen)");
        await bob.Send("b STORE 3 FLAGS (\\Answered)");
        await bob.Expect("* 3 FETCH (FLAGS (\\Flagged \\Deleted \\Seen))", "* 3 FETCH (FLAGS (\\Answered \\Deleted))", "b OK …");
        await alice.Send("a NOOP");
        await alice.Expect("* 3 FETCH (FLAGS (\\Answered \\Deleted \\Seen))", "a OK …");
        Assert.Contains($"* STATUS \"{work}\" (UNSEEN 3)", await bob.Run($"b LIST \"\" \"{work}\" RETURN (STATUS (UNSEEN))"));
        await bob.Send("b FETCH 1 BODY[TEXT]");
        await bob.Expect("* 1 FETCH (…\\Seen…)", "b OK …");
        Assert.Contains($"* STATUS \"{work}\" (UNSEEN 2)", await bob.Run($"b LIST \"\" \"{work}\" RETURN (STATUS (UNSEEN))"));
    }

    [Fact]
    public async Task What_a_viewer_has_seen_is_a_change_with_a_modseq()
    {
        (ImapClient alice, ImapClient bob, _, string viewer, string work) = await PairAsync(3);
        await alice.Run($"a SETACL Work {viewer} lrs");
        await bob.Run("b ENABLE QRESYNC");
        await using ImapClient second = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await second.Run($"c SELECT \"{work}\"");
        await second.Run("c NOOP");
        IReadOnlyList<string> lines = await bob.Run($"b SELECT \"{work}\"");
        string validity = Code(lines, "UIDVALIDITY"), modSeq = Code(lines, "HIGHESTMODSEQ");
        await bob.Run("b UID STORE 2 +FLAGS.SILENT (\\Seen)");
        // The user's other session hears of it.
        await second.Send("c NOOP");
        await second.Expect("* 2 FETCH (FLAGS (\\Seen))", "c OK …");
        await second.Send($"c UID STORE 1:3 (UNCHANGEDSINCE {modSeq}) +FLAGS.SILENT (\\Seen)");
        await second.Expect("* OK [HIGHESTMODSEQ …] …", "* 1 FETCH (UID 1 MODSEQ (…))", "* 3 FETCH (UID 3 MODSEQ (…))", "c OK [MODIFIED 2] …");
        await bob.Run("b UNSELECT");
        await bob.Send($"b SELECT \"{work}\" (QRESYNC ({validity} {modSeq}))");
        lines = await bob.Ok("b");
        Assert.Equal(3, lines.Count(static l => Regex.IsMatch(l, @"^\* \d FETCH \(UID \d FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$")));
        Assert.Contains($"* OK [PERMANENTFLAGS (\\Seen)] Flags that can be stored", lines);
        // One who may change nothing that others see has it read-only.
        await bob.Send($"b SELECT \"{work}\"");
        await bob.Ok("b", "[READ-ONLY] …");
        await bob.Send("b STORE 1 -FLAGS (\\Seen)", "b STORE 1 +FLAGS (\\Flagged)", "b STORE 1 +FLAGS (\\Seen \\Flagged x)", "b STORE 2 FLAGS ()");
        await bob.Expect("* 1 FETCH (UID 1 FLAGS () MODSEQ (…))", "b OK …", "b NO [NOPERM] …", "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (…))", "b OK …", "* 2 FETCH (UID 2 FLAGS () MODSEQ (…))", "b OK …");
    }

    [Fact]
    public async Task Without_a_right_what_needs_it_is_refused_and_without_all_there_is_nothing()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync(2);
        string[] unknown =
        [
            $"SELECT \"{work}\"", $"STATUS \"{work}\" (MESSAGES)", $"DELETE \"{work}\"", $"RENAME \"{work}\" \"{work}2\"", $"SETACL \"{work}\" anyone lr", $"GETACL \"{work}\"", $"MYRIGHTS \"{work}\"",
            $"LISTRIGHTS \"{work}\" anyone", $"GETMETADATA \"{work}\" /shared/comment", $"SETMETADATA \"{work}\" (/shared/comment \"x\")", $"GETQUOTAROOT \"{work}\"", $"SELECT \"Other Users/{owner}/Nothing\"",
            "SELECT \"Other Users/nobody@sharing.example/INBOX\"",
        ];
        foreach (string command in unknown)
        {
            await bob.Send("b " + command);
            await bob.No("b", "[NONEXISTENT] …");
        }
        await bob.Send($"b CREATE \"{work}/Sub\"", $"b LIST \"\" \"Other Users/{owner}*\"");
        await bob.Expect("b NO [NOPERM] …", "b OK …");
        await alice.Run($"a SETACL Work {viewer} l");
        Assert.Contains($"* LIST (\\HasNoChildren) \"/\" \"{work}\"", await bob.Run("b LIST \"\" \"Other*\""));
        foreach (string command in unknown.Where(c => !c.StartsWith("MYRIGHTS", StringComparison.Ordinal) && c.Contains(work, StringComparison.Ordinal)))
        {
            await bob.Send("b " + command);
            await bob.No("b", "[NOPERM] …");
        }
        await bob.SendRaw($"b APPEND \"{work}\" {{{Message.Length}+}}\r\n{Message}\r\n");
        await bob.No("b", "[NOPERM] …");
        await bob.SendRaw($"b APPEND \"{work}\" {{{Message.Length}}}\r\n");
        await bob.No("b", "[NOPERM] …");
        // A negative line takes away what "anyone" has.
        await alice.Run("a SETACL Work anyone lrswite");
        await bob.Run($"b SELECT \"{work}\"");
        await alice.Run($"a SETACL Work -{viewer} ste");
        await bob.Send($"b MYRIGHTS \"{work}\"", "b STORE 1 +FLAGS (\\Deleted)", "b EXPUNGE", "b STORE 1 +FLAGS (\\Seen)", "b STORE 1 +FLAGS (\\Flagged)", "b CLOSE");
        await bob.Expect(
            $"* MYRIGHTS \"{work}\" lrwi", "b OK …", "* FLAGS …", "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\*)] …", "b NO [NOPERM] …", "b NO [NOPERM] …", "b NO [NOPERM] …",
            "* 1 FETCH (FLAGS (\\Flagged))", "b OK …", "b OK …");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Send("b MOVE 1 INBOX", "b COPY 1 INBOX", "b FETCH 1 (BODY[TEXT] FLAGS)");
        await bob.Expect("b NO [NOPERM] …", "b OK [COPYUID … 1 1] …", "* 1 FETCH (BODY[TEXT] {6}\r\nText\r\n FLAGS (\\Flagged))", "b OK …");
    }

    /// <summary>RFC 5465 §5.4, §5.9: what another shares is heard of for as long as it may be.</summary>
    [Fact]
    public async Task NOTIFY_tells_of_what_others_share()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync(1);
        await bob.Run($"b NOTIFY SET STATUS (SUBTREE \"Other Users/{owner}\" (MessageNew MessageExpunge MailboxName SubscriptionChange))");
        await alice.Run($"a SETACL Work {viewer} lrsi");
        await bob.Expect($"* LIST (\\HasNoChildren) \"/\" \"{work}\"", $"* STATUS \"{work}\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY …)");
        await alice.Append("a", "Work", Message);
        await bob.Expect($"* STATUS \"{work}\" (MESSAGES 2 UIDNEXT 3)");
        // What is not shared is nobody's news, nor what he does himself.
        await alice.Append("a", "INBOX", Message);
        await bob.Append("b", $"\"{work}\"", Message);
        await alice.Append("a", "Work", Message);
        await bob.Expect($"* STATUS \"{work}\" (MESSAGES 4 UIDNEXT 5)");
        await alice.Run("a RENAME Work Work2");
        string renamed = work + "2";
        await bob.Expect($"* LIST (\\HasNoChildren) \"/\" \"{renamed}\" (\"OLDNAME\" (\"{work}\"))");
        await using (ImapClient second = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password))
            await second.Run($"c SUBSCRIBE \"{renamed}\"");
        await bob.Expect($"* LIST (\\Subscribed \\HasNoChildren) \"/\" \"{renamed}\"");
        // Seen and not read; not even seen; and both again.
        await alice.Run($"a SETACL Work2 {viewer} l");
        await bob.Expect($"* LIST (\\NoAccess \\Subscribed \\HasNoChildren) \"/\" \"{renamed}\"");
        await alice.Append("a", "Work2", Message);
        await alice.Run($"a DELETEACL Work2 {viewer}");
        // The name above it is affected, too (§5.4).
        await bob.Expect($"* LIST (\\NonExistent \\HasNoChildren) \"/\" \"Other Users/{owner}\"", $"* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"{renamed}\"");
        await alice.Append("a", "Work2", Message);
        await alice.Run($"a SETACL Work2 {viewer} lr");
        await bob.Expect($"* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/{owner}\"", $"* LIST (\\Subscribed \\HasNoChildren) \"/\" \"{renamed}\"",
            $"* STATUS \"{renamed}\" (MESSAGES 6 UIDNEXT 7 UIDVALIDITY …)");
        await alice.Append("a", "Work2", Message);
        await bob.Expect($"* STATUS \"{renamed}\" (MESSAGES 7 UIDNEXT 8)");
        // The selected mailbox is told as such.
        await bob.Run($"b SELECT \"{renamed}\"");
        await alice.Append("a", "Work2", Message);
        await bob.Run("b UNSELECT");
        await alice.Append("a", "Work2", Message);
        // The owner's news comes a moment after the owner's OK: that of the message before may still be on its way when nothing is selected any more.
        await bob.ExpectAfter($"* STATUS \"{renamed}\" (MESSAGES 8 UIDNEXT 9)", $"* STATUS \"{renamed}\" (MESSAGES 9 UIDNEXT 10)");
        await bob.Send($"b NOTIFY SET STATUS (MAILBOXES \"{renamed}\" (MessageNew MessageExpunge FlagChange))", "b NOOP");
        // So may that of the last one, where what was told with the one before was news of both.
        await bob.ExpectAfter($"* STATUS \"{renamed}\" (MESSAGES 9 UIDNEXT 10)", $"* STATUS \"{renamed}\" (MESSAGES 9 UIDNEXT 10 … UNSEEN 9)");
        await bob.Expect("b OK …", "b OK …");
        await alice.Run("a SELECT Work2");
        await alice.Run("a STORE 1 +FLAGS (\\Flagged)");
        await bob.Expect($"* STATUS \"{renamed}\" (… UNSEEN 9)");
    }

    /// <summary>RFC 7377 §2.2: "selected" is the selected mailbox, whosever it is.</summary>
    [Fact]
    public async Task ESEARCH_searches_a_selected_mailbox_of_another()
    {
        (ImapClient alice, ImapClient bob, _, string viewer, string work) = await PairAsync(3);
        await alice.Run($"a SETACL Work {viewer} lrs");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Run("b STORE 2 +FLAGS.SILENT (\\Seen)");
        await bob.Send("b ESEARCH IN (selected) RETURN (ALL) UNSEEN", "b ESEARCH RETURN (SAVE COUNT) SEEN", "b SEARCH $", "b ESEARCH IN (selected inboxes) RETURN (COUNT) SEEN", "b ESEARCH IN (inboxes) RETURN (COUNT) ALL");
        string of = $"MAILBOX \"{work}\" UIDVALIDITY …";
        await bob.Expect($"* ESEARCH (TAG \"b\" {of}) UID ALL 1,3", "b OK …", $"* ESEARCH (TAG \"b\" {of}) UID COUNT 1", "b OK …", "* SEARCH 2", "b OK …", $"* ESEARCH (TAG \"b\" {of}) UID COUNT 1", "b OK …", "b OK …");
    }

    /// <summary>RFC 7377 §2.2: those of others that may be read, and seen unless they are named; personal ones they never are.</summary>
    [Fact]
    public async Task ESEARCH_reaches_what_others_share()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync(2);
        await alice.Run("a CREATE Work/Sub");
        await alice.Append("a", "Work/Sub", Message);
        await alice.Append("a", "INBOX", Message);
        await bob.Append("b", "INBOX", Message);
        string subtree = $"ESEARCH IN (subtree \"Other Users/{owner}\") RETURN (COUNT) ALL";
        Assert.Empty(await bob.Run("b " + subtree));
        await alice.Run($"a SETACL Work {viewer} lrs");
        await alice.Run($"a SETACL Work/Sub {viewer} r");
        await bob.Run($"b SUBSCRIBE \"{work}\"");
        string of = $"MAILBOX \"{work}\" UIDVALIDITY …", sub = $"MAILBOX \"{work}/Sub\" UIDVALIDITY …", inbox = "MAILBOX \"INBOX\" UIDVALIDITY …";
        await bob.Send(
            $"b {subtree}", "b ESEARCH IN (subtree-one \"Other Users\") RETURN (COUNT) ALL", $"b ESEARCH IN (subtree-one \"{work}\") ALL", "b ESEARCH IN (subscribed personal) RETURN (COUNT) ALL",
            $"b ESEARCH IN (mailboxes (\"{work}/Sub\" \"{work}\" \"Other Users/{owner}/INBOX\" \"{work}/None\" \"Other Users\")) SUBJECT hello", "b ESEARCH IN (inboxes) RETURN (COUNT) ALL");
        await bob.Expect(
            $"* ESEARCH (TAG \"b\" {of}) UID COUNT 2", "b OK …", "b OK …", $"* ESEARCH (TAG \"b\" {of}) UID ALL 1:2", "b OK …",
            $"* ESEARCH (TAG \"b\" {inbox}) UID COUNT 1", $"* ESEARCH (TAG \"b\" {of}) UID COUNT 2", "b OK …",
            $"* ESEARCH (TAG \"b\" {sub}) UID ALL 1", $"* ESEARCH (TAG \"b\" {of}) UID ALL 1:2", "b OK …", $"* ESEARCH (TAG \"b\" {inbox}) UID COUNT 1", "b OK …");
        // What the viewer has seen, not what the owner has; and the one that is selected as its client knows it.
        await alice.Run("a SELECT Work");
        await alice.Run("a STORE 1:2 +FLAGS.SILENT (\\Seen)");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Run("b STORE 2 +FLAGS.SILENT (\\Seen)");
        await bob.Send($"b ESEARCH IN (selected mailboxes \"{work}/Sub\") RETURN (ALL) UNSEEN", "b UNSELECT", $"b ESEARCH IN (mailboxes \"{work}\") RETURN (ALL) UNSEEN");
        await bob.Expect($"* ESEARCH (TAG \"b\" {of}) UID ALL 1", $"* ESEARCH (TAG \"b\" {sub}) UID ALL 1", "b OK …", "b OK …", $"* ESEARCH (TAG \"b\" {of}) UID ALL 1", "b OK …");
        await alice.Run($"a DELETEACL Work {viewer}");
        await bob.Send($"b {subtree}", $"b ESEARCH IN (subscribed mailboxes \"{work}\") RETURN (COUNT) ALL", "b ESEARCH IN (personal) RETURN (UPDATE) ALL");
        await bob.Expect("b OK …", $"* ESEARCH (TAG \"b\" {inbox}) UID COUNT 1", "b OK …", "b BAD …");
    }

    [Fact]
    public async Task NOTIFY_tells_nothing_of_other_tenants()
    {
        (ImapClient alice, _, string owner, _, string work) = await PairAsync(1);
        ImapClient eve = (await server.SessionsAsync(1))[1];
        await alice.Run("a SETACL Work anyone lrswite");
        Assert.Empty(await eve.Run($"e NOTIFY SET STATUS (SUBTREE (\"Other Users\" \"{work}\") (MessageNew MessageExpunge FlagChange MailboxName)) (MAILBOXES \"{work}\" (MessageNew MessageExpunge))"));
        await alice.Append("a", "Work", Message);
        await alice.Run("a RENAME Work Other");
        Assert.Empty(await eve.Run("e NOOP"));
        Assert.Empty(await eve.Run($"e LIST \"\" \"Other Users/{owner}/*\""));
    }

    [Fact]
    public async Task Rights_that_are_withdrawn_end_the_session_at_its_next_command()
    {
        (ImapClient alice, ImapClient bob, _, string viewer, string work) = await PairAsync(1);
        await alice.Run($"a SETACL Work {viewer} lrsite");
        await using ImapClient idle = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await idle.Run($"c SELECT \"{work}\"");
        await idle.Send("c IDLE");
        await idle.Expect("+ …");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Run("b FETCH 1 FLAGS");
        // Some go: what needs them is refused, and the flags that can be stored are told anew.
        await alice.Run($"a SETACL Work {viewer} -te");
        await bob.Send("b EXPUNGE", "b STORE 1 +FLAGS.SILENT (\\Seen)");
        await bob.Expect("* FLAGS …", "* OK [PERMANENTFLAGS (\\Seen)] …", "b NO [NOPERM] …", "b OK …");
        await idle.Expect("* FLAGS …", "* OK [PERMANENTFLAGS (\\Seen)] …", "* 1 FETCH (FLAGS (\\Seen))");
        await alice.Run($"a DELETEACL Work {viewer}");
        await idle.Expect("* BYE [NOPERM] …");
        await bob.Send("b FETCH 1 FLAGS");
        await bob.Expect("* BYE [NOPERM] …", "b NO [NOPERM] …");
        await bob.Closed();
        // They come back with another grant, and the \Seen of before is still there.
        await alice.Run($"a SETACL Work {viewer} lr");
        await using ImapClient again = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await again.Run($"d SELECT \"{work}\"");
        await again.Send("d FETCH 1 FLAGS");
        await again.Expect("* 1 FETCH (FLAGS (\\Seen))", "d OK …");
    }

    [Fact]
    public async Task Mail_goes_in_and_out()
    {
        (ImapClient alice, ImapClient bob, _, string viewer, string work) = await PairAsync(2);
        await alice.Run("a SELECT Work");
        await alice.Run("a STORE 1 +FLAGS.SILENT (\\Seen \\Flagged k1)");
        await alice.Run($"a SETACL Work {viewer} lrstei");
        // Of the flags of an APPEND those are kept that may be set; \Seen is his own.
        await bob.Append("b", $"\"{work}\"", Message, "(\\Seen \\Flagged k2)");
        await alice.Send("a FETCH 1:* FLAGS");
        await alice.Expect("* 3 EXISTS", "* 1 RECENT", "* 1 FETCH (FLAGS (\\Flagged \\Seen k1))", "* 2 FETCH (FLAGS ())", "* 3 FETCH (FLAGS (\\Recent))", "a OK …");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Send("b FETCH 1:* FLAGS", "b STORE 2 +FLAGS.SILENT (\\Seen)", "b COPY 1:3 INBOX");
        await bob.Expect("* 1 FETCH (FLAGS (\\Flagged k1))", "* 2 FETCH (FLAGS ())", "* 3 FETCH (FLAGS (\\Seen))", "b OK …", "b OK …", "b OK [COPYUID … 1:3 1:3] …");
        // Copies in his own mailbox have what he has seen.
        await bob.Run("b SELECT INBOX");
        await bob.Send("b FETCH 1:* FLAGS", $"b COPY 1:3 \"{work}\"", "b STORE 1:3 +FLAGS.SILENT (\\Deleted)", $"b MOVE 3 \"{work}\"");
        await bob.Expect(
            "* 1 FETCH (FLAGS (\\Flagged \\Recent k1))", "* 2 FETCH (FLAGS (\\Seen \\Recent))", "* 3 FETCH (FLAGS (\\Seen \\Recent))", "b OK …", "b OK [COPYUID … 1:3 4:6] …", "b OK …",
            "* OK [COPYUID … 3 7] …", "* 3 EXPUNGE", "b OK …");
        await alice.Send("a FETCH 4:* FLAGS");
        await alice.Expect("* 7 EXISTS", "* 5 RECENT", "* 4 FETCH (FLAGS (\\Recent))", "* 5 FETCH (FLAGS (\\Recent))", "* 6 FETCH (FLAGS (\\Recent))", "* 7 FETCH (FLAGS (\\Deleted \\Recent))", "a OK …");
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Send("b FETCH 4:* FLAGS", "b UID MOVE 7 INBOX", "b UID EXPUNGE 1:*");
        await bob.Expect(
            "* 4 FETCH (FLAGS ())", "* 5 FETCH (FLAGS (\\Seen))", "* 6 FETCH (FLAGS (\\Seen))", "* 7 FETCH (FLAGS (\\Deleted \\Seen))", "b OK …", "* OK [COPYUID … 7 4] …", "* 7 EXPUNGE", "b OK …", "b OK …");
        // Inside the owner's account his \Seen goes along, and so does the viewer's.
        await alice.Run("a CREATE Work/Done");
        await bob.Send($"b COPY 1:3 \"{work}/Done\"", $"b SELECT \"{work}/Done\"");
        await bob.Expect("b OK [COPYUID … 1:3 1:3] …");
        await bob.Ok("b");
        await bob.Send("b FETCH 1:* FLAGS");
        await bob.Expect("* 1 FETCH (FLAGS ())", "* 2 FETCH (FLAGS (\\Seen))", "* 3 FETCH (FLAGS (\\Seen))", "b OK …");
        await alice.Run("a SELECT Work/Done");
        await alice.Send("a FETCH 1:* FLAGS");
        await alice.Expect("* 1 FETCH (FLAGS (\\Seen \\Recent))", "* 2 FETCH (FLAGS (\\Recent))", "* 3 FETCH (FLAGS (\\Recent))", "a OK …");
    }

    [Fact]
    public async Task What_is_put_in_is_the_owners_to_keep()
    {
        string owner = await AccountAsync(maxBytes: 3 * Message.Length), viewer = await AccountAsync();
        await using ImapClient alice = await ImapClient.LoggedInAsync(server.Imap, owner, MailServer.Password);
        await using ImapClient bob = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await alice.Run($"a SETACL INBOX {viewer} lri");
        string inbox = $"Other Users/{owner}/INBOX";
        for (int i = 0; i < 3; i++)
            await bob.Append("b", $"\"{inbox}\"", Message);
        await bob.SendRaw($"b APPEND \"{inbox}\" {{{Message.Length}+}}\r\n{Message}\r\n");
        await bob.No("b", "[OVERQUOTA] …");
        await bob.Append("b", "INBOX", Message);
        await bob.Run("b SELECT INBOX");
        await bob.Send($"b COPY 1 \"{inbox}\"", $"b GETQUOTAROOT \"{inbox}\"");
        await bob.Expect("b NO [OVERQUOTA] …", $"* QUOTAROOT \"{inbox}\" user/{owner}", $"* QUOTA user/{owner} (STORAGE 1 0 …)", "b OK …");
    }

    [Fact]
    public async Task Mailboxes_are_made_renamed_and_deleted_under_rights_and_inherit_them()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync();
        await alice.Run($"a SETACL Work {viewer} lrk");
        await bob.Send($"b CREATE \"{work}/A/B\"", $"b MYRIGHTS \"{work}/A/B\"", $"b DELETE \"{work}/A\"", $"b RENAME \"{work}/A\" \"{work}/C\"", $"b CREATE \"Other Users/{owner}/Top\"", $"b CREATE \"{work}/X\" (USE (\\Junk))",
            $"b RENAME INBOX \"{work}/Mine\"", $"b CREATE \"{work}/A/B\"");
        await bob.Expect("b OK [MAILBOXID (…)] …", $"* MYRIGHTS \"{work}/A/B\" lrkc", "b OK …", "b NO [NOPERM] …", "b NO [NOPERM] …", "b NO [NOPERM] …", "b NO [USEATTR] …", "b NO [CANNOT] …", "b NO [ALREADYEXISTS] …");
        await alice.Run($"a SETACL Work/A {viewer} +x");
        await bob.Send($"b RENAME \"{work}/A\" \"{work}/C\"", $"b LIST \"\" \"{work}/*\"", $"b DELETE \"{work}/C/B\"", $"b DELETE \"{work}/C\"");
        await bob.Expect(
            "b OK …", $"* LIST (\\HasChildren) \"/\" \"{work}/C\"", $"* LIST (\\HasNoChildren) \"/\" \"{work}/C/B\"", "b OK …", "b NO [NOPERM] …", "b OK …");
        // One that takes the place of a deleted one has the rights of its parent, not those of before.
        await alice.Run("a DELETE Work/C/B");
        await alice.Run("a CREATE Work/C");
        await bob.Send($"b MYRIGHTS \"{work}/C\"");
        await bob.Expect($"* MYRIGHTS \"{work}/C\" lrkc", "b OK …");
        await bob.Send($"b SUBSCRIBE \"{work}/C\"", "b LSUB \"\" \"Other*\"", "b LIST (SUBSCRIBED) \"\" \"Other*\"", $"b UNSUBSCRIBE \"{work}/C\"", "b LSUB \"\" \"Other*\"");
        await bob.Expect("b OK …", $"* LSUB () \"/\" \"{work}/C\"", "b OK …", $"* LIST (\\Subscribed \\HasNoChildren) \"/\" \"{work}/C\"", "b OK …", "b OK …", "b OK …");
    }

    [Fact]
    public async Task Who_has_the_right_administers()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync();
        await alice.Run($"a SETACL Work {viewer} lra");
        await bob.Send($"b SETACL \"{work}\" anyone l", $"b GETACL \"{work}\"", $"b LISTRIGHTS \"{work}\" {owner}", $"b SETACL \"{work}\" {owner} l", $"b SETACL \"{work}\" nobody@sharing.example l", $"b SETACL \"{work}\" {viewer} -a", $"b GETACL \"{work}\"");
        await bob.Expect(
            "b OK …", $"* ACL \"{work}\" {owner} lrswipkxteancd anyone l {viewer} lra", "b OK …", $"* LISTRIGHTS \"{work}\" {owner} lrswipkxteancd", "b OK …", "b NO [CANNOT] …", "b NO [NONEXISTENT] …", "b OK …", "b NO [NOPERM] …");
        // INBOX keeps its list when its mail goes away under another name.
        await alice.Run($"a SETACL INBOX {viewer} lr");
        await alice.Run("a RENAME INBOX Old");
        await bob.Send($"b MYRIGHTS \"Other Users/{owner}/INBOX\"", $"b MYRIGHTS \"Other Users/{owner}/Old\"");
        await bob.Expect($"* MYRIGHTS \"Other Users/{owner}/INBOX\" lr", "b OK …", $"* MYRIGHTS \"Other Users/{owner}/Old\" lr", "b OK …");
    }

    [Fact]
    public async Task Private_annotations_are_private_and_shared_ones_shared()
    {
        (ImapClient alice, ImapClient bob, _, string viewer, string work) = await PairAsync();
        await alice.Run($"a SETACL Work {viewer} lr");
        await alice.Run("a SETMETADATA Work (/private/comment \"alice's\" /shared/comment \"ours\")");
        await bob.Run($"b SETMETADATA \"{work}\" (/private/comment \"bob's\")");
        await bob.Send($"b GETMETADATA \"{work}\" (/private/comment /shared/comment)", $"b LIST \"\" \"{work}\" RETURN (METADATA (/private/comment /shared/comment))", $"b SETMETADATA \"{work}\" (/private/specialuse \"\\\\Junk\")");
        await bob.Expect($"* METADATA \"{work}\" (/private/comment \"bob's\" /shared/comment \"ours\")", "b OK …", "* LIST …", $"* METADATA \"{work}\" (/private/comment \"bob's\" /shared/comment \"ours\")", "b OK …", "b NO [USEATTR] …");
        await alice.Send("a GETMETADATA Work /private/comment");
        await alice.Expect("* METADATA \"Work\" (/private/comment \"alice's\")", "a OK …");
    }

    [Fact]
    public async Task Nothing_leads_to_another_tenant()
    {
        (ImapClient alice, _, string owner, _, _) = await PairAsync();
        Assert.True((await server.Tenants.AddAsync("foreign")).IsOk);
        Assert.True((await server.Tenants.AddDomainAsync("foreign.example", "foreign")).IsOk);
        Assert.True((await server.Accounts.AddAsync("eve@foreign.example", ScramVerifier.Create(MailServer.Password))).IsOk);
        await alice.Run("a SETACL Work anyone lrswipkxtea");
        await alice.Send("a SETACL Work eve@foreign.example lr");
        await alice.No("a", "[NONEXISTENT] …");
        await using ImapClient eve = await ImapClient.LoggedInAsync(server.Imap, "eve@foreign.example", MailServer.Password);
        await eve.Send($"e SELECT \"Other Users/{owner}/Work\"", "e LIST \"\" \"Other*\"", $"e SETACL INBOX {owner} lr");
        await eve.Expect("e NO [NONEXISTENT] …", "e OK …", "e NO [NONEXISTENT] …");
    }

    [Fact]
    public async Task A_store_that_is_nobodys_own_is_a_shared_folder()
    {
        string store = await AccountAsync(), viewer = await AccountAsync();
        Assert.True((await server.Accounts.SetSharedStoreAsync(store, true)).IsOk);
        await using ImapClient keeper = await ImapClient.LoggedInAsync(server.Imap, store, MailServer.Password);
        await keeper.Run($"a SETACL INBOX {viewer} lrs");
        await using ImapClient bob = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        string inbox = $"Shared Folders/{store}/INBOX";
        await bob.Run("b ENABLE IMAP4rev2");
        Assert.Contains($"* LIST (\\HasNoChildren) \"/\" \"{inbox}\"", await bob.Run("b LIST \"\" \"Shared*\""));
        Assert.Contains($"* LIST () \"/\" \"{inbox}\"", await bob.Run($"b SELECT \"{inbox}\""));
    }

    [Fact]
    public async Task Folders_of_a_store_take_mail_where_anyone_may_post()
    {
        string store = await AccountAsync();
        Assert.True((await server.Accounts.SetSharedStoreAsync(store, true)).IsOk);
        await using ImapClient keeper = await ImapClient.LoggedInAsync(server.Imap, store, MailServer.Password);
        await keeper.Run("a CREATE News");
        await keeper.Run("a CREATE Board");
        await keeper.Run("a SETACL News anyone p");
        foreach (string folder in new[] { "News", "board" })
        {
            await using ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(server.Lmtp);
            await lmtp.Send("LHLO t", "MAIL FROM:<s@x.test>", $"RCPT TO:<{store.Replace("@", $"+{folder}@", StringComparison.Ordinal)}>", "DATA");
            await lmtp.Expect("220 …", "250-…", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250-STARTTLS", "250 SIZE …", "250 2.1.0 …", "250 2.1.5 …", "354 …");
            await lmtp.SendRaw(Message + ".\r\n");
            await lmtp.Expect("250 2.1.5 …");
        }
        Assert.Contains("* STATUS \"News\" (MESSAGES 1)", await keeper.Run("a STATUS News (MESSAGES)"));
        Assert.Contains("* STATUS \"Board\" (MESSAGES 0)", await keeper.Run("a STATUS Board (MESSAGES)"));
        Assert.Contains("* STATUS \"INBOX\" (MESSAGES 1)", await keeper.Run("a STATUS INBOX (MESSAGES)"));
    }

    private static string Code(IReadOnlyList<string> lines, string name) =>
        lines.Select(l => Regex.Match(l, $@"\[{name} (\d+)\]")).First(static m => m.Success).Groups[1].Value;
}
