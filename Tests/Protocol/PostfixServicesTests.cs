using System.Text.RegularExpressions;
using MailCluster.Contracts;
using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>A real Postfix asks us: whether a submission's log-in is right, which domains and recipients there are, whose an address is, and whether mail would be refused.</summary>
public sealed class PostfixServicesTests : IAsyncLifetime
{
    private readonly int _auth = FreePorts.Next(), _policy = FreePorts.Next(), _socketmap = FreePorts.Next();
    private readonly MailServer _server;

    public PostfixServicesTests() => _server = MailServer.With(
        ("Listen:DovecotAuth:0", $"127.0.0.1:{_auth}"), ("Listen:Policy:0", $"127.0.0.1:{_policy}"), ("Listen:Socketmap:0", $"127.0.0.1:{_socketmap}"));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Submission_look_ups_and_policy()
    {
        string ann = await _server.AccountAsync(), bob = await _server.AccountAsync(), full = await _server.AccountAsync(maxBytes: 100), closed = await _server.AccountAsync();
        Assert.True((await _server.Tenants.SetAliasAsync("team@test.example", [ann, bob])).IsOk);
        Assert.True((await _server.Accounts.SetStateAsync(closed, null, DeliveryState.Refused)).IsOk);
        // The lines of cluster-config/postfix, with the ports of this test.
        string settings = Regex.Replace(await File.ReadAllTextAsync(Path.Combine(ConfigFolder(), "services.cf")), @"127\.0\.0\.1:(\d+)", m => "127.0.0.1:" + m.Groups[1].Value switch
        {
            "12345" => $"{_auth}",
            "12346" => $"{_policy}",
            _ => $"{_socketmap}",
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
