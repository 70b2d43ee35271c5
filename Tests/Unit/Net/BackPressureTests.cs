using System.Buffers;
using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class BackPressureTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(30);

    [Fact]
    public async Task A_session_waits_for_a_client_that_does_not_read()
    {
        const int block = 32 * 1024, blocks = 2000;
        int flushed = 0;
        var waits = new TaskCompletionSource();
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            for (int i = 0; i < blocks; i++)
            {
                connection.Output.GetSpan(block)[..block].Fill((byte)(i % 251));
                connection.Output.Advance(block);
                var flush = connection.Output.FlushAsync();
                if (!flush.IsCompleted)
                {
                    waits.TrySetResult();
                }
                await flush;
                Volatile.Write(ref flushed, i + 1);
            }
        })));
        await waits.Task;
        // 64 MB are on offer; what is out is what the kernel's buffers and one high-water mark take.
        Assert.InRange(Volatile.Read(ref flushed), 1, blocks / 2);
        byte[] buffer = new byte[block];
        for (int i = 0; i < blocks; i++)
        {
            await peer.Stream.ReadExactlyAsync(buffer);
            Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept((byte)(i % 251)));
        }
        Assert.Null(await peer.LineAsync());
    }

    [Fact]
    public async Task What_is_sent_arrives_once_and_in_order_however_the_client_reads()
    {
        const int blocks = 2000, clients = 8;
        // Some of each size around the marks at which the channel says stop and go.
        static int Size(int i) => 10_000 + (i * 7919 % 30_000);
        await using var server = new NetServer();
        var endpoint = await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            for (int i = 0; i < blocks; i++)
            {
                connection.Output.GetSpan(Size(i))[..Size(i)].Fill((byte)(i % 251));
                connection.Output.Advance(Size(i));
                await connection.Output.FlushAsync();
            }
        }));
        await Task.WhenAll(Enumerable.Range(1, clients).Select(async seed =>
        {
            var random = new Random(seed);
            using var peer = await Peer.ConnectAsync(endpoint);
            byte[] buffer = new byte[Size(0) + 30_000];
            for (int i = 0; i < blocks; i++)
            {
                // Sometimes the server is ahead by all that the kernel takes, sometimes it is waited for.
                if (random.Next(4) == 0)
                {
                    await Task.Delay(random.Next(3));
                }
                await peer.Stream.ReadExactlyAsync(buffer.AsMemory(0, Size(i)));
                Assert.Equal(-1, buffer.AsSpan(0, Size(i)).IndexOfAnyExcept((byte)(i % 251)));
            }
            Assert.Null(await peer.LineAsync());
        }));
    }

    [Fact]
    public async Task A_client_that_reads_nothing_for_too_long_is_closed()
    {
        var clock = new FakeClock();
        var waits = new TaskCompletionSource();
        var ended = new TaskCompletionSource<Exception?>();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            try
            {
                while (true)
                {
                    connection.Output.GetSpan(32 * 1024);
                    connection.Output.Advance(32 * 1024);
                    var flush = connection.Output.FlushAsync();
                    if (!flush.IsCompleted)
                    {
                        waits.TrySetResult();
                    }
                    await flush;
                }
            }
            catch (Exception exception)
            {
                ended.SetResult(exception);
                throw;
            }
        })));
        await waits.Task;
        // The last write may still be moving into the kernel's buffers while the clock jumps: then its time begins anew.
        while (!ended.Task.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMinutes(6));
            await Task.Yield();
        }
        Assert.Contains("does not read", Assert.IsType<ConnectionClosedException>(await ended.Task).Message);
    }

    [Fact]
    public async Task A_client_waits_for_a_session_that_does_not_read()
    {
        const int total = 64 * 1024 * 1024;
        var go = new TaskCompletionSource();
        var took = new TaskCompletionSource<long>();
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            connection.Say("hello");
            await connection.Output.FlushAsync();
            await go.Task;
            long sum = 0, largest = 0;
            while (sum < total)
            {
                var read = await connection.ReadAsync(Long);
                largest = Math.Max(largest, read.Buffer.Length);
                sum += read.Buffer.Length;
                connection.Input.AdvanceTo(read.Buffer.End);
            }
            took.SetResult(largest);
        })));
        Assert.Equal("hello", await peer.LineAsync());
        byte[] block = new byte[1024 * 1024];
        peer.Socket.Blocking = false;
        long sent = 0;
        // Fill what can be filled: a full socket is not writable, and stays so while nobody reads.
        while (peer.Socket.Poll(TimeSpan.FromMilliseconds(300), System.Net.Sockets.SelectMode.SelectWrite) && sent < total)
        {
            sent += peer.Socket.Send(block.AsSpan(0, (int)Math.Min(block.Length, total - sent)), System.Net.Sockets.SocketFlags.None, out _);
        }
        Assert.True(sent < total / 2, $"{sent} bytes were taken from a client whose session reads nothing");
        go.SetResult();
        while (sent < total)
        {
            peer.Socket.Poll(TimeSpan.FromSeconds(10), System.Net.Sockets.SelectMode.SelectWrite);
            sent += peer.Socket.Send(block.AsSpan(0, (int)Math.Min(block.Length, total - sent)), System.Net.Sockets.SocketFlags.None, out _);
        }
        Assert.InRange(await took.Task, 1, 64 * 1024 + 64 * 1024);
    }

    [Fact]
    public async Task Replies_keep_their_order_while_the_session_changes_threads()
    {
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            while (true)
            {
                var line = await connection.ReadLineAsync(100, Long);
                if (line.Outcome != InputOutcome.Ok)
                {
                    return;
                }
                byte[] text = line.Text.ToArray();
                connection.Input.AdvanceTo(line.End);
                if (text[^1] % 2 == 0)
                {
                    await Task.Yield();
                }
                connection.Output.Write(text);
                connection.Output.Write("\r\n"u8);
                await connection.Output.FlushAsync();
            }
        })));
        const int count = 20_000;
        var reading = Task.Run(async () =>
        {
            for (int i = 0; i < count; i++)
            {
                Assert.Equal($"line {i}", await peer.LineAsync());
            }
        });
        for (int i = 0; i < count; i += 4)
        {
            await peer.SendAsync($"line {i}\r\nline {i + 1}\r\nline {i + 2}\r\nline {i + 3}\r\n");
        }
        await reading;
    }
}
