using System.Diagnostics;
using System.Text.RegularExpressions;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>Filters from their upload to what IMAP clients and a mail server see of them.</summary>
public sealed class SieveTests(SieveFixture fixture) : IClassFixture<SieveFixture>
{
    private MailServer Server => fixture.Server;

    [Fact]
    public async Task A_script_that_was_just_activated_files_the_next_message_and_sessions_see_it_at_once()
    {
        string user = await Server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password), idle = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Run("1 CREATE Lists");
        await idle.Run("1 SELECT Lists");
        await fixture.ActivateAsync(user, """
            require ["fileinto", "imap4flags", "mailbox", "copy"];
            if header :contains "list-id" "dev" { fileinto :flags ["\\Flagged", "$Work"] "Lists"; fileinto :copy :create "Archive/2026"; stop; }
            """);
        await idle.Send("2 IDLE");
        await idle.Expect("+ …");
        await fixture.DeliverAsync(user, "List-Id: <dev.x.test>\nSubject: filed\n\nbody\n");
        // The keyword is new here, which is told first.
        while (await idle.Line() != "* 1 EXISTS")
        {
        }
        await idle.Send("DONE");
        await idle.Ok("2");
        Assert.Contains(await idle.Run("3 UID FETCH 1 (UID FLAGS)"), static l => l.StartsWith("* 1 FETCH (UID 1 FLAGS (\\Flagged") && l.Contains("$Work"));
        Assert.Contains("* STATUS \"INBOX\" (MESSAGES 0)", await imap.Run("2 STATUS INBOX (MESSAGES)"));
        Assert.Contains("* STATUS \"Archive/2026\" (MESSAGES 1)", await imap.Run("3 STATUS Archive/2026 (MESSAGES)"));
        // One body, one email for each copy; a redelivery is none.
        await fixture.DeliverAsync(user, "List-Id: <dev.x.test>\nSubject: filed\n\nbody\n");
        Assert.Contains("* STATUS \"Lists\" (MESSAGES 1)", await imap.Run("4 STATUS Lists (MESSAGES)"));
        Assert.Contains("* STATUS \"Archive/2026\" (MESSAGES 1)", await imap.Run("5 STATUS Archive/2026 (MESSAGES)"));
    }

    [Fact]
    public async Task What_is_activated_and_taken_away_counts_for_the_next_message_of_a_connection_that_goes_on()
    {
        string user = await Server.AccountAsync();
        await using ImapClient sieve = await fixture.ManageAsync(user), lmtp = await ImapClient.ConnectSilentlyAsync(Server.Lmtp), imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Run("1 CREATE Lists");
        await imap.Run("2 CREATE Work");
        await lmtp.Expect("220 …");
        await lmtp.Send("LHLO x.test");
        while (!(await lmtp.Line()).StartsWith("250 "))
        {
        }
        await SieveFixture.SayAsync(sieve, "PUTSCRIPT \"a\" \"require \\\"fileinto\\\"; fileinto \\\"Lists\\\";\"");
        await SieveFixture.SayAsync(sieve, "PUTSCRIPT \"b\" \"require \\\"fileinto\\\"; fileinto \\\"Work\\\";\"");
        string[] steps = ["", "SETACTIVE \"a\"", "SETACTIVE \"b\"", "SETACTIVE \"\"", "SETACTIVE \"b\"", "PUTSCRIPT \"b\" \"require \\\"fileinto\\\"; fileinto \\\"Lists\\\";\"", "SETACTIVE \"\""];
        string[] places = ["INBOX", "Lists", "Work", "INBOX", "Work", "Lists", "INBOX"];
        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i].Length > 0)
                await SieveFixture.SayAsync(sieve, steps[i]);
            await lmtp.SendRaw($"MAIL FROM:<s@x.test>\r\nRCPT TO:<{user}>\r\nDATA\r\n");
            await lmtp.Expect("250 …", "250 …", "354 …");
            await lmtp.SendRaw($"Subject: {i}\r\n\r\n.\r\n");
            await lmtp.Expect("250 2.1.5 …");
            int count = places.Take(i + 1).Count(p => p == places[i]);
            Assert.Contains($"* STATUS \"{places[i]}\" (MESSAGES {count})", await imap.Run($"s{i} STATUS {places[i]} (MESSAGES)"));
        }
    }

    /// <summary>What names a mailbox may come from the sender: a filter makes none that IMAP would not, and files by a name that is not composed.</summary>
    [Fact]
    public async Task Mailboxes_that_filters_make_have_names_that_are_allowed()
    {
        string user = await Server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await fixture.ActivateAsync(user, """
            require ["fileinto", "mailbox", "variables"];
            if header :matches "subject" "*" { fileinto :create "by/${1}"; }
            """);
        foreach (string name in (string[])["a*b", new string('x', 256), "e\u0301", "plain"])
            await fixture.DeliverAsync(user, $"Subject: {name}\n\nbody\n");
        await imap.Send("1 LIST \"\" by* RETURN (STATUS (MESSAGES))", "2 STATUS INBOX (MESSAGES)");
        await imap.Expect(
            "* LIST (\\HasChildren) \"/\" \"by\"", "* STATUS \"by\" (MESSAGES 0)", "* LIST (\\HasNoChildren) \"/\" \"by/plain\"", "* STATUS \"by/plain\" (MESSAGES 1)",
            "* LIST (\\HasNoChildren) \"/\" \"by/&AOk-\"", "* STATUS \"by/&AOk-\" (MESSAGES 1)", "1 OK …", "* STATUS \"INBOX\" (MESSAGES 2)", "2 OK …");
    }

    [Fact]
    public async Task A_filter_that_fails_keeps_the_message_and_its_owner_can_see_why()
    {
        string user = await Server.AccountAsync();
        await fixture.ActivateAsync(user, "require \"fileinto\"; fileinto \"Nowhere\";");
        await fixture.DeliverAsync(user, "Subject: x\n\nbody\n");
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        Assert.Contains("X-Sieve-Failure: fileinto: there is no mailbox 'Nowhere'", string.Join('\n', await imap.Run("2 FETCH 1 BODY.PEEK[HEADER]")));
        await using ImapClient sieve = await fixture.ManageAsync(user);
        await sieve.Send("LISTSCRIPTS");
        await sieve.Expect("\"main\" ACTIVE", "OK \"The active script failed last at … UTC: fileinto: there is no mailbox 'Nowhere'\"");
    }

    [Fact]
    public async Task Redirections_replies_and_refusals_leave_once_whatever_is_repeated()
    {
        string user = await Server.AccountAsync(), forwards = await Server.AccountAsync(), refuses = await Server.AccountAsync();
        await fixture.ActivateAsync(user, "require \"vacation\"; vacation :subject \"Away\" \"I am away — ü.\";");
        await fixture.ActivateAsync(forwards, "require \"editheader\"; deleteheader \"x-secret\"; redirect \"other@elsewhere.test\";");
        await fixture.ActivateAsync(refuses, "require \"reject\"; reject \"Not you.\";");
        // The relay is not well at first.
        fixture.Relay.Next("MAIL", "451 4.3.0 later");
        string message = $"To: {user}\nX-Secret: 1\nMessage-ID: <{Guid.NewGuid()}@x.test>\nSubject: hello\n\nbody of {user}\n";
        await fixture.DeliverAsync(forwards, message);
        await fixture.DeliverAsync(forwards, message);
        RelayedMail mail = await fixture.Relay.ArrivedAsync();
        Assert.Equal(("s@x.test", "other@elsewhere.test"), (mail.Sender, mail.Recipients.Single()));
        Assert.Matches($"^Received: from t .*\r\n.*\r\n.*\r\nX-Sieve-Redirected-From: {forwards}\r\nTo: {user}\r\nMessage-ID: ", mail.Text);
        Assert.EndsWith($"\r\nSubject: hello\r\n\r\nbody of {user}\r\n", mail.Text);
        for (int i = 0; i < 3; i++)
            await fixture.DeliverAsync(user, $"To: {user}\nSubject: question {i}\n\n?\n");
        mail = await fixture.Relay.ArrivedAsync();
        Assert.Equal(("", "s@x.test"), (mail.Sender, mail.Recipients.Single()));
        Assert.Contains("Subject: Away\r\n", mail.Text);
        Assert.Contains("Auto-Submitted: auto-replied\r\n", mail.Text);
        await fixture.DeliverAsync(refuses, "Subject: x\n\nbody\n", "550 5.7.1 Not you.");
        // Whoever is answered already is not answered again.
        await fixture.DeliverAsync(user, $"To: {user}\nSubject: other\n\n?\n", sender: "t@x.test");
        mail = await fixture.Relay.ArrivedAsync();
        Assert.Equal("t@x.test", mail.Recipients.Single());
        Assert.Equal(3, fixture.Relay.Mail.Count(m => m.Text.Contains(user)));
    }

    [Fact]
    public async Task What_the_relay_refuses_comes_back_to_its_owners_inbox()
    {
        string user = await Server.AccountAsync();
        await fixture.ActivateAsync(user, "redirect \"gone@elsewhere.test\";");
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        fixture.Relay.Next("RCPT", "550 5.1.1 no such user");
        await imap.Send("2 IDLE");
        await imap.Expect("+ …");
        await fixture.DeliverAsync(user, "Subject: back\n\nbody\n");
        await imap.Expect("* 1 EXISTS");
        await imap.Send("DONE");
        await imap.Ok("2");
        string text = string.Join('\n', await imap.Run("3 FETCH 1 BODY.PEEK[]"));
        Assert.Contains("X-Sieve-Failure: redirect to gone@elsewhere.test failed: 550", text);
        Assert.Contains("Subject: back\r\n\r\nbody\r\n", text);
    }

    [Fact]
    public async Task Sieve_connect_keeps_scripts()
    {
        if (!File.Exists("/usr/bin/sieve-connect"))
            Assert.Skip("sieve-connect is not installed: apt-get install sieve-connect");
        string user = await Server.AccountAsync();
        DirectoryInfo directory = Directory.CreateTempSubdirectory("mailcluster-sieve-");
        string script = Path.Combine(directory.FullName, "main.sieve");
        await File.WriteAllTextAsync(script, "require \"fileinto\";\r\nfileinto \"INBOX\";\r\n");
        Assert.Contains("main.sieve", await ConnectAsync(user, "--upload", "--localsieve", script, "--remotesieve", "main.sieve") + await ConnectAsync(user, "--list"));
        await ConnectAsync(user, "--activate", "--remotesieve", "main.sieve");
        Assert.Matches("main.sieve.*ACTIVE", await ConnectAsync(user, "--list"));
        string copy = Path.Combine(directory.FullName, "copy.sieve");
        await ConnectAsync(user, "--download", "--remotesieve", "main.sieve", "--localsieve", copy);
        Assert.Contains("fileinto \"INBOX\";", await File.ReadAllTextAsync(copy));
        await ConnectAsync(user, "--deactivate");
        await ConnectAsync(user, "--delete", "--remotesieve", "main.sieve");
        Assert.DoesNotContain("main.sieve", await ConnectAsync(user, "--list"));
        directory.Delete(true);
    }

    [Fact]
    public async Task Annotations_that_a_client_sets_are_what_scripts_see()
    {
        string user = await Server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await imap.Run("1 SETMETADATA Junk (/private/vendor/test/rule \"on\")");
        await fixture.ActivateAsync(user, """
            require ["mboxmetadata", "servermetadata", "fileinto"];
            if allof (metadata :is "Junk" "/private/vendor/test/rule" "on", not metadataexists "INBOX" "/private/vendor/test/rule", not servermetadataexists "/private/vendor/test/rule") {
                fileinto "Junk";
            }
            """);
        await fixture.DeliverAsync(user, "Subject: x\n\nbody\n");
        Assert.Contains("* STATUS \"Junk\" (MESSAGES 1)", await imap.Run("2 STATUS Junk (MESSAGES)"));
    }

    [Fact]
    public async Task A_tenants_scripts_count_for_all_its_accounts()
    {
        string user = await Server.AccountAsync();
        TenantId tenant = (await Server.Tenants.FindAsync("test"))!.Id;
        await using ImapClient imap = await ImapClient.LoggedInAsync(Server.Imap, user, MailServer.Password);
        await Server.Scripts.PutAsync(tenant, "before", System.Text.Encoding.UTF8.GetBytes(
            $"require [\"fileinto\", \"envelope\"]; if envelope \"to\" \"{user}\" {{ fileinto \"Junk\"; }}"), default);
        await fixture.DeliverAsync(user, "Subject: x\n\nbody\n");
        Assert.Contains("* STATUS \"Junk\" (MESSAGES 1)", await imap.Run("1 STATUS Junk (MESSAGES)"));
        Assert.Null(await Server.Scripts.DeleteAsync(tenant, "before", default));
    }

    /// <summary>Runs sieve-connect; what it says.</summary>
    private async Task<string> ConnectAsync(string user, params string[] arguments)
    {
        var start = new ProcessStartInfo("sieve-connect")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            ArgumentList = { "--server", "127.0.0.1", "--port", Server.Sieve.Port.ToString(), "--user", user, "--nosslverify", "--notlsverify", "--4", "--passwordfd", "0" },
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(MailServer.Password + "\n");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {await output}{await errors}");
        return Regex.Replace(await output, @"\e\[[0-9;]*m", "");
    }
}
