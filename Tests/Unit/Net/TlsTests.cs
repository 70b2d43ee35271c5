using System.Security.Authentication;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class TlsTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Speaks_tls_from_the_first_byte_and_ends_it_with_close_notify(SslProtocols version)
    {
        var facts = new TaskCompletionSource<TlsFacts?>();
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, new Session(async connection =>
        {
            facts.SetResult(connection.Tls);
            connection.Say(connection.IsSecure ? "secure" : "plain");
            var line = await connection.ReadLineAsync(100, TimeSpan.FromSeconds(30));
            connection.Input.AdvanceTo(line.End);
            connection.Say("bye");
        }), Doors.Certificate);
        using var peer = await Peer.ConnectAsync(door);
        await peer.StartTlsAsync(version);
        Assert.Equal("secure", await peer.LineAsync());
        var tls = await facts.Task;
        Assert.Equal((version, "mail.test", false), (tls!.Protocol, tls.ServerName, tls.Offloaded));
        await peer.SendAsync("x\r\n");
        Assert.Equal("bye", await peer.LineAsync());
        // An end without close_notify would be an exception here.
        Assert.Null(await peer.LineAsync());
    }

    [Fact]
    public async Task Starts_tls_on_a_plain_connection()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo(), Doors.Certificate));
        Assert.Equal("hello", await peer.LineAsync());
        await peer.SendAsync("plain\r\nSTARTTLS\r\n");
        Assert.Equal("plain", await peer.LineAsync());
        Assert.Equal("begin", await peer.LineAsync());
        await peer.StartTlsAsync();
        string large = new('l', 900);
        for (int i = 0; i < 200; i++)
        {
            await peer.SendAsync(large + i + "\r\n");
            Assert.Equal(large + i, await peer.LineAsync());
        }
        await peer.SendAsync("QUIT\r\n");
        Assert.Equal("QUIT", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
    }

    [Fact]
    public async Task Sees_plain_text_that_was_injected_behind_starttls()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo(), Doors.Certificate));
        Assert.Equal("hello", await peer.LineAsync());
        await peer.SendAsync("STARTTLS\r\nevil\r\n");
        Assert.Equal("BYE injected", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
    }
}
