using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>swaks delivers over LMTP.</summary>
public sealed class SwaksTests(MailServer server)
{
    [Fact]
    public async Task A_reply_for_each_recipient()
    {
        Program.Need("swaks");
        string one = await server.AccountAsync(), two = await server.AccountAsync(), full = await server.AccountAsync(maxBytes: 200);
        string sub = two.Replace("@", "+junk@"), nowhere = one.Replace("@", "+nowhere@");
        (_, string output) = await Program.RunAsync(
            "swaks",
            ["--server", server.Lmtp.ToString(), "--protocol", "LMTP", "--from", "sender@elsewhere.example", "--to", string.Join(',', one, "nobody@test.example", full, sub, nowhere),
                "--header", "Subject: by swaks", "--body", "text"]);
        Assert.Contains($"<** 550 5.1.1 <nobody@test.example> ", output);
        string replies = output[output.IndexOf(" -> .\n", StringComparison.Ordinal)..];
        string[] got = [.. replies.Split('\n').Skip(1).TakeWhile(static l => l.StartsWith('<'))];
        Assert.Equal(4, got.Length);
        Assert.StartsWith($"<-  250 2.1.5 <{one}> delivered ", got[0]);
        Assert.StartsWith($"<** 552 5.2.2 <{full}> ", got[1]);
        Assert.StartsWith($"<-  250 2.1.5 <{sub}> delivered ", got[2]);
        Assert.StartsWith($"<-  250 2.1.5 <{nowhere}> delivered ", got[3]);

        // A sub-address that names a folder goes there, any other to INBOX.
        Assert.Equal(2, (await MessagesAsync(one, "INBOX")).Count);
        Assert.Empty(await MessagesAsync(two, "INBOX"));
        Assert.Empty(await MessagesAsync(full, "INBOX"));
        string text = Assert.Single(await MessagesAsync(two, "Junk"));
        Assert.Contains($"Return-Path: <sender@elsewhere.example>\r\nDelivered-To: {sub}\r\nReceived: from ", text);
        Assert.Contains("\r\nSubject: by swaks\r\n", text);
    }

    private async Task<IReadOnlyList<string>> MessagesAsync(string user, string mailbox)
    {
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await c.Run($"a EXAMINE {mailbox}");
        return [.. (await c.Run("b UID FETCH 1:* BODY.PEEK[]")).Where(static l => l.Contains(" FETCH ", StringComparison.Ordinal))];
    }
}
