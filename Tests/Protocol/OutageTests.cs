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

        server.Relay.Mend();
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
}
