using MailCluster.Contracts;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Mta;

/// <summary>The Dovecot authentication protocol, as Postfix and Exim speak it.</summary>
public sealed class DovecotAuthTests
{
    private static string Plain(string user, string password) => MtaStage.Base64($"\0{user}\0{password}");

    [Fact]
    public async Task The_server_says_what_it_speaks()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.ConnectAsync(stage.Auth);
        Assert.Equal("VERSION\t1\t2", await postfix.LineAsync());
        Assert.Equal("MECH\tSCRAM-SHA-256", await postfix.LineAsync());
        Assert.Equal("MECH\tPLAIN\tplaintext", await postfix.LineAsync());
        Assert.Equal("MECH\tLOGIN\tplaintext", await postfix.LineAsync());
        Assert.Equal($"SPID\t{Environment.ProcessId}", await postfix.LineAsync());
        Assert.Matches("^CUID\t[0-9]+$", await postfix.LineAsync());
        Assert.Matches("^COOKIE\t[0-9a-f]{32}$", await postfix.LineAsync());
        Assert.Equal("DONE", await postfix.LineAsync());
    }

    [Fact]
    public async Task PLAIN_with_its_response_and_LOGIN_by_steps()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.AuthAsync();
        await postfix.SendAsync($"AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=192.0.2.7\tsecured\tresp={Plain("ann@demo.test", "secret")}\n");
        Assert.Equal("OK\t1\tuser=ann@demo.test", await postfix.LineAsync());
        await postfix.SendAsync("AUTH\t2\tLOGIN\tservice=smtp\n");
        Assert.Equal("CONT\t2\t" + MtaStage.Base64("Username:"), await postfix.LineAsync());
        await postfix.SendAsync($"CONT\t2\t{MtaStage.Base64("bob@demo.test")}\n");
        Assert.Equal("CONT\t2\t" + MtaStage.Base64("Password:"), await postfix.LineAsync());
        await postfix.SendAsync($"CONT\t2\t{MtaStage.Base64("secret")}\n");
        Assert.Equal("OK\t2\tuser=bob@demo.test", await postfix.LineAsync());
        // It was only asked.
        Assert.Equal(0, stage.Sessions);
        Assert.Contains(stage.Log.Lines, static l => l.StartsWith("login ok user=ann@demo.test protocol=smtp mechanism=PLAIN address=192.0.2.7 ", StringComparison.Ordinal));
        Assert.DoesNotContain(stage.Log.Lines, static l => l.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals()
    {
        await using var stage = new MtaStage();
        using Peer exim = await stage.AuthAsync();
        await exim.SendAsync($"AUTH\t1\tPLAIN\tresp={Plain("ann@demo.test", "wrong")}\n");
        Assert.Equal("FAIL\t1\treason=Authentication failed.", await exim.LineAsync());
        await exim.SendAsync($"AUTH\t2\tPLAIN\tresp={Plain("nobody@demo.test", "secret")}\n");
        Assert.Equal("FAIL\t2\treason=Authentication failed.", await exim.LineAsync());
        await exim.SendAsync("AUTH\t3\tCRAM-MD5\n");
        Assert.StartsWith("FAIL\t3\treason=", await exim.LineAsync());
        await exim.SendAsync("AUTH\t4\tPLAIN\tresp=no base64\n");
        Assert.StartsWith("FAIL\t4\treason=", await exim.LineAsync());
        await exim.SendAsync("CONT\t77\tAAAA\n");
        Assert.StartsWith("FAIL\t77\treason=", await exim.LineAsync());
        stage.Ann.Answer = new MailError(MailErrorCode.AuthorizationFailed, "Log-in is\tswitched off.");
        await exim.SendAsync($"AUTH\t5\tPLAIN\tresp={Plain("ann@demo.test", "secret")}\n");
        Assert.Equal("FAIL\t5\tauthz\treason=Log-in is\u0001tswitched off.", await exim.LineAsync());
        // 454, try again, and not 535, wrong password.
        stage.Ann.Answer = new MailError(MailErrorCode.Unavailable, "Away.");
        await exim.SendAsync($"AUTH\t6\tPLAIN\tresp={Plain("ann@demo.test", "secret")}\n");
        Assert.StartsWith("FAIL\t6\ttemp\treason=", await exim.LineAsync());
    }

    [Fact]
    public async Task A_cancelled_request_is_gone_and_what_is_unknown_is_passed_over()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.AuthAsync();
        await postfix.SendAsync("AUTH\t1\tLOGIN\nCANCEL\t1\nFUTURE\tx\nCONT\t1\tAAAA\n");
        Assert.StartsWith("CONT\t1\t", await postfix.LineAsync());
        Assert.StartsWith("FAIL\t1\t", await postfix.LineAsync());
    }

    [Fact]
    public async Task Waiting_exchanges_are_bounded()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.AuthAsync();
        for (int i = 1; i <= 100; i++)
        {
            await postfix.SendAsync($"AUTH\t{i}\tLOGIN\n");
            Assert.StartsWith(i <= 64 ? "CONT" : "FAIL", await postfix.LineAsync());
        }
    }

    [Theory]
    [InlineData("VERSION\t2\t0\n")]
    [InlineData("AUTH\t1\tPLAIN\n")]
    [InlineData("VERSION\t1\t1\nAUTH\tx\tPLAIN\n")]
    [InlineData("VERSION\t1\t1\nAUTH\n")]
    [InlineData("VERSION\t1\t1\nCONT\t1\n")]
    [InlineData("EHLO x\r\n")]
    [InlineData("\xFF\xFE\n")]
    public async Task Another_protocol_ends_the_connection(string text)
    {
        await using var stage = new MtaStage();
        using Peer peer = await stage.ConnectAsync(stage.Auth);
        while (await peer.LineAsync() != "DONE")
        {
        }
        await peer.SendAsync(text);
        Assert.True(await peer.IsClosedAsync());
    }
}
