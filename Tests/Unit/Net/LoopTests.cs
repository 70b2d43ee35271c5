using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

/// <summary>What wakes an event loop, which waits for its sockets itself, and in which order things are done.</summary>
public sealed class LoopTests
{
    [Fact]
    public async Task Many_sessions_woken_by_clients_and_by_other_threads_lose_nothing()
    {
        const int Clients = 40, Rounds = 200;
        // One loop for all: each session hops to the thread pool and back while the others keep the loop busy.
        await using var server = new NetServer(new NetServerOptions { EventLoops = 1 });
        var end = await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                var line = await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1));
                string text = Encoding.ASCII.GetString(line.Text);
                connection.Input.AdvanceTo(line.End);
                if (i % 2 == 0)
                {
                    await Task.Run(static () => { });
                }
                connection.Say(text);
            }
        }));
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            using var peer = await Peer.ConnectAsync(end);
            for (int i = 0; i < Rounds; i++)
            {
                await peer.SendAsync($"{client} {i}\r\n");
                Assert.Equal($"{client} {i}", await peer.LineAsync());
            }
            Assert.Null(await peer.LineAsync());
        }));
    }

    [Fact]
    public async Task More_than_a_loop_reads_at_a_time_arrives_whole_also_when_the_client_has_gone()
    {
        await using var server = new NetServer(new NetServerOptions { EventLoops = 1 });
        var received = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            long count = 0;
            while (true)
            {
                var read = await connection.Input.ReadAsync();
                count += read.Buffer.Length;
                connection.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    received.SetResult(count);
                    return;
                }
            }
        }));
        using (var peer = await Peer.ConnectAsync(end))
        {
            await peer.SendAsync(new byte[5_000_000]);
            peer.Socket.Shutdown(SocketShutdown.Send);
            Assert.Equal(5_000_000, await received.Task.WaitAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_burst_of_connections_is_accepted_and_spread_over_the_loops()
    {
        await using var server = new NetServer(new NetServerOptions { EventLoops = 2 });
        var threads = new ConcurrentDictionary<int, int>();
        var end = await server.ListenAsync(Doors.Loopback with { TrustedNetworks = Doors.TrustLoopback }, new Session(connection =>
        {
            threads.AddOrUpdate(Environment.CurrentManagedThreadId, 1, static (_, n) => n + 1);
            connection.Say("hello");
            return Task.CompletedTask;
        }));
        var peers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Peer.ConnectAsync(end)));
        foreach (var peer in peers)
        {
            using (peer)
            {
                Assert.Equal("hello", await peer.LineAsync());
            }
        }
        Assert.Equal([100, 100], threads.Values);
    }

    [Fact]
    public async Task A_loop_that_waits_for_nothing_ends_when_it_is_told_to()
    {
        var server = new NetServer();
        await server.ListenAsync(Doors.Loopback, Session.Echo());
        await server.DisposeAsync();
    }
}
