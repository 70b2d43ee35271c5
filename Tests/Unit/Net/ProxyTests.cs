using System.Buffers.Binary;
using System.Net;
using System.Security.Authentication;
using System.Text;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class ProxyTests
{
    private static readonly byte[] Signature = [13, 10, 13, 10, 0, 13, 10, (byte)'Q', (byte)'U', (byte)'I', (byte)'T', 10];

    private static readonly Session Who = new(async connection =>
    {
        connection.Say($"{connection.Remote} {connection.Local} {(connection.IsSecure ? "secure" : "plain")} {(connection.IsTrusted ? "trusted" : "stranger")}");
        var line = await connection.ReadLineAsync(200, TimeSpan.FromMinutes(1));
        if (line.Outcome == InputOutcome.Ok)
        {
            connection.Say(Encoding.Latin1.GetString(line.Text));
            connection.Input.AdvanceTo(line.End);
        }
    });

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 143\r\n", "192.0.2.7:56324 198.51.100.1:143 plain stranger")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 56324 143\r\n", "[2001:db8::7]:56324 [2001:db8::1]:143 plain stranger")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 1 2\r\n", "192.0.2.7:1 198.51.100.1:2 plain stranger")]
    [InlineData("PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n", "127.0.0.9:1 127.0.0.1:2 plain trusted")]
    public async Task Version_1_gives_the_clients_address(string header, string seen)
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Proxied, Who));
        await peer.SendAsync(header + "next\r\n");
        Assert.Equal(seen, await peer.LineAsync());
        Assert.Equal("next", await peer.LineAsync());
    }

    [Fact]
    public async Task A_header_may_come_byte_by_byte()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Proxied, Who);
        foreach (byte[] header in new[] { Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324 143\r\n"), Version2(0x21, 0x11, Ipv4) })
        {
            using var peer = await Peer.ConnectAsync(door);
            foreach (byte one in header)
            {
                await peer.SendAsync([one]);
            }
            Assert.Equal("192.0.2.7:56324 198.51.100.1:143 plain stranger", await peer.LineAsync());
        }
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n")]
    public async Task An_unknown_client_has_the_proxys_address(string header)
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Proxied, Who);
        using var peer = await Peer.ConnectAsync(door);
        await peer.SendAsync(header);
        Assert.Equal($"{peer.LocalEndPoint} {door} plain trusted", await peer.LineAsync());
    }

    [Fact]
    public async Task Version_2_gives_the_clients_address_and_its_tls()
    {
        await using var server = new NetServer();
        var facts = new TaskCompletionSource<TlsFacts?>();
        var door = await server.ListenAsync(Proxied, new Session(connection =>
        {
            facts.SetResult(connection.Tls);
            return Who.RunAsync(connection);
        }));
        using var peer = await Peer.ConnectAsync(door);
        byte[] ssl = [1, 0, 0, 0, 0, .. Value(0x21, "TLSv1.3"), .. Value(0x23, "TLS_AES_128_GCM_SHA256")];
        await peer.SendAsync([.. Version2(0x21, 0x11, [.. Ipv4, .. Value(0xE0, "skipped"), .. Value(0x02, "mail.test"), .. Value(0x20, ssl)]), .. "next\r\n"u8]);
        Assert.Equal("192.0.2.7:56324 198.51.100.1:143 secure stranger", await peer.LineAsync());
        Assert.Equal("next", await peer.LineAsync());
        Assert.Equal(new TlsFacts(SslProtocols.Tls13, "TLS_AES_128_GCM_SHA256", "mail.test", true), await facts.Task);
    }

    [Fact]
    public async Task Version_2_local_is_the_proxy_itself_and_ipv6_works()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Proxied, Who);
        using (var peer = await Peer.ConnectAsync(door))
        {
            await peer.SendAsync(Version2(0x20, 0x00, []));
            Assert.Equal($"{peer.LocalEndPoint} {door} plain trusted", await peer.LineAsync());
        }
        using (var peer = await Peer.ConnectAsync(door))
        {
            byte[] addresses = [.. IPAddress.Parse("2001:db8::7").GetAddressBytes(), .. IPAddress.Parse("2001:db8::1").GetAddressBytes(), 0, 1, 0, 2];
            await peer.SendAsync(Version2(0x21, 0x21, addresses));
            Assert.Equal("[2001:db8::7]:1 [2001:db8::1]:2 plain stranger", await peer.LineAsync());
        }
    }

    public static TheoryData<byte[]> Bad => new(
        Encoding.ASCII.GetBytes("a1 CAPABILITY\r\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 2001:db8::7 198.51.100.1 1 2\r\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 " + new string('1', 200)),
        Version2(0x11, 0x11, Ipv4),
        Version2(0x22, 0x11, Ipv4),
        Version2(0x21, 0x11, [1, 2, 3]),
        Version2(0x21, 0x99, Ipv4),
        Version2(0x21, 0x11, new byte[5000]),
        [.. Signature[..5], 1]);

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_trusted_peer_without_a_valid_header_is_closed(byte[] bytes)
    {
        bool ran = false;
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Proxied, new Session(_ =>
        {
            ran = true;
            return Task.CompletedTask;
        })));
        await peer.SendAsync(bytes);
        Assert.True(await peer.IsClosedAsync());
        Assert.False(ran);
    }

    [Fact]
    public async Task A_header_that_does_not_come_in_time_closes()
    {
        var clock = new FakeClock();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Proxied, Who));
        await peer.SendAsync("PROXY TC");
        var closed = peer.IsClosedAsync();
        while (!closed.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(6));
            await Task.Yield();
        }
        Assert.True(await closed);
    }

    [Fact]
    public async Task A_strangers_header_is_only_a_strange_line()
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ProxyProtocol = true, TrustedNetworks = [IPNetwork.Parse("203.0.113.0/24")] }, Who);
        using var peer = await Peer.ConnectAsync(door);
        await peer.SendAsync("PROXY TCP4 203.0.113.9 198.51.100.1 1 2\r\n");
        Assert.Equal($"{peer.LocalEndPoint} {door} plain stranger", await peer.LineAsync());
        Assert.Equal("PROXY TCP4 203.0.113.9 198.51.100.1 1 2", await peer.LineAsync());
    }

    [Fact]
    public async Task Tls_may_follow_the_header()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Proxied with { ImplicitTls = true }, Who, Doors.Certificate));
        await peer.SendAsync("PROXY TCP4 192.0.2.7 198.51.100.1 56324 143\r\n");
        await peer.StartTlsAsync();
        Assert.Equal("192.0.2.7:56324 198.51.100.1:143 secure stranger", await peer.LineAsync());
    }

    private static byte[] Ipv4 => [192, 0, 2, 7, 198, 51, 100, 1, 220, 4, 0, 143];

    private static ListenerOptions Proxied => Doors.Loopback with { ProxyProtocol = true, TrustedNetworks = Doors.TrustLoopback };

    private static byte[] Version2(byte versionAndCommand, byte family, byte[] rest)
    {
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)rest.Length);
        return [.. Signature, versionAndCommand, family, .. length, .. rest];
    }

    private static byte[] Value(byte type, string text) => Value(type, Encoding.ASCII.GetBytes(text));

    private static byte[] Value(byte type, byte[] bytes) => [type, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
}
