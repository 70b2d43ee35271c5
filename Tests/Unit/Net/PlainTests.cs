using System.Net.Sockets;
using System.Text;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class PlainTests
{
    [Fact]
    public async Task Answers_lines_in_order_and_closes_after_the_last()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo()));
        Assert.Equal("hello", await peer.LineAsync());
        await peer.SendAsync("one\r\ntwo\nthree");
        Assert.Equal("one", await peer.LineAsync());
        Assert.Equal("two", await peer.LineAsync());
        await peer.SendAsync("\r\nQUIT\r\nafter\r\n");
        Assert.Equal("three", await peer.LineAsync());
        Assert.Equal("QUIT", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
    }

    [Fact]
    public async Task Answers_what_came_before_the_client_ended_its_side()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo()));
        await peer.SendAsync("one\r\ntwo\r\nunfinished");
        peer.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(["hello", "one", "two", "BYE Closed"], await AllLinesAsync(peer));
    }

    [Fact]
    public async Task Swallows_a_line_that_is_too_long_and_goes_on_behind_it()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo()));
        await peer.SendAsync(new string('x', 200_000) + "\r\n" + new string('y', 1000) + "\r\n" + new string('z', 1001) + "\r\nQUIT\r\n");
        Assert.Equal(["hello", "BYE TooLong", new string('y', 1000), "BYE TooLong", "QUIT"], await AllLinesAsync(peer));
    }

    [Fact]
    public async Task A_line_without_end_is_a_flood_and_the_client_still_gets_the_answer()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo()));
        await peer.SendAsync(Encoding.ASCII.GetBytes(new string('x', 1_100_000)));
        Assert.Equal(["hello", "BYE Flood"], await AllLinesAsync(peer));
    }

    private static async Task<List<string>> AllLinesAsync(Peer peer)
    {
        var lines = new List<string>();
        while (await peer.LineAsync() is { } line)
        {
            lines.Add(line);
        }
        return lines;
    }
}
