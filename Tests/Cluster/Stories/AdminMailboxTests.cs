using System.Text.Json;
using MailCluster.Storage.Membership;
using MailCluster.Storage.Schema;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>What an operator runs when he doubts a mailbox, while clients work in it through two front ends.</summary>
[Collection(nameof(NodesCollection))]
public sealed class AdminMailboxTests(MailNodes nodes) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private string _config = "";
    private string _user = "";
    private NpgsqlDataSource _database = null!;

    public async ValueTask InitializeAsync()
    {
        await nodes.WholeAsync();
        _user = await nodes.Accounts.AddAsync();
        _database = NpgsqlDataSource.Create(nodes.ConnectionString + ";Pooling=false");
        _config = new NodeSettings("operator", nodes.ConnectionString).Write(_directory.FullName);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _directory.Delete(true);
    }

    [Fact]
    public async Task A_mailbox_is_explained_with_its_owner_its_sessions_and_its_changes()
    {
        await using ImapClient a = await ImapClient.ConnectAsync(nodes.FrontEnds[0].Imap);
        await a.Run("i ID (\"name\" \"tester\" \"version\" \"7\")");
        await a.Run($"l LOGIN {_user} \"{TestAccounts.Password}\"");
        await using ImapClient b = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, _user, TestAccounts.Password);
        await a.Append("p", "INBOX", "Subject: one\r\n\r\none\r\n");
        await a.Append("p", "INBOX", "Subject: two\r\n\r\ntwo\r\n");
        await a.Run("s SELECT INBOX");
        await b.Run("s EXAMINE INBOX");
        await a.Run(@"t STORE 1:2 +FLAGS.SILENT (\Deleted \Seen)");
        await a.Run("x UID EXPUNGE 2");

        JsonElement mailbox = default;
        await Eventually.Async("both sessions are listed with what they have selected", async () =>
            (mailbox = await ExplainAsync("INBOX")).GetProperty("sessions").GetArrayLength() == 2);
        Assert.Equal((3, 1, 0, 1), (Number(mailbox, "uidNext"), Number(mailbox, "messages"), Number(mailbox, "unseen"), Number(mailbox, "deleted")));
        JsonElement owner = mailbox.GetProperty("owner");
        Assert.Contains(Text(owner, "node"), nodes.Silos.Select(static s => s.Settings.Name));
        Assert.Equal(Text(mailbox, "lastOwner"), Text(owner, "address"));
        Assert.Equal(Text(mailbox, "lastOwnerNode"), Text(owner, "node"));
        Assert.True(mailbox.GetProperty("lastOwnerAlive").GetBoolean());
        Assert.Equal(Number(mailbox, "epoch"), Number(owner, "epoch"));
        Assert.True(owner.GetProperty("loaded").GetBoolean());
        Assert.InRange(owner.GetProperty("since").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        Assert.Equal((0, 0), (Number(owner, "underWay"), Number(owner, "waiting")));

        List<JsonElement> sessions = [.. mailbox.GetProperty("sessions").EnumerateArray()];
        Assert.Equal(["front-1", "front-2"], sessions.Select(static s => Text(s, "node")).Order());
        JsonElement first = sessions.Single(static s => Text(s, "node") == "front-1");
        Assert.Equal(("imap", "127.0.0.1", "name=tester version=7"), (Text(first, "protocol"), Text(first, "address"), Text(first, "client")));

        List<JsonElement> changes = [.. mailbox.GetProperty("changes").EnumerateArray()];
        Assert.Equal([("expunged", "2"), ("flags", "1:2"), ("added", "2"), ("added", "1")], changes.Select(static c => (Text(c, "kind")!, Text(c, "uids")!)));
        Assert.All(changes, c => Assert.Equal(
            (_user, Text(first, "sessionId"), "127.0.0.1", "name=tester version=7"), (Text(c, "user"), Text(c, "session"), Text(c, "address"), Text(c, "client"))));

        (int exitCode, string text) = await AdminAsync("explain", _user, "inbox");
        Assert.Equal(0, exitCode);
        Assert.Contains("2 sessions have it selected", text);
        Assert.Contains("the last 4 changes", text);
        await b.Run("u UNSELECT");
        await Eventually.Async("one session has left", async () => (await ExplainAsync("INBOX")).GetProperty("sessions").GetArrayLength() == 1);
    }

    [Fact]
    public async Task A_mailbox_that_nobody_uses_is_not_active_and_what_does_not_exist_is_one_sentence()
    {
        (int exitCode, string text) = await AdminAsync("explain", _user, "Sent");
        Assert.Equal(0, exitCode);
        Assert.Contains("not active", text);
        Assert.Contains("claimed by nobody", text);
        Assert.Contains("no change is in the log", text);

        Assert.Equal((1, $"{_user} has no mailbox 'Nowhere'.\n"), await AdminAsync("explain", _user, "Nowhere"));
        Assert.Equal((1, "There is no account 'nobody@test.example'.\n"), await AdminAsync("explain", "nobody@test.example", "INBOX"));
        Assert.Equal((1, $"{_user} has no mailbox 'Nowhere'.\n"), await AdminAsync("check", _user, "Nowhere"));
        Assert.Equal((1, "There is no account 'nobody@test.example'.\n"), await AdminAsync("check", "nobody@test.example"));
    }

    [Fact]
    public async Task Counters_are_mended_under_live_sessions_which_go_on()
    {
        await using ImapClient a = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, _user, TestAccounts.Password);
        await using ImapClient b = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, _user, TestAccounts.Password);
        for (int i = 0; i < 3; i++)
            await a.Append("p", "INBOX", $"Subject: {i}\r\n\r\n{i}\r\n");
        await a.Run("s SELECT INBOX");
        await b.Run("s SELECT INBOX");
        Assert.Equal(0, (await AdminAsync("check", _user, "--bodies")).ExitCode);
        await ExecuteAsync("update mail.mailbox set messages = 77, bytes = 1 where account_id = $1 and path = '{INBOX}'");
        await ExecuteAsync("update mail.account set bytes = 5 where account_id = $1");

        (int exitCode, string text) = await AdminAsync("check", _user);
        Assert.Equal(1, exitCode);
        Assert.Contains($"{_user} INBOX: the counter 'messages' is 77, its messages add up to 3", text);
        (exitCode, text) = await AdminAsync("check", _user, "--repair");
        Assert.Equal(0, exitCode);
        Assert.Contains("3 findings, 3 repaired", text);
        (exitCode, text) = await AdminAsync("check", _user, "--json");
        Assert.Equal(0, exitCode);
        Assert.Equal(0, JsonDocument.Parse(text).RootElement.GetProperty("findings").GetArrayLength());

        // The owner has read again, and nobody's session has noticed.
        await a.Run(@"t STORE 2 +FLAGS (\Flagged)");
        Assert.Contains(await b.Run("n NOOP"), static l => l.StartsWith("* 2 FETCH", StringComparison.Ordinal));
        await b.Append("p", "INBOX", "Subject: next\r\n\r\nnext\r\n");
        Assert.Contains("* 4 EXISTS", await a.Run("n NOOP"));
        Assert.Contains(await a.Run("t STATUS INBOX (MESSAGES UIDNEXT)"), static l => l.Contains("MESSAGES 4 UIDNEXT 5", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_whose_flags_were_lost_comes_back_and_no_session_is_shown_it_in_the_middle()
    {
        await using ImapClient a = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, _user, TestAccounts.Password);
        for (int i = 0; i < 3; i++)
            await a.Append("p", "INBOX", $"Subject: {i}\r\n\r\n{i}\r\n");
        await ExecuteAsync("delete from mail.message_flags where account_id = $1 and uid = 2");
        await ExecuteAsync("update mail.mailbox set messages = 2, unseen = 2 where account_id = $1 and path = '{INBOX}'");
        await a.Run("s SELECT INBOX");
        await a.Run("f FETCH 1:* UID");
        (int exitCode, string text) = await AdminAsync("check", _user, "INBOX", "--repair");
        Assert.Equal(0, exitCode);
        Assert.Contains("messages without flags: {[2,3)} (repaired)", text);
        await Eventually.Async("the owner was told, and the session ends", async () =>
        {
            await a.Send("n NOOP");
            return (await a.Line()).StartsWith("* BYE ", StringComparison.Ordinal);
        });
        await using ImapClient again = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, _user, TestAccounts.Password);
        await again.Run("s SELECT INBOX");
        Assert.Equal(["* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)"], await again.Run("f FETCH 1:* UID"));
    }

    [Fact]
    public async Task Expunged_messages_come_back_into_open_sessions_and_a_deleted_mailbox_is_made_again()
    {
        await using ImapClient a = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, _user, TestAccounts.Password);
        await using ImapClient b = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, _user, TestAccounts.Password);
        await a.Run("c CREATE Work/Plans");
        for (int i = 1; i <= 3; i++)
            await a.Append("p", i == 3 ? "Work/Plans" : "INBOX", $"From: Ann <ann@a.example>\r\nSubject: =?utf-8?q?n=C2=BA_{i}?=\r\n\r\n{i}\r\n");
        await a.Run("s SELECT INBOX");
        await b.Run("s SELECT INBOX");
        await a.Run(@"t STORE 1 +FLAGS.SILENT (\Deleted \Seen $Work)");
        await a.Run("x EXPUNGE");
        await a.Run("d DELETE Work/Plans");
        Assert.Contains("* 1 EXPUNGE", await b.Run("n NOOP"));

        (int exitCode, string text) = await AdminAsync("expunged", _user, "--json");
        Assert.Equal(0, exitCode);
        Assert.Equal([("INBOX", true), ("Plans", false)], JsonDocument.Parse(text).RootElement.EnumerateArray().Select(static m => (m.GetProperty("path")[m.GetProperty("path").GetArrayLength() - 1].GetString(), m.GetProperty("exists").GetBoolean())));
        (exitCode, text) = await AdminAsync("expunged", _user, "Work/Plans", "--json");
        JsonElement plan = Assert.Single(JsonDocument.Parse(text).RootElement.EnumerateArray());
        Assert.Equal((1L, "ann@a.example", "n\u00ba 3"), (Number(plan, "uid"), Text(plan, "from"), Text(plan, "subject")));

        Assert.Equal((1, $"--into: {_user} has no mailbox 'Nowhere'.\n"), await AdminAsync("restore", _user, "INBOX", "--into", "Nowhere"));
        await b.Send("i IDLE");
        await b.Expect("+ …");
        Assert.Equal((0, "1 messages, 64 octets, are back as UIDs 3\n"), await AdminAsync("restore", _user, "INBOX"));
        await b.Expect("* 2 EXISTS");
        await b.Send("DONE");
        await b.Ok("i");
        Assert.Contains("* 2 EXISTS", await a.Run("n NOOP"));
        Assert.Matches(@"\* 2 FETCH \(UID 3 FLAGS \((\\Recent )?\\Seen (\\Recent )?\$Work\)", string.Join('\n', await b.Run("f FETCH 2 (UID FLAGS)")));
        Assert.Equal((0, "1 messages, 64 octets, are back as UIDs 1\n"), await AdminAsync("restore", _user, "Work/Plans"));
        Assert.Contains(await a.Run("t STATUS Work/Plans (MESSAGES)"), static l => l.Contains("MESSAGES 1", StringComparison.Ordinal));
        Assert.Equal(0, (await AdminAsync("check", _user, "--bodies")).ExitCode);

        Assert.Equal((1, "Nothing that is kept of 'INBOX' is meant: 'admin mailbox expunged' lists what there is.\n"), await AdminAsync("restore", _user, "INBOX"));
        Assert.Equal((1, "There is no mailbox 'Nowhere', and none of this name was deleted that anything is kept of.\n"), await AdminAsync("restore", _user, "Nowhere"));
        Assert.Contains("--uids: '1:x' is no set of UIDs", (await AdminAsync("restore", _user, "INBOX", "--uids", "1:x")).Output);
        Assert.Contains("--since: 'yesterday' is no time", (await AdminAsync("expunged", _user, "INBOX", "--since", "yesterday")).Output);
        Assert.Contains("--after: '7' is not of the form ID:UID.", (await AdminAsync("expunged", _user, "INBOX", "--after", "7")).Output);
    }

    [Fact]
    public async Task Nodes_tell_which_code_they_run_so_that_a_contract_step_may_be_taken()
    {
        (int exitCode, string text) = await ServerProcess.RunAsync("admin", "node", "list", "--json", "--config", _config);
        Assert.Equal(0, exitCode);
        Assert.All(JsonDocument.Parse(text).RootElement.EnumerateArray(), static m => Assert.Equal(SchemaMigrator.CodeVersion, Number(m, "codeVersion")));
        // Front ends tell it within 5 s of their start.
        await Eventually.Async("both front ends have told their version", async () =>
        {
            (exitCode, text) = await ServerProcess.RunAsync("admin", "schema", "upgrade", "--contract", "--config", _config);
            return exitCode == 0;
        });
        Assert.Contains("nothing to do", text);
        Assert.Equal(2, (await NodeMember.ListAsync(_database, lately: true)).Count(static m => !m.Silo && m.CodeVersion == SchemaMigrator.CodeVersion));
    }

    private async Task<JsonElement> ExplainAsync(string mailbox)
    {
        (int exitCode, string text) = await AdminAsync("explain", _user, mailbox, "--json");
        Assert.True(exitCode == 0, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private Task<(int ExitCode, string Output)> AdminAsync(params string[] arguments) => AdminHere.RunAsync(["admin", "mailbox", .. arguments, "--config", _config]);

    private async Task ExecuteAsync(string sql)
    {
        await using NpgsqlCommand command = _database.CreateCommand(sql.Replace("$1", $"(select id from directory.account where user_name = '{_user}')", StringComparison.Ordinal));
        await command.ExecuteNonQueryAsync();
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
