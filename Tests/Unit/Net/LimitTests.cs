using System.Net;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class LimitTests
{
    private static readonly Session Login = new(async connection =>
    {
        connection.Say("hello");
        while (true)
        {
            var line = await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1));
            if (line.Outcome != InputOutcome.Ok)
            {
                return;
            }
            connection.Input.AdvanceTo(line.End);
            connection.LoggedIn();
            connection.Say("in");
        }
    });

    [Fact]
    public async Task One_address_may_have_so_many_connections_before_login()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { MaxConnectionsPerAddress = 2 }, Login);
        using var first = await Peer.ConnectAsync(door);
        using var second = await Peer.ConnectAsync(door);
        Assert.Equal("hello", await first.LineAsync());
        Assert.Equal("hello", await second.LineAsync());
        using (var third = await Peer.ConnectAsync(door))
        {
            Assert.Equal("* BYE TooManyFromAddress", await third.LineAsync());
            Assert.Null(await third.LineAsync());
        }
        await first.SendAsync("login\r\n");
        Assert.Equal("in", await first.LineAsync());
        // Logging in twice gives back one place, not two.
        await first.SendAsync("login\r\n");
        Assert.Equal("in", await first.LineAsync());
        using var fourth = await Peer.ConnectAsync(door);
        Assert.Equal("hello", await fourth.LineAsync());
        using var fifth = await Peer.ConnectAsync(door);
        Assert.Equal("* BYE TooManyFromAddress", await fifth.LineAsync());
    }

    [Fact]
    public async Task Trusted_networks_are_exempt_and_a_proxys_clients_are_not()
    {
        await using var server = new NetServer();
        var trusting = Doors.Loopback with { MaxConnectionsPerAddress = 1, TrustedNetworks = Doors.TrustLoopback };
        var door = await server.ListenAsync(trusting, Login);
        using var first = await Peer.ConnectAsync(door);
        using var second = await Peer.ConnectAsync(door);
        Assert.Equal("hello", await first.LineAsync());
        Assert.Equal("hello", await second.LineAsync());

        door = await server.ListenAsync(trusting with { ProxyProtocol = true }, Login);
        using var third = await Peer.ConnectAsync(door);
        await third.SendAsync("PROXY TCP6 2001:db8::1 2001:db8:f::1 1 2\r\n");
        Assert.Equal("hello", await third.LineAsync());
        using var sameNetwork = await Peer.ConnectAsync(door);
        await sameNetwork.SendAsync("PROXY TCP6 2001:db8::ffff:1 2001:db8:f::1 1 2\r\n");
        Assert.Equal("* BYE TooManyFromAddress", await sameNetwork.LineAsync());
        using var other = await Peer.ConnectAsync(door);
        await other.SendAsync("PROXY TCP6 2001:db8:0:1::1 2001:db8:f::1 1 2\r\n");
        Assert.Equal("hello", await other.LineAsync());
    }

    [Fact]
    public async Task A_listener_has_so_many_connections()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { MaxConnections = 1 }, Login);
        using var first = await Peer.ConnectAsync(door);
        Assert.Equal("hello", await first.LineAsync());
        using var second = await Peer.ConnectAsync(door);
        Assert.Equal("* BYE TooManyConnections", await second.LineAsync());
    }

    [Fact]
    public async Task All_listeners_together_have_so_many_connections()
    {
        await using var server = new NetServer(new NetServerOptions { MaxConnections = 1 });
        var (one, other) = (await server.ListenAsync(Doors.Loopback, Login), await server.ListenAsync(Doors.Loopback, Login));
        using var first = await Peer.ConnectAsync(one);
        Assert.Equal("hello", await first.LineAsync());
        using var second = await Peer.ConnectAsync(other);
        Assert.Equal("* BYE TooManyConnections", await second.LineAsync());
    }
}
