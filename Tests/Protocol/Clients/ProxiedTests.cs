using System.Text;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>A node behind a proxy that names the clients' addresses.</summary>
public sealed class ProxiedTests(ProxiedServer server) : IClassFixture<ProxiedServer>
{
    [Fact]
    public async Task Passwords_from_elsewhere_want_TLS()
    {
        string user = await server.Node.AccountAsync();
        await using ImapClient c = await server.ConnectAsync("PROXY TCP4 192.0.2.7 192.0.2.1 40000 143\r\n");
        await c.Expect("* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE STARTTLS LOGINDISABLED] …");
        await c.Send($"a LOGIN {user} \"{MailServer.Password}\"");
        await c.Expect("a NO [PRIVACYREQUIRED] …");
        await c.Send("b AUTHENTICATE PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{MailServer.Password}")));
        await c.Expect("b NO [PRIVACYREQUIRED] …");
        await c.Send("c STARTTLS");
        await c.Expect("c OK …");
        await c.StartTls();
        await c.Send("d CAPABILITY");
        await c.Expect("* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN", "d OK …");
        await c.Run($"e LOGIN {user} \"{MailServer.Password}\"");
        string log = await server.Node.Process.WaitForLineAsync($"user={user}");
        Assert.Contains("192.0.2.7", log);
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n", true)]
    [InlineData("PROXY TCP4 127.0.0.1 127.0.0.1 40000 143\r\n", true)]
    [InlineData("PROXY TCP6 ::1 ::1 40000 143\r\n", true)]
    [InlineData("PROXY TCP4 300.0.2.7 192.0.2.1 40000 143\r\n", false)]
    [InlineData("a NOOP\r\n", false)]
    public async Task Headers_good_and_bad(string header, bool good)
    {
        await server.Node.AccountAsync();
        await using ImapClient c = await server.ConnectAsync(header);
        if (good)
            await c.Expect("* OK …");
        else
            await c.Closed();
    }

    /// <summary>At a node of little patience, which others would miss on a busy machine.</summary>
    [Fact]
    public async Task A_client_that_says_nothing_is_shown_out()
    {
        await using var impatient = new ProxiedServer(("Limits:LoginSeconds", 5));
        await impatient.Node.AccountAsync();
        // In one piece: nothing is sent to who may have closed.
        await using ImapClient silent = await impatient.ConnectAsync("PROXY TCP4 192.0.2.8 192.0.2.1 40000 143\r\n"),
            dawdling = await impatient.ConnectAsync("PROXY TCP4 192.0.2.9 192.0.2.1 40000 143\r\na LOGI");
        foreach (ImapClient c in new[] { silent, dawdling })
        {
            await c.Expect("* OK …", "* BYE You took too long to log in");
            await c.Closed();
        }
    }
}

/// <summary>The node; one for all of these tests but one.</summary>
public sealed class ProxiedServer : IAsyncLifetime
{
    public ProxiedServer()
        : this([])
    {
    }

    internal ProxiedServer(params (string Path, object Value)[] further) =>
        Node = MailServer.With([("Listen:ProxyProtocol", true), ("Listen:TrustedNetworks:0", "127.0.0.0/8"), .. further]);

    public MailServer Node { get; }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<ImapClient> ConnectAsync(string header)
    {
        ImapClient c = await ImapClient.ConnectSilentlyAsync(Node.Imap);
        await c.SendRaw(header);
        return c;
    }

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
