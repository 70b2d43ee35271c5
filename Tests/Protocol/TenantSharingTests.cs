using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Stories of accounts of two tenants that share, and of what each may not learn of the other before (RFC 4314).</summary>
public sealed class TenantSharingTests(MailServer server)
{
    private const string Message = "Subject: hello\r\n\r\nText\r\n";

    /// <summary>Alice of one tenant with a mailbox Work of some messages, Bob of another; his name for that mailbox.</summary>
    private async Task<(ImapClient Alice, ImapClient Bob, string Owner, string Viewer, string Work)> PairAsync(string one, string other, int messages = 0)
    {
        string owner = await server.AccountAsync(null, one), viewer = await server.AccountAsync(null, other);
        ImapClient alice = await ImapClient.LoggedInAsync(server.Imap, owner, MailServer.Password);
        ImapClient bob = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await alice.Run("a CREATE Work");
        for (int i = 0; i < messages; i++)
            await alice.Append("a", "Work", Message);
        return (alice, bob, owner, viewer, $"Other Users/{owner}/Work");
    }

    private async Task ShareAsync(string one, string other)
    {
        Assert.True((await server.Tenants.ShareAsync(one, other)).IsOk);
        Assert.True((await server.Tenants.ShareAsync(other, one)).Value);
    }

    [Fact]
    public async Task What_is_shared_with_another_tenants_account_is_as_what_is_shared_within_one()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync("oak", "elm", 2);
        await ShareAsync("oak", "elm");
        await bob.Run("b NOTIFY SET STATUS (SUBTREE \"Other Users\" (MessageNew MessageExpunge MailboxName))");
        await alice.Run($"a SETACL Work {viewer} lrswika");
        await bob.Expect($"* LIST (\\HasNoChildren) \"/\" \"{work}\"", $"* STATUS \"{work}\" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY …)");
        await alice.Append("a", "Work", Message);
        await bob.Expect($"* STATUS \"{work}\" (MESSAGES 3 UIDNEXT 4)");
        await bob.Run("b NOTIFY NONE");
        await alice.Send("a GETACL Work", $"a LISTRIGHTS Work {viewer}");
        await alice.Expect($"* ACL \"Work\" {owner} lrswipkxteancd {viewer} lrswikac", "a OK …", $"* LISTRIGHTS \"Work\" {viewer} \"\" l r s w i p k x t e a n c d", "a OK …");
        await bob.Send("b LIST \"\" \"Other Users/*/*\"", $"b MYRIGHTS \"{work}\"", $"b STATUS \"{work}\" (MESSAGES UNSEEN)", $"b GETACL \"{work}\"", $"b SETACL \"{work}\" {owner} l", $"b SETACL \"{work}\" anyone l");
        await bob.Expect($"* LIST (\\HasNoChildren) \"/\" \"{work}\"", "b OK …", $"* MYRIGHTS \"{work}\" lrswikac", "b OK …", $"* STATUS \"{work}\" (MESSAGES 3 UNSEEN 3)", "b OK …",
            $"* ACL \"{work}\" {owner} lrswipkxteancd {viewer} lrswikac", "b OK …", "b NO [CANNOT] …", "b OK …");
        // Each has an own \Seen, what Bob puts in is charged to Alice, and what he takes is his own.
        await bob.Send($"b SELECT \"{work}\"");
        await bob.Ok("b", "[READ-WRITE] …");
        await bob.Send("b STORE 1 +FLAGS (\\Seen \\Flagged)", "b SEARCH UNSEEN", "b FETCH 2 BODY.PEEK[TEXT]", "b COPY 1:3 INBOX", "b MOVE 1 INBOX");
        await bob.Expect("* 1 FETCH (FLAGS (\\Flagged \\Seen))", "b OK …", "* SEARCH 2 3", "b OK …", "* 2 FETCH (BODY[TEXT] {6}\r\nText\r\n)", "b OK …", "b OK [COPYUID … 1:3 1:3] …", "b NO [NOPERM] …");
        await bob.Append("b", $"\"{work}\"", Message);
        await bob.Run($"b CREATE \"{work}/Sub\"");
        await alice.Run("a SELECT Work");
        await alice.Send("a SEARCH UNSEEN", "a FETCH 1 FLAGS", "a GETACL Work/Sub");
        await alice.Expect("* SEARCH 1 2 3 4", "a OK …", "* 1 FETCH (FLAGS (\\Flagged…))", "a OK …", $"* ACL \"Work/Sub\" {owner} lrswipkxteancd anyone l {viewer} lrswikac", "a OK …");
        await bob.Run("b UNSELECT");
        await bob.Send($"b ESEARCH IN (subtree \"Other Users/{owner}\") RETURN (COUNT) ALL", $"b GETQUOTAROOT \"{work}\"");
        await bob.Expect($"* ESEARCH (TAG \"b\" MAILBOX \"{work}\" UIDVALIDITY …) UID COUNT 4", "b OK …", $"* QUOTAROOT \"{work}\" user/{owner}", $"* QUOTA user/{owner} …", "b OK …");
        // His copies stay when her messages go.
        await alice.Run("a STORE 1:4 +FLAGS.SILENT (\\Deleted)");
        await alice.Run("a EXPUNGE");
        await bob.Run("b SELECT INBOX");
        await bob.Send("b FETCH 3 (FLAGS BODY[TEXT])");
        await bob.Expect("* 3 FETCH (FLAGS (\\Seen…) BODY[TEXT] {6}\r\nText\r\n)", "b OK …");
    }

    [Fact]
    public async Task Access_ends_when_one_of_the_two_takes_it_back_and_comes_back_with_it()
    {
        (ImapClient alice, ImapClient bob, string owner, string viewer, string work) = await PairAsync("ash", "fir", 2);
        await ShareAsync("ash", "fir");
        await alice.Run($"a SETACL Work {viewer} lrswi");
        await alice.Run("a SETACL Work anyone lrswipkxtea");
        await using ImapClient second = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await using ImapClient third = await ImapClient.LoggedInAsync(server.Imap, viewer, MailServer.Password);
        await bob.Run($"b SELECT \"{work}\"");
        await bob.Send("b IDLE");
        await bob.Expect("+ …");
        await third.Run($"d SUBSCRIBE \"{work}\"");
        Assert.True((await server.Tenants.UnshareAsync("fir", "ash")).IsOk);
        await bob.Expect("* BYE [NOPERM] …");
        await bob.Closed();
        // Who has no rights is not told that there is anything; "anyone" is nobody of another tenant.
        string[] refused = [$"SELECT \"{work}\"", $"STATUS \"{work}\" (MESSAGES)", $"MYRIGHTS \"{work}\"", $"GETACL \"{work}\"", $"CREATE \"{work}/Sub\"", $"DELETE \"{work}\"", $"SUBSCRIBE \"{work}\"", $"SELECT \"Other Users/{owner}/INBOX\""];
        foreach (string command in refused)
        {
            await second.Send("c " + command);
            await second.No("c", "[NONEXISTENT] …");
        }
        await second.Send("c LIST \"\" \"Other*\"", "c LSUB \"\" \"Other*\"");
        await second.Expect("c OK …", "c OK …");
        // What was given stays, unseen; nobody of the other tenant is known here.
        await alice.Send("a GETACL Work", $"a SETACL Work {viewer} l", $"a DELETEACL Work {viewer}", "a SETACL Work nobody@fir.example l");
        await alice.Expect($"* ACL \"Work\" {owner} lrswipkxteancd anyone lrswipkxteacd", "a OK …", "a NO [NONEXISTENT] …", "a NO [NONEXISTENT] …", "a NO [NONEXISTENT] …");
        Assert.True((await server.Tenants.ShareAsync("fir", "ash")).Value);
        await second.Send($"c MYRIGHTS \"{work}\"", "c LSUB \"\" \"Other*\"", $"c STATUS \"{work}\" (MESSAGES)");
        await second.Expect($"* MYRIGHTS \"{work}\" lrswi", "c OK …", $"* LSUB () \"/\" \"{work}\"", "c OK …", $"* STATUS \"{work}\" (MESSAGES 2)", "c OK …");
        await second.Run($"c SELECT \"{work}\"");
        // A line that goes while it is selected leaves nothing, whatever "anyone" has.
        await alice.Run($"a DELETEACL Work {viewer}");
        await second.Send("c NOOP");
        await second.Expect("* BYE [NOPERM] …");
    }

    /// <summary>Without consent of both an address of another tenant is answered as one that nobody has.</summary>
    [Fact]
    public async Task Nobody_learns_who_is_in_another_tenant()
    {
        (ImapClient alice, _, _, string viewer, _) = await PairAsync("yew", "box");
        Assert.False((await server.Tenants.ShareAsync("yew", "box")).Value);
        foreach (string command in (string[])["SETACL Work {0} lr", "SETACL Work -{0} lr", "DELETEACL Work {0}", "LISTRIGHTS Work {0}", "CREATE \"Other Users/{0}/New\"", "SELECT \"Other Users/{0}/INBOX\"", "STATUS \"Other Users/{0}/INBOX\" (MESSAGES)",
            "SUBSCRIBE \"Other Users/{0}/INBOX\"", "UNSUBSCRIBE \"Other Users/{0}/INBOX\"", "RENAME Work \"Other Users/{0}/Work\"", "DELETE \"Other Users/{0}/INBOX\"", "GETQUOTAROOT \"Other Users/{0}/INBOX\"", "GETQUOTA user/{0}",
            "GETMETADATA \"Other Users/{0}/INBOX\" /shared/comment", "LIST \"\" \"Other Users/{0}/*\"", "ESEARCH IN (subtree \"Other Users/{0}\") ALL", "NOTIFY SET (SUBTREE \"Other Users/{0}\" (MailboxName))"])
        {
            string[] answers = new string[2];
            for (int i = 0; i < 2; i++)
            {
                string name = i == 0 ? viewer : "nobody@box.example";
                await alice.Send("a " + string.Format(System.Globalization.CultureInfo.InvariantCulture, command, name));
                (string tagged, IReadOnlyList<string> untagged) = await alice.Answer("a");
                answers[i] = string.Join("\n", [.. untagged, tagged]).Replace(name, "NAME", StringComparison.Ordinal);
            }
            Assert.Equal(answers[1], answers[0]);
        }
    }
}
