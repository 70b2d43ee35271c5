using System.Text.RegularExpressions;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>A node that a Postfix asks, and that sends through one.</summary>
public sealed class PostfixNode : IAsyncLifetime
{
    public PostfixNode() => Server = MailServer.With(
        ("Listen:DovecotAuth:0", $"127.0.0.1:{Auth}"), ("Listen:Policy:0", $"127.0.0.1:{Policy}"), ("Listen:Socketmap:0", $"127.0.0.1:{Socketmap}"),
        ("Sieve:Relay", $"127.0.0.1:{Relay}"), ("Sieve:RetrySeconds", 1));

    public int Auth { get; } = FreePorts.Next();

    public int Policy { get; } = FreePorts.Next();

    public int Socketmap { get; } = FreePorts.Next();

    /// <summary>Where its filters' mail goes; nobody is there until a test starts one.</summary>
    public int Relay { get; } = FreePorts.Next();

    public MailServer Server { get; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>
/// A real Postfix asks us: whether a submission's log-in is right, which domains and recipients there are, whose an address is, and whether mail would be refused; and takes what
/// filters send.
/// </summary>
public sealed class PostfixServicesTests(PostfixNode node) : IClassFixture<PostfixNode>
{
    private readonly MailServer _server = node.Server;

    [Fact]
    public async Task Submission_look_ups_and_policy()
    {
        string ann = await _server.AccountAsync(), bob = await _server.AccountAsync(), full = await _server.AccountAsync(maxBytes: 100), closed = await _server.AccountAsync();
        Assert.True((await _server.Tenants.SetAliasAsync("team@test.example", [ann, bob])).IsOk);
        Assert.True((await _server.Accounts.SetStateAsync(closed, null, DeliveryState.Refused)).IsOk);
        // The lines of cluster-config/postfix, with the ports of this test.
        string settings = Regex.Replace(await File.ReadAllTextAsync(Path.Combine(ConfigFolder(), "services.cf")), @"127\.0\.0\.1:(\d+)", m => "127.0.0.1:" + m.Groups[1].Value switch
        {
            "12345" => $"{node.Auth}",
            "12346" => $"{node.Policy}",
            _ => $"{node.Socketmap}",
        });
        // TLS is not what this test is about, and who is on this machine is nobody special here.
        await using PostfixServer postfix = await PostfixServer.StartAsync(_server.Lmtp.Port, settings + "\nsmtpd_tls_auth_only = no\nmynetworks =\n");

        // Submission: another server's mail for elsewhere goes only for who has logged in.
        using (SmtpClient guest = await ConnectAsync(postfix))
        {
            Assert.Contains("relay", (await RefusedAsync(guest, "sender@elsewhere.example", "far@away.example")).ToLowerInvariant());
            await Assert.ThrowsAsync<AuthenticationException>(() => guest.AuthenticateAsync(ann, "wrong"));
        }
        await postfix.LineAsync("authentication failed");
        foreach (string mechanism in new[] { "PLAIN", "LOGIN" })
        {
            using SmtpClient client = await ConnectAsync(postfix);
            Assert.Superset(new HashSet<string> { "PLAIN", "LOGIN" }, client.AuthenticationMechanisms);
            client.AuthenticationMechanisms.RemoveWhere(m => m != mechanism);
            await client.AuthenticateAsync(ann, MailServer.Password);
            await client.SendAsync(Message(ann, "far@away.example"));
            // An address of his: the alias; not of his: another account's.
            await client.SendAsync(Message("team@test.example", "far@away.example"));
            Assert.Contains("not owned by user", await RefusedAsync(client, bob, "far@away.example"));
        }
        await _server.Process.WaitForLineAsync($"login ok user={ann} protocol=smtp mechanism=LOGIN address=127.0.0.1");

        // Mail from outside: what the delivery would refuse is refused before it is taken.
        using SmtpClient world = await ConnectAsync(postfix);
        Assert.Contains("5.1.1 <nobody@test.example>: Recipient address rejected", await RefusedAsync(world, "sender@elsewhere.example", "nobody@test.example"));
        Assert.Contains("The mailbox is full", await RefusedAsync(world, "sender@elsewhere.example", full));
        Assert.Contains("The mailbox takes no mail", await RefusedAsync(world, "sender@elsewhere.example", closed));
        await world.SendAsync(Message("sender@elsewhere.example", bob));
        Assert.Contains("status=sent", await postfix.OutcomeAsync(bob));
    }

    [Fact]
    public async Task What_filters_send_leaves_through_a_real_Postfix_once_also_after_it_was_away()
    {
        string forwards = await _server.AccountAsync(), away = await _server.AccountAsync(), refuses = await _server.AccountAsync(), bob = await _server.AccountAsync();
        await _server.FilterAsync(forwards, $"require \"copy\"; redirect :copy \"far@elsewhere.test\"; redirect \"{bob}\";");
        await _server.FilterAsync(away, "require \"vacation\"; vacation :subject \"Away\" \"Until Monday.\";");
        await _server.FilterAsync(refuses, "require \"reject\"; reject \"Nicht für mich.\";");
        // Nobody is at the relay's port: deliveries are taken all the same, and all waits.
        for (int delivery = 1; delivery <= 2; delivery++)
        {
            await _server.DeliverAsync(forwards, $"To: {forwards}\nMessage-ID: <early@x.test>\nSubject: early\n\nbody\n", sender: "writes@elsewhere.test");
            await _server.DeliverAsync(away, $"To: {away}\nMessage-ID: <asks@x.test>\nSubject: are you there?\n\nbody\n", sender: "asks@elsewhere.test");
            await _server.DeliverAsync(refuses, $"To: {refuses}\nMessage-ID: <pest@x.test>\nSubject: buy\n\nbody\n", sender: "pest@elsewhere.test");
        }
        await _server.Process.WaitForLineAsync("outgoing Later kind=redirect");
        await _server.Process.WaitForLineAsync("outgoing Later kind=vacation");
        await _server.Process.WaitForLineAsync("outgoing Later kind=reject");
        await using (PostfixServer postfix = await PostfixServer.StartAsync(_server.Lmtp.Port, port: node.Relay))
        {
            Assert.Contains("status=sent", await postfix.OutcomeAsync("far@elsewhere.test"));
            Assert.Contains("status=sent", await postfix.OutcomeAsync("asks@elsewhere.test"));
            Assert.Contains("status=sent", await postfix.OutcomeAsync("pest@elsewhere.test"));
            // Replies have a null sender (RFC 3834, RFC 5429), what is passed on keeps its own.
            await postfix.LineAsync("from=<>,");
            await postfix.LineAsync("from=<writes@elsewhere.test>,");
            // All the way round: in through Postfix, out to it, and by it to another account.
            using (SmtpClient world = await ConnectAsync(postfix))
                await world.SendAsync(Message("writes@elsewhere.test", forwards));
            await using ImapClient imap = await ImapClient.LoggedInAsync(_server.Imap, bob, MailServer.Password);
            await Eventually.Async("Both messages have come to bob", async () => (await imap.Run("1 STATUS INBOX (MESSAGES)")).Contains("* STATUS \"INBOX\" (MESSAGES 2)"));
            await Eventually.Async("The outbox is empty", async () => await WaitingAsync() == 0);
            await Eventually.Async("Postfix has sent everything", () => Task.FromResult((postfix.SentTo("far@elsewhere.test"), postfix.SentTo(bob)) == (2, 2)));
            Assert.Equal((2, 1, 1), (postfix.SentTo(bob), postfix.SentTo("asks@elsewhere.test"), postfix.SentTo("pest@elsewhere.test")));
        }
        // It is away again, and comes back as another.
        await _server.DeliverAsync(forwards, $"To: {forwards}\nMessage-ID: <late@x.test>\nSubject: late\n\nbody\n", sender: "late@elsewhere.test");
        await _server.Process.WaitForLineAsync("from=<late@elsewhere.test>");
        await using (PostfixServer postfix = await PostfixServer.StartAsync(_server.Lmtp.Port, port: node.Relay))
        {
            Assert.Contains("status=sent", await postfix.OutcomeAsync("far@elsewhere.test"));
            Assert.Contains("status=sent", await postfix.OutcomeAsync(bob));
            await Eventually.Async("The outbox is empty", async () => await WaitingAsync() == 0);
            Assert.Equal((1, 1, 0), (postfix.SentTo("far@elsewhere.test"), postfix.SentTo(bob), postfix.SentTo("asks@elsewhere.test")));
        }
    }

    /// <summary>Messages that wait to leave.</summary>
    private async Task<long> WaitingAsync()
    {
        await using var database = NpgsqlDataSource.Create(_server.ConnectionString + ";Pooling=false");
        await using NpgsqlCommand count = database.CreateCommand("select count(*) from mail.outbox");
        return (long)(await count.ExecuteScalarAsync())!;
    }

    private static async Task<SmtpClient> ConnectAsync(PostfixServer postfix)
    {
        var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", postfix.Port, SecureSocketOptions.None);
        return client;
    }

    private static MimeMessage Message(string from, string to)
    {
        var message = new MimeMessage { Subject = "services", Body = new TextPart("plain") { Text = new string('x', 200) } };
        message.From.Add(MailboxAddress.Parse(from));
        message.To.Add(MailboxAddress.Parse(to));
        return message;
    }

    private static async Task<string> RefusedAsync(SmtpClient client, string from, string to)
    {
        var refused = await Assert.ThrowsAsync<SmtpCommandException>(() => client.SendAsync(Message(from, to)));
        return refused.Message;
    }

    /// <summary>cluster-config/postfix of the working copy that the tests were built in.</summary>
    private static string ConfigFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string found = Path.Combine(folder.FullName, "cluster-config", "postfix");
            if (Directory.Exists(found))
                return found;
        }
        throw new DirectoryNotFoundException("cluster-config/postfix");
    }
}
