using System.Net.Sockets;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

/// <summary>Alone: it looks at the memory of the whole process.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class MeasuresMemory;

[Collection<MeasuresMemory>]
public sealed class IdleTests
{
    [Fact]
    public async Task Two_thousand_idle_connections_are_small_and_alive()
    {
        const int count = 2000;
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { MaxConnectionsPerAddress = count }, Session.Echo());
        using (var warm = await Peer.ConnectAsync(door))
        {
            Assert.Equal("hello", await warm.LineAsync());
        }
        var sockets = new Socket[count];
        byte[] buffer = new byte[100];
        // The clients' own sockets count for next to nothing: no streams, no buffers.
        for (int i = 0; i < count; i++)
        {
            sockets[i] = new(door.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        }
        long before = Settled();
        for (int i = 0; i < count; i++)
        {
            await sockets[i].ConnectAsync(door);
            Assert.Equal("hello\r\n".Length, await sockets[i].ReceiveAsync(buffer));
        }
        long each = (Settled() - before) / count;
        TestContext.Current.TestOutputHelper!.WriteLine($"{each} bytes a connection, both ends");
        // Less than nothing where an earlier test's memory goes only now; the test is exact when it runs alone.
        Assert.True(each < 8192, $"{each} bytes a connection");
        Assert.InRange(server.ConnectionCount, count, count + 1);
        for (int i = 0; i < count; i++)
        {
            await sockets[i].SendAsync("ping\r\n"u8.ToArray());
            Assert.Equal("ping\r\n".Length, await sockets[i].ReceiveAsync(buffer));
            sockets[i].Dispose();
        }
    }

    private static long Settled()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
