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

    [Fact]
    public async Task Takes_a_handshake_in_small_pieces_and_large_answers()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, new Session(async connection =>
        {
            for (int i = 0; i < 64; i++)
            {
                connection.Output.GetSpan(100_000)[..100_000].Fill((byte)i);
                connection.Output.Advance(100_000);
                await connection.Output.FlushAsync();
            }
        }), Doors.Certificate);
        using var peer = await Peer.ConnectAsync(door);
        var tls = await peer.StartTlsAsync();
        byte[] block = new byte[100_000];
        for (int i = 0; i < 64; i++)
        {
            await tls.ReadExactlyAsync(block);
            Assert.Equal(-1, block.AsSpan().IndexOfAnyExcept((byte)i));
        }
        Assert.Equal(0, await tls.ReadAsync(block));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("a1 LOGIN user secret\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0")]
    public async Task Closes_quietly_what_is_no_tls(string garbage)
    {
        bool ran = false;
        await using var server = new NetServer();
        var session = new Session(_ =>
        {
            ran = true;
            return Task.CompletedTask;
        });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, session, Doors.Certificate));
        await peer.SendAsync(garbage);
        byte[] rest = new byte[1000];
        try
        {
            while (await peer.Stream.ReadAsync(rest) > 0)
            {
                // At most a TLS alert.
            }
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }
        Assert.False(ran);
    }

    [Fact]
    public async Task Refuses_tls_1_1()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, Session.Echo(), Doors.Certificate));
        // A ClientHello of TLS 1.1 by hand: this machine's own TLS would not send one.
        byte[] hello = [22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2, .. new byte[32], 0, 0, 2, 0, 0x2f, 1, 0];
        await peer.SendAsync(hello);
        byte[] alert = new byte[7];
        await peer.Stream.ReadExactlyAsync(alert);
        // Alert, fatal, protocol_version (RFC 8446 section 6).
        Assert.Equal((21, 2, 70), (alert[0], alert[5], alert[6]));
        Assert.True(await peer.IsClosedAsync());
    }

    [Fact]
    public async Task A_client_that_vanishes_without_close_notify_has_just_closed()
    {
        var outcome = new TaskCompletionSource<InputOutcome>();
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, new Session(async connection =>
        {
            outcome.SetResult((await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1))).Outcome);
        }), Doors.Certificate);
        var peer = await Peer.ConnectAsync(door);
        await peer.StartTlsAsync();
        peer.Dispose();
        Assert.Equal(InputOutcome.Closed, await outcome.Task);
    }
}
