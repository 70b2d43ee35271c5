using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>PostgreSQL can't be reached for a while.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Sessions_outlive_an_outage_of_PostgreSQL()
    {
        await using MailServer server = MailServer.WithRelay();
        ImapClient[] c = await server.SelectedAsync(3, messages: 2);
        server.Relay!.Cut();
        await Task.WhenAll(c[1].Send("a STATUS Sent (MESSAGES)"), c[2].Send("b STORE 1 +FLAGS (\\Seen)"), c[3].Send("c APPEND INBOX {3+}", "abc"));
        await c[1].No("a", "[UNAVAILABLE] …");
        await c[2].No("b", "[UNAVAILABLE] …");
        await c[3].No("c", "[UNAVAILABLE] …");

        server.Relay.Mend();
        await c[1].Run("a STATUS Sent (MESSAGES)");
        await c[2].Send("b STORE 1 +FLAGS (\\Flagged)");
        await c[2].Expect("* 1 FETCH (FLAGS (…\\Flagged…))", "b OK …");
        Assert.Equal("* 3 EXISTS", (await c[3].Append("c", "INBOX", "abc"))[0]);
        await c[1].Send("d NOOP");
        Assert.Equal("* 3 EXISTS", (await c[1].Ok("d"))[0]);
    }
}
