using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>PostgreSQL can't be reached for a while.</summary>
public sealed class OutageTests
{
    private static readonly (string, object)[] _impatient = [("Limits:CommandSeconds", 2)];

    [Fact]
    public async Task Sessions_outlive_an_outage_of_PostgreSQL()
    {
        await using MailServer server = MailServer.WithRelay(_impatient);
        ImapClient[] c = await server.SelectedAsync(4, messages: 2);
        string other = await server.AccountAsync();
        await c[4].Send("i IDLE");
        await c[4].Expect("+ …");
        server.Relay!.Cut();
        await Task.WhenAll(
            c[1].Send("a STATUS Sent (MESSAGES)", "a2 CAPABILITY"), c[2].Send("b STORE 1 +FLAGS (\\Seen)"), c[3].Send("c APPEND INBOX {3+}", "abc"));
        await c[1].No("a", "[UNAVAILABLE] …");
        // What needs no rows is answered as ever.
        await c[1].Ok("a2");
        await c[2].No("b", "[UNAVAILABLE] …");
        await c[3].No("c", "[UNAVAILABLE] …");
        await using (ImapClient late = await ImapClient.ConnectAsync(server.Imap))
        {
            await late.Send($"l LOGIN {other} \"{MailServer.Password}\"");
            await late.No("l", "[UNAVAILABLE] …");
        }

        await MendAsync(server, other);
        await c[1].Run("a STATUS Sent (MESSAGES)");
        await c[2].Send("b STORE 1 +FLAGS (\\Flagged)");
        await c[2].Expect("* 1 FETCH (FLAGS (…\\Flagged…))", "b OK …");
        Assert.Equal("* 3 EXISTS", (await c[3].Append("c", "INBOX", "abc"))[0]);
        await c[1].Send("d NOOP");
        Assert.Equal("* 3 EXISTS", (await c[1].Ok("d"))[0]);
        await c[4].Expect("* 1 FETCH …", "* 3 EXISTS");
        await c[4].Send("DONE");
        await c[4].Ok("i");
        await using ImapClient again = await ImapClient.LoggedInAsync(server.Imap, other, MailServer.Password);
    }

    [Fact]
    public async Task Deliveries_are_put_off_in_an_outage_of_PostgreSQL_and_none_is_lost_or_doubled()
    {
        await using MailServer server = MailServer.WithRelay(_impatient);
        string user = await server.AccountAsync(), other = await server.AccountAsync();
        await using ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(server.Lmtp);
        await lmtp.Send("LHLO t", "MAIL FROM:<s@x.test>", $"RCPT TO:<{user}>", "DATA");
        await lmtp.Expect("220 …", "250-…", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250-STARTTLS", "250 SIZE …");
        await lmtp.Expect("250 2.1.0 …", "250 2.1.5 …", "354 …");
        server.Relay!.Cut();
        await lmtp.SendRaw("Subject: late\r\n\r\nlate\r\n.\r\n");
        await lmtp.Expect("451 4.3.0 …");
        await lmtp.Send("MAIL FROM:<s@x.test>", $"RCPT TO:<{other}>", "RSET");
        await lmtp.Expect("250 2.1.0 …", "451 4.3.0 …", "250 …");

        await MendAsync(server, user);
        foreach (string recipient in new[] { user, other })
        {
            await lmtp.Send("MAIL FROM:<s@x.test>", $"RCPT TO:<{recipient}>", "DATA");
            await lmtp.Expect("250 2.1.0 …", "250 2.1.5 …", "354 …");
            await lmtp.SendRaw("Subject: late\r\n\r\nlate\r\n.\r\n");
            await lmtp.Expect("250 2.1.5 …");
            await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, recipient, MailServer.Password);
            Assert.Contains("* STATUS \"INBOX\" (MESSAGES 1)", await imap.Run("s STATUS INBOX (MESSAGES)"));
        }
    }

    /// <summary>PostgreSQL is back, and the node has noticed: on a busy machine that takes longer than the short time of a command here.</summary>
    private static async Task MendAsync(MailServer server, string user)
    {
        server.Relay!.Mend();
        await Eventually.Async("the node has no PostgreSQL", async () =>
        {
            await using ImapClient client = await ImapClient.ConnectAsync(server.Imap);
            await client.Send($"l LOGIN {user} \"{MailServer.Password}\"", "s STATUS INBOX (MESSAGES)");
            string answer;
            do
                answer = await client.Line();
            while (!answer.StartsWith("s ", StringComparison.Ordinal));
            return answer.StartsWith("s OK", StringComparison.Ordinal);
        });
    }
}
