using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>What no client should send, and the answer that it gets.</summary>
public sealed class BadInputTests(MailServer server)
{
    [Fact]
    public async Task Before_a_log_in_there_is_little_patience()
    {
        await server.AccountAsync();
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.Send("GET / HTTP/1.1", "Host: example.org", "User-Agent: x");
        await c.Expect("GET BAD …", "… BAD …", "… BAD …", "* BYE …");
        await c.Closed();
    }

    [Fact]
    public async Task A_literal_of_a_gigabyte_is_not_waited_for()
    {
        await server.AccountAsync();
        await using ImapClient c = await ImapClient.ConnectAsync(server.Imap);
        await c.Send("a LOGIN {1073741824}");
        await c.Expect("a BAD …");
        await c.Send("b LOGIN {1073741824+}");
        await c.Expect("* BYE …");
        await c.Closed();
    }

    [Fact]
    public async Task A_logged_in_client_may_be_wrong_for_a_while()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send(
            "a FETCH 1 FLAGS", "b STORE", "c CREATE \"a\0b\"", "d CREATE a\u00e9b", "e CREATE \"unfinished", "f NOOP NOOP", "g AUTHENTICATE PLAIN",
            "h LIST \"\" *(", "i APPEND INBOX", "j STATUS INBOX ()", "k UID NOOP", "l SELECT INBOX (NONSENSE)", "m CREATE " + new string('x', 70_000));
        foreach (char tag in "abcdefghijklm")
            await c.Expect($"{tag} BAD …");
        await c.Run("n NOOP");
        for (int i = 0; i < 20; i++)
            await c.Send("o NONSENSE");
        for (int i = 0; i < 20; i++)
            await c.Expect("o BAD …");
        await c.Expect("* BYE …");
        await c.Closed();
    }

    [Fact]
    public async Task A_connection_that_ends_inside_a_message_stores_nothing()
    {
        ImapClient[] c = await server.SelectedAsync(2);
        await c[1].SendRaw("a APPEND INBOX {1000000+}\r\nSubject: half\r\n");
        await c[1].DisposeAsync();
        await c[2].Send("b NOOP");
        await c[2].Expect("b OK …");
    }

    [Fact]
    public async Task Commands_that_were_sent_together_are_answered_in_order()
    {
        ImapClient c = (await server.SessionsAsync(1))[1];
        await c.Send([.. Enumerable.Range(0, 500).Select(static i => $"t{i} NOOP")]);
        for (int i = 0; i < 500; i++)
            await c.Expect($"t{i} OK NOOP completed");
    }
}
