using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>An owner and one with whom a mailbox is shared, on two front ends, with the mailbox's owner on a silo of its own.</summary>
[Collection(nameof(NodesCollection))]
public sealed class SharedMailboxTests(MailNodes nodes)
{
    private async Task<(ImapClient Alice, ImapClient Bob, ImapClient AtHome, string Owner, string Viewer)> SessionsAsync()
    {
        await nodes.WholeAsync();
        string owner = await nodes.Accounts.AddAsync(), viewer = await nodes.Accounts.AddAsync();
        ImapClient alice = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, owner, TestAccounts.Password);
        ImapClient bob = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, viewer, TestAccounts.Password);
        ImapClient atHome = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, viewer, TestAccounts.Password);
        for (int i = 1; i <= 4; i++)
            await alice.Append("fill", "INBOX", $"Subject: {i}\r\n\r\n{i}\r\n");
        await alice.Run("a SELECT INBOX");
        return (alice, bob, atHome, owner, viewer);
    }

    [Fact]
    public async Task Each_user_has_one_Seen_on_all_front_ends()
    {
        (ImapClient alice, ImapClient bob, ImapClient atHome, string owner, string viewer) = await SessionsAsync();
        await alice.Run($"a SETACL INBOX {viewer} lrswite");
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        await bob.Run($"b SELECT {inbox}");
        await atHome.Run($"c SELECT {inbox}");
        await atHome.Send("c IDLE");
        await atHome.Expect("+ …");
        for (int round = 0; round < 30; round++)
        {
            int message = (round % 4) + 1;
            bool seen = round % 8 < 4;
            await bob.Run($"b STORE {message} {(seen ? "+" : "-")}FLAGS.SILENT (\\Seen)");
            await atHome.Expect($"* {message} FETCH (FLAGS ({(seen ? "\\Seen" : "")}))");
            await alice.Send($"a FETCH {message} FLAGS");
            await alice.Expect($"* {message} FETCH (FLAGS (…))", "a OK …");
            Assert.DoesNotContain("\\Seen", LastFlags(alice));
        }
        await alice.Run("a STORE 1:4 +FLAGS.SILENT (\\Seen)");
        await bob.Send("b FETCH 3 FLAGS", $"b STATUS {inbox} (UNSEEN)");
        await bob.Expect("* 3 FETCH (FLAGS (\\Seen))", "b OK …", $"* STATUS {inbox} (UNSEEN 2)", "b OK …");
    }

    /// <summary>RFC 5257: what one front end has set is told, and read, at the other from its OK on; a reader's own at his sessions alone.</summary>
    [Fact]
    public async Task Annotations_are_the_same_on_all_front_ends()
    {
        (ImapClient alice, ImapClient bob, ImapClient atHome, string owner, string viewer) = await SessionsAsync();
        await alice.Run($"a SETACL INBOX {viewer} lrn");
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        await bob.Run($"b SELECT {inbox} (ANNOTATE)");
        await atHome.Run($"c SELECT {inbox}");
        for (int round = 0; round < 12; round++)
        {
            int message = (round % 4) + 1;
            await alice.Run($"a STORE {message} ANNOTATION (/comment (value.shared \"{round}\"))");
            await atHome.Run($"c STORE {message} ANNOTATION (/altsubject (value.priv \"own {round}\"))");
            await bob.Send("b NOOP", $"b FETCH {message} (ANNOTATION (/* (value)))", $"b SEARCH ANNOTATION /comment value.shared \"{round}\"");
            await bob.Expect(
                $"* {message} FETCH (ANNOTATION (/altsubject /comment))", "b OK …",
                $"* {message} FETCH (ANNOTATION (/altsubject (value.priv \"own {round}\" value.shared NIL) /comment (value.priv NIL value.shared \"{round}\")))", "b OK …", "* SEARCH …", "b OK …");
            await alice.Send($"a FETCH {message} (ANNOTATION (/* (value)))");
            await alice.Expect($"* {message} FETCH (ANNOTATION (/comment (value.priv NIL value.shared \"{round}\")))", "a OK …");
        }
    }

    [Fact]
    public async Task Rights_that_are_withdrawn_count_at_the_next_command_of_the_other_front_end()
    {
        (ImapClient alice, ImapClient bob, ImapClient atHome, string owner, string viewer) = await SessionsAsync();
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        for (int round = 0; round < 10; round++)
        {
            await alice.Run($"a SETACL INBOX {viewer} lrws");
            await bob.Run($"b STATUS {inbox} (MESSAGES)");
            await bob.Run($"b SELECT {inbox}");
            await bob.Run("b STORE 1 +FLAGS.SILENT (\\Flagged)");
            await alice.Run($"a SETACL INBOX {viewer} -w");
            await bob.Send("b STORE 1 -FLAGS (\\Flagged)");
            await bob.No("b", "[NOPERM] …");
            await bob.Run("b UNSELECT");
        }
        await bob.Run($"b SELECT {inbox}");
        await atHome.Run($"c SELECT {inbox}");
        await atHome.Send("c IDLE");
        await atHome.Expect("+ …");
        await alice.Run($"a DELETEACL INBOX {viewer}");
        await bob.Send("b NOOP");
        await bob.Expect("* BYE [NOPERM] …");
        await atHome.Expect("* BYE [NOPERM] …");
    }

    [Fact]
    public async Task A_new_owner_knows_the_rights_and_what_each_has_seen()
    {
        (ImapClient alice, ImapClient bob, _, string owner, string viewer) = await SessionsAsync();
        await alice.Run($"a SETACL INBOX {viewer} lrs");
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        await bob.Run($"b SELECT {inbox}");
        await bob.Run("b STORE 2:3 +FLAGS.SILENT (\\Seen)");
        foreach (MailNode silo in nodes.Silos)
        {
            silo.Process!.Kill();
            await silo.Process.WaitForExitAsync();
            await bob.Send("b SEARCH SEEN", "b STORE 1 +FLAGS (\\Flagged)", "b SEARCH SEEN");
            await bob.Ok("b");
            await bob.No("b", "[NOPERM] …");
            Assert.Contains("* SEARCH 2 3", await bob.Ok("b"));
            await nodes.WholeAsync();
        }
    }

    /// <summary>The owner of the mailbox hears of it on its silo, and sessions on both front ends of the owner.</summary>
    [Fact]
    public async Task The_end_of_a_consent_reaches_sessions_of_the_other_tenant_on_all_front_ends()
    {
        await nodes.WholeAsync();
        string owner = await nodes.Accounts.AddAsync(tenant: "north"), viewer = await nodes.Accounts.AddAsync(tenant: "south");
        Assert.True((await nodes.Accounts.Tenants.ShareAsync("north", "south")).IsOk);
        Assert.True((await nodes.Accounts.Tenants.ShareAsync("south", "north")).Value);
        await using ImapClient alice = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, owner, TestAccounts.Password);
        await alice.Append("fill", "INBOX", "Subject: 1\r\n\r\n1\r\n");
        await alice.Run($"a SETACL INBOX {viewer} lrs");
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        foreach (int round in (int[])[1, 2])
        {
            await using ImapClient bob = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, viewer, TestAccounts.Password);
            await using ImapClient atHome = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, viewer, TestAccounts.Password);
            foreach (ImapClient session in (ImapClient[])[bob, atHome])
            {
                await session.Run($"b SELECT {inbox}");
                await session.Run("b STORE 1 +FLAGS.SILENT (\\Seen)");
                await session.Send("b IDLE");
                await session.Expect("+ …");
            }
            Assert.True((await nodes.Accounts.Tenants.UnshareAsync(round == 1 ? "north" : "south", round == 1 ? "south" : "north")).IsOk);
            await bob.Expect("* BYE [NOPERM] …");
            await atHome.Expect("* BYE [NOPERM] …");
            await using ImapClient again = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, viewer, TestAccounts.Password);
            await again.Send($"c SELECT {inbox}");
            await again.No("c", "[NONEXISTENT] …");
            Assert.True((await nodes.Accounts.Tenants.ShareAsync(round == 1 ? "north" : "south", round == 1 ? "south" : "north")).Value);
        }
    }

    [Fact]
    public async Task An_administrators_rights_reach_sessions_as_well()
    {
        (ImapClient alice, ImapClient bob, _, string owner, string viewer) = await SessionsAsync();
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(nodes.ConnectionString + ";Pooling=false");
        MailboxKey key = (await MailboxLookup.MailboxAsync(database, owner, "INBOX")).Value;
        var acl = new AclStore(database);
        Assert.True((await acl.SetAsync(key, viewer, negative: false, StoreMode.Replace, MailRights.Lookup | MailRights.Read)).IsOk);
        Assert.Equal((new NamedRights(viewer, false, MailRights.Lookup | MailRights.Read), true), Assert.Single(await acl.ListAsync(key)));
        string inbox = $"\"Other Users/{owner}/INBOX\"";
        await bob.Run($"b SELECT {inbox}");
        await bob.Run("b FETCH 1 FLAGS");
        Assert.Equal(MailErrorCode.Cannot, (await acl.SetAsync(key, owner, false, StoreMode.Replace, MailRights.None)).Error?.Code);
        Assert.Equal(MailErrorCode.NonExistent, (await acl.SetAsync(key, "nobody@test.example", false, StoreMode.Replace, MailRights.None)).Error?.Code);
        Assert.True((await acl.SetAsync(key, viewer, false, StoreMode.Replace, MailRights.None)).IsOk);
        // The owner hears of it by NOTIFY, a moment later.
        await Eventually.Async("the session ends", async () =>
        {
            try
            {
                await bob.Run("b NOOP");
                return false;
            }
            catch (UnexpectedReplyException)
            {
                return bob.Transcript.Contains("* BYE [NOPERM]", StringComparison.Ordinal);
            }
        });
        await alice.Send("a GETACL INBOX");
        await alice.Expect($"* ACL \"INBOX\" {owner} lrswipkxteancd", "a OK …");
    }

    /// <summary>RFC 5465: what happens in a mailbox of another reaches who watches it from either front end, for as long as he may read it, and nothing of what is not shared.</summary>
    [Fact]
    public async Task NOTIFY_reaches_both_front_ends()
    {
        (ImapClient alice, ImapClient bob, ImapClient atHome, string owner, string viewer) = await SessionsAsync();
        await alice.Run("a CREATE Secret");
        ImapClient[] watching = [bob, atHome];
        foreach (ImapClient client in watching)
            await client.Run($"n NOTIFY SET (SUBTREE \"Other Users/{owner}\" (MessageNew MessageExpunge MailboxName))");
        await alice.Run($"a SETACL INBOX {viewer} lrs");
        await HearAsync("* LIST (\\HasNoChildren)");
        for (int uid = 5; uid < 15; uid++)
        {
            await alice.Append("a", "Secret", "Subject: secret\r\n\r\n");
            await alice.Append("a", "INBOX", $"Subject: {uid}\r\n\r\n");
            await HearAsync($"UIDNEXT {uid + 1}");
        }
        await alice.Run("a STORE 1:3 +FLAGS.SILENT (\\Deleted)");
        await alice.Run("a EXPUNGE");
        await HearAsync("MESSAGES 11");
        await alice.Run($"a DELETEACL INBOX {viewer}");
        await HearAsync("* LIST (\\NonExistent");
        await alice.Append("a", "INBOX", "Subject: not his\r\n\r\n");
        foreach (ImapClient client in watching)
            Assert.DoesNotContain(await client.Run("n NOOP"), static line => line.Contains("STATUS", StringComparison.Ordinal));
        await alice.Run($"a SETACL INBOX {viewer} lrs");
        await HearAsync("* LIST (\\HasNoChildren)");
        await alice.Append("a", "INBOX", "Subject: his again\r\n\r\n");
        await HearAsync("UIDNEXT 17");

        // News may be told one by one, or what has come of them.
        async Task HearAsync(string wanted)
        {
            foreach (ImapClient client in watching)
            {
                string line;
                do
                {
                    line = await client.Line();
                    Assert.Contains($"\"Other Users/{owner}", line);
                    Assert.DoesNotContain("Secret", line);
                }
                while (!line.Contains(wanted, StringComparison.Ordinal));
            }
        }
    }

    private static string LastFlags(ImapClient client) => client.Transcript.Split('\n').Last(static l => l.Contains("FETCH (FLAGS", StringComparison.Ordinal) && l.StartsWith("S:", StringComparison.Ordinal));
}
