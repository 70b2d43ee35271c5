using System.Text;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>SMTP → Postfix → LMTP → IMAP.</summary>
public sealed class PostfixTests(MailServer server)
{
    [Fact]
    public async Task Mail_goes_from_a_real_Postfix_to_the_mailboxes_and_its_refusals_back()
    {
        string alice = await server.AccountAsync(), bob = await server.AccountAsync(), full = await server.AccountAsync(maxBytes: 100);
        string closed = await server.AccountAsync(), team = "team-postfix@test.example";
        Done(await server.Tenants.SetAliasAsync(team, [alice, bob]));
        Done(await server.Accounts.SetStateAsync(closed, null, DeliveryState.Refused));
        await using PostfixServer postfix = await PostfixServer.StartAsync(server.Lmtp.Port);

        await using ImapClient idle = await ImapClient.LoggedInAsync(server.Imap, alice, MailServer.Password);
        await idle.Run("1 SELECT INBOX");
        await idle.Send("2 IDLE");
        await idle.Expect("+ …");

        string sub = alice.Replace("@", "+junk@");
        await SendAsync(postfix, "Hello from Postfix", alice, bob, full, closed, "nobody@test.example", sub);
        foreach (string recipient in new[] { alice, bob, sub })
        {
            string sent = await postfix.OutcomeAsync(recipient);
            Assert.Contains("dsn=2.1.5, status=sent (250 2.1.5 <" + recipient + "> delivered ", sent);
        }
        Assert.Contains("dsn=5.2.2, status=bounced", await postfix.OutcomeAsync(full));
        Assert.Contains("dsn=5.2.1, status=bounced", await postfix.OutcomeAsync(closed));
        Assert.Contains("dsn=5.1.1, status=bounced", await postfix.OutcomeAsync("nobody@test.example"));

        await idle.Expect("* 1 EXISTS", "* 1 RECENT");
        await idle.Send("DONE");
        await idle.Expect("2 OK …");
        await idle.Send("3 FETCH 1 (BODY.PEEK[])");
        string text = await idle.Line();
        Assert.Contains($"\r\nReturn-Path: <sender@elsewhere.example>\r\nDelivered-To: {alice}\r\nReceived: from mx.test.example ([127.0.0.1])\r\n\tby ", text);
        Assert.Contains("Subject: Hello from Postfix\r\n", text);
        Assert.Contains("\r\n.a line with a dot\r\n", text);
        await idle.Ok("3");
        await idle.Run("4 SELECT Junk");
        Assert.Contains("* SEARCH 1", await idle.Run("5 SEARCH HEADER Delivered-To +junk@"));

        await SendAsync(postfix, "For all of us", team);
        Assert.Contains("status=sent", await postfix.OutcomeAsync(team));
        foreach (string member in new[] { alice, bob })
        {
            await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, member, MailServer.Password);
            Assert.Contains("* STATUS \"INBOX\" (MESSAGES 2)", await imap.Run("1 STATUS INBOX (MESSAGES)"));
        }
    }

    [Fact]
    public async Task Mail_that_is_put_off_comes_when_the_account_is_open_again()
    {
        string user = await server.AccountAsync();
        Done(await server.Accounts.SetStateAsync(user, null, DeliveryState.Deferred));
        await using PostfixServer postfix = await PostfixServer.StartAsync(server.Lmtp.Port);
        await SendAsync(postfix, "Later", user);
        Assert.Contains("dsn=4.2.1, status=deferred (host 127.0.0.1[127.0.0.1] said: 450 4.2.1 ", await postfix.OutcomeAsync(user));
        Done(await server.Accounts.SetStateAsync(user, null, DeliveryState.On));
        await OpenAsync(user);
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        await imap.Send("2 IDLE");
        await imap.Expect("+ …");
        await postfix.FlushAsync();
        await imap.Expect("* 1 EXISTS");
    }

    /// <summary>Returns when the node knows that the account takes mail.</summary>
    private async Task OpenAsync(string user)
    {
        await using ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(server.Lmtp);
        await lmtp.Send("LHLO t", "MAIL FROM:<>");
        while (!(await lmtp.Line()).StartsWith("250 2.1.0", StringComparison.Ordinal))
        {
        }
        do
            await lmtp.Send($"RCPT TO:<{user}>");
        while ((await lmtp.Line()).StartsWith('4'));
    }

    [Fact]
    public async Task Mail_waits_in_the_queue_while_the_node_is_down()
    {
        await using MailServer own = MailServer.With();
        string user = await own.AccountAsync();
        await using PostfixServer postfix = await PostfixServer.StartAsync(own.Lmtp.Port);
        await own.StopNodeAsync();
        await SendAsync(postfix, "While you were out", user);
        Assert.Contains("dsn=4.4.1, status=deferred (connect to 127.0.0.1", await postfix.OutcomeAsync(user));
        await own.StartNodeAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(own.Imap, user, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        await imap.Send("2 IDLE");
        await imap.Expect("+ …");
        await postfix.FlushAsync();
        await imap.Expect("* 1 EXISTS");
    }

    [Fact]
    public async Task The_sender_hears_what_could_not_be_delivered()
    {
        string sender = await server.AccountAsync(), full = await server.AccountAsync(maxBytes: 100);
        await using PostfixServer postfix = await PostfixServer.StartAsync(server.Lmtp.Port);
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, sender, MailServer.Password);
        await imap.Run("1 SELECT INBOX");
        await imap.Send("2 IDLE");
        await imap.Expect("+ …");
        await SendFromAsync(sender, postfix, "Too much", full, "nobody@test.example");
        await imap.Expect("* 1 EXISTS");
        await imap.Send("DONE");
        await imap.Ok("2");
        await imap.Send("3 FETCH 1 (ENVELOPE BODY.PEEK[HEADER.FIELDS (RETURN-PATH DELIVERED-TO)] BODY.PEEK[1])");
        string bounce = await imap.Line();
        Assert.Contains($"Return-Path: <>\r\nDelivered-To: {sender}\r\n", bounce);
        Assert.Contains("550 5.1.1", bounce);
        Assert.Contains("552 5.2.2", bounce);
        await imap.Ok("3");
        // Postfix sends a report of RFC 3464, whose parts can be asked for by number.
        await imap.Send("4 FETCH 1 (BODYSTRUCTURE BODY.PEEK[2] BODY.PEEK[3.HEADER.FIELDS (SUBJECT)])");
        string report = await imap.Line();
        Assert.Contains("\"message\" \"delivery-status\"", report, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Status: 5.1.1", report);
        Assert.Contains("Status: 5.2.2", report);
        Assert.Contains("Subject: Too much", report);
        await imap.Ok("4");
    }

    private static Task SendAsync(PostfixServer postfix, string subject, params string[] recipients) => SendFromAsync("sender@elsewhere.example", postfix, subject, recipients);

    private static async Task SendFromAsync(string sender, PostfixServer postfix, string subject, params string[] recipients)
    {
        var message = new MimeMessage { Subject = subject, Body = new TextPart("plain") { Text = "Text\r\n.a line with a dot\r\n.\r\nEnd\r\n" } };
        message.From.Add(MailboxAddress.Parse(sender));
        message.To.Add(MailboxAddress.Parse("list@test.example"));
        using var smtp = new SmtpClient();
        await smtp.ConnectAsync("127.0.0.1", postfix.Port, SecureSocketOptions.None);
        await smtp.SendAsync(message, MailboxAddress.Parse(sender), recipients.Select(static r => new MailboxAddress(Encoding.UTF8, "", r)));
        await smtp.DisconnectAsync(true);
    }

    private static void Done(MailResult<Done> result) => Assert.Null(result.Error);
}
