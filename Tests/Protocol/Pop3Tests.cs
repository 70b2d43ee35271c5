using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Support;
using MailKit.Net.Pop3;
using MailKit.Security;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>POP3 on a real node, beside IMAP and deliveries in the same INBOX.</summary>
public sealed class Pop3Tests(MailServer server)
{
    [Fact]
    public async Task What_is_delivered_is_retrieved_octet_by_octet_and_deleted_for_everybody()
    {
        string user = await server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await imap.Append("a", "INBOX", "Subject: one\r\n\r\n.\r\n..two\r\nlone \r CR\r\n");
        await imap.Append("b", "INBOX", "Subject: two\r\n\r\nbody\r\n", "(\\Flagged)");
        await imap.Append("c", "INBOX", "Subject: three\r\n\r\nbody\r\n", "(\\Deleted)");
        await imap.Run("d SELECT INBOX");
        IReadOnlyList<string> sizes = await imap.Run("e FETCH 1:3 RFC822.SIZE");

        await using ImapClient pop3 = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        IReadOnlyList<string> list = await pop3.Pop3Lines("LIST");
        Assert.Equal(sizes.Select(static (line, i) => $"{i + 1} {line[(line.IndexOf("SIZE ", StringComparison.Ordinal) + 5)..^1]}"), list);
        await pop3.Pop3("RETR 1", "+OK 37 octets", "Subject: one", "", "..", "...two", "lone \r CR", ".");
        await pop3.Pop3("DELE 1", "+OK …");
        await pop3.Pop3("DELE 2", "+OK …");
        await imap.Send("f NOOP");
        await imap.Expect("f OK …");
        await pop3.Pop3("QUIT", "+OK …");
        await imap.Send("g NOOP");
        await imap.Expect("* 1 EXPUNGE", "* 1 EXPUNGE", "g OK …");
        Assert.Contains("\\Deleted", Assert.Single(await imap.Run("h FETCH 1:* FLAGS")));
    }

    [Fact]
    public async Task One_session_has_the_maildrop_and_IMAP_is_never_shut_out()
    {
        string user = await server.AccountAsync(), other = await server.AccountAsync();
        ImapClient first = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        await using ImapClient second = await ImapClient.ConnectPop3Async(server.Pop3);
        await second.Send($"USER {user}", $"PASS {MailServer.Password}");
        await second.Expect("+OK …", "-ERR [IN-USE] …");
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await imap.Run("a SELECT INBOX");
        await using ImapClient others = await ImapClient.Pop3Async(server.Pop3, other, MailServer.Password);

        // Free as soon as QUIT is answered, and as soon as it is known that the client is gone.
        await first.Pop3("QUIT", "+OK …");
        await second.Send($"USER {user}", $"PASS {MailServer.Password}");
        await second.Expect("+OK …", "+OK …");
        await second.DisposeAsync();
        await Eventually.Async("the lock is not given back", async () =>
        {
            await using ImapClient third = await ImapClient.ConnectPop3Async(server.Pop3);
            await third.Send($"USER {user}", $"PASS {MailServer.Password}");
            await third.Expect("+OK …");
            return (await third.Line()).StartsWith("+OK", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_tenant_may_do_without_the_lock_and_each_session_removes_what_it_has_seen()
    {
        await using var own = MailServer.With();
        string user = await own.AccountAsync();
        Assert.True((await own.Tenants.SetAsync("test", null, null, null, null, pop3Lock: false)).IsOk);
        await using ImapClient imap = await ImapClient.LoggedInAsync(own.Imap, user, MailServer.Password);
        for (int i = 1; i <= 3; i++)
            await imap.Append("a", "INBOX", $"Subject: {i}\r\n\r\nbody\r\n");
        await using ImapClient one = await ImapClient.Pop3Async(own.Pop3, user, MailServer.Password);
        await using ImapClient two = await ImapClient.Pop3Async(own.Pop3, user, MailServer.Password);
        await one.Pop3("DELE 1", "+OK …");
        await two.Pop3("DELE 1", "+OK …");
        await two.Pop3("DELE 2", "+OK …");
        await one.Pop3("QUIT", "+OK …");
        await two.Pop3("STAT", "+OK 1 20");
        await two.Pop3("QUIT", "+OK …");
        await using ImapClient three = await ImapClient.Pop3Async(own.Pop3, user, MailServer.Password);
        await three.Pop3("LIST", "+OK …", "1 20", ".");
        await three.Pop3("TOP 1 0", "+OK …", "Subject: 3", "", ".");
    }

    [Fact]
    public async Task Unique_ids_are_those_that_were_imported_and_stay_when_others_go()
    {
        string user = await server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        for (int i = 1; i <= 3; i++)
            await imap.Append("a", "INBOX", $"Subject: {i}\r\n\r\nbody\r\n");
        await using var database = NpgsqlDataSource.Create(server.ConnectionString + ";Pooling=false");
        MailboxKey inbox = (await MailboxLookup.MailboxAsync(database, user, "INBOX")).Value;
        var import = new UidlImport(database);
        Assert.True((await import.RunAsync(inbox, [new ImportedUidl(1, "old-1"), new ImportedUidl(3, "old-3")])).IsOk);

        await using ImapClient pop3 = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        IReadOnlyList<string> uidl = await pop3.Pop3Lines("UIDL");
        Assert.Equal(("1 old-1", "3 old-3"), (uidl[0], uidl[2]));
        Assert.Matches("^2 [0-9]+\\.2$", uidl[1]);
        await pop3.Pop3("DELE 1", "+OK …");
        await pop3.Pop3("QUIT", "+OK …");
        await using ImapClient next = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        Assert.Equal([uidl[1].Replace("2 ", "1 "), "2 old-3"], await next.Pop3Lines("UIDL"));
    }

    [Theory]
    [InlineData(SecureSocketOptions.SslOnConnect)]
    [InlineData(SecureSocketOptions.StartTls)]
    public async Task MailKit_over_TLS(SecureSocketOptions security)
    {
        string user = await server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        for (int i = 1; i <= 20; i++)
            await imap.Append("a", "INBOX", $"Subject: {i}\r\n\r\n.body\r\n");
        using var pop3 = new Pop3Client { ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await pop3.ConnectAsync("127.0.0.1", security == SecureSocketOptions.StartTls ? server.Pop3.Port : server.Pop3s.Port, security);
        Assert.True(pop3.Capabilities.HasFlag(Pop3Capabilities.Pipelining | Pop3Capabilities.UIDL | Pop3Capabilities.UTF8 | Pop3Capabilities.Sasl));
        await pop3.EnableUTF8Async();
        await pop3.AuthenticateAsync(user, MailServer.Password);
        Assert.Equal(20, pop3.Count);
        Assert.Equal(20, (await pop3.GetMessageUidsAsync()).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, 20).Select(static i => $"{i}"), (await pop3.GetMessagesAsync(0, 20)).Select(static m => m.Subject));
        Assert.Equal(".body", (await pop3.GetMessageAsync(4)).TextBody?.TrimEnd());
        Assert.Equal("7", (await pop3.GetMessageHeadersAsync(6))["Subject"]);
        await pop3.DeleteAllMessagesAsync();
        await pop3.DisconnectAsync(quit: true);
        Assert.Contains("(MESSAGES 0)", (await imap.Run("b STATUS INBOX (MESSAGES)"))[^1]);
    }

    [Fact]
    public async Task A_session_is_listed_with_its_protocol_and_can_be_ended()
    {
        string user = await server.AccountAsync();
        await using ImapClient pop3 = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        await Eventually.Async("the session is not listed", async () =>
            (await server.SessionTable.ListAsync(user, null, null, null, "", "", 10)).Any(static s => s is { Protocol: "pop3", Mailbox: not null }));
        Assert.True((await server.Accounts.SetStateAsync(user, login: false, delivery: null)).IsOk);
        await pop3.Expect("-ERR [SYS/TEMP] Log-in is switched off for this account");
        await pop3.Closed();
        await using ImapClient again = await ImapClient.ConnectPop3Async(server.Pop3);
        await again.Send($"USER {user}", $"PASS {MailServer.Password}");
        await again.Expect("+OK …", "-ERR [SYS/PERM] …");
    }

    [Fact]
    public async Task Mail_comes_in_while_a_session_lasts_and_none_is_lost()
    {
        string user = await server.AccountAsync();
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await imap.Append("a", "INBOX", "Subject: 1\r\n\r\nbody\r\n");
        await using ImapClient pop3 = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        await pop3.Pop3("DELE 1", "+OK …");
        await imap.Append("b", "INBOX", "Subject: 2\r\n\r\nbody\r\n");
        await pop3.Pop3("QUIT", "+OK …");
        await using ImapClient next = await ImapClient.Pop3Async(server.Pop3, user, MailServer.Password);
        await next.Pop3("TOP 1 0", "+OK …", "Subject: 2", "", ".");
    }
}
