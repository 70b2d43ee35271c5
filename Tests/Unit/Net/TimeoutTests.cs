using MailCluster.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class TimeoutTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_that_does_not_come_in_time_is_told(bool tls)
    {
        var clock = new FakeClock();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = tls }, Session.Echo(), Doors.Certificate);
        using var peer = await Peer.ConnectAsync(door);
        if (tls)
        {
            await peer.StartTlsAsync();
        }
        // The greeting is flushed by the wait whose clock runs already.
        Assert.Equal("hello", await peer.LineAsync());
        await peer.SendAsync("one\r\nunfinished");
        Assert.Equal("one", await peer.LineAsync());
        clock.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal("BYE TimedOut", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
    }

    [Fact]
    public async Task A_session_is_woken_and_keeps_what_has_arrived()
    {
        var waits = new TaskCompletionSource<IConnection>();
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            connection.Say("hello");
            await connection.Output.FlushAsync();
            waits.SetResult(connection);
            while (true)
            {
                var line = await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1));
                connection.Say(line.Outcome.ToString());
                await connection.Output.FlushAsync();
                if (line.Outcome != InputOutcome.Woken)
                {
                    return;
                }
            }
        })));
        Assert.Equal("hello", await peer.LineAsync());
        await peer.SendAsync("half");
        var connection = await waits.Task;
        for (int i = 0; i < 100; i++)
        {
            connection.InputTimeout.Wake();
            Assert.Equal("Woken", await peer.LineAsync());
        }
        await peer.SendAsync(" a line\r\n");
        Assert.Equal("Ok", await peer.LineAsync());
    }

    [Fact]
    public async Task A_client_that_does_not_begin_its_handshake_is_closed()
    {
        var clock = new FakeClock();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback with { ImplicitTls = true }, Session.Echo(), Doors.Certificate));
        var closed = peer.IsClosedAsync();
        while (!closed.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(11));
            await Task.Yield();
        }
        Assert.True(await closed);
    }

    [Fact]
    public async Task A_client_that_does_not_close_is_closed_after_a_while()
    {
        var clock = new FakeClock();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, Session.Echo()));
        await peer.SendAsync("QUIT\r\n");
        Assert.Equal("hello", await peer.LineAsync());
        Assert.Equal("QUIT", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
        while (server.ConnectionCount > 0)
        {
            clock.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_wake_that_a_read_could_not_heed_comes_again()
    {
        var clock = new FakeClock();
        var streaming = new TaskCompletionSource<IConnection>();
        var cancelled = new TaskCompletionSource();
        await using var server = new NetServer(new NetServerOptions { Time = clock });
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            var read = connection.Input.ReadAsync();
            streaming.SetResult(connection);
            // As in a literal: a cancelled read is no reason to stop.
            var result = await read;
            Assert.True(result.IsCanceled);
            connection.Input.AdvanceTo(result.Buffer.Start);
            connection.Input.AdvanceTo((await connection.Input.ReadAsync()).Buffer.End);
            cancelled.SetResult();
            connection.Say((await connection.Input.ReadAsync()).IsCanceled && connection.InputTimeout.TakeWake() ? "woken" : "not woken");
        })));
        (await streaming.Task).InputTimeout.Wake();
        await peer.SendAsync("literal");
        await cancelled.Task;
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("woken", await peer.LineAsync());
    }

    [Fact]
    public async Task A_reply_that_waits_for_its_loop_is_not_taken_for_one_that_the_client_does_not_read()
    {
        var clock = new FakeClock();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new NetServer(new NetServerOptions { Time = clock, EventLoops = 1 });
        var door = await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            var line = await connection.ReadLineAsync(100, Timeout.InfiniteTimeSpan);
            bool holds = line.Text.Length > 0;
            connection.Input.AdvanceTo(line.End);
            if (holds)
            {
                // On the loop, which serves nobody meanwhile.
                held.SetResult();
                release.Wait();
                return;
            }
            asked.SetResult();
            await answer.Task;
            connection.Say("late");
            await connection.Output.FlushAsync();
            queued.SetResult();
        }));
        using var slow = await Peer.ConnectAsync(door);
        await slow.SendAsync("\r\n");
        await asked.Task;
        using var other = await Peer.ConnectAsync(door);
        await other.SendAsync("hold\r\n");
        await held.Task;
        clock.Advance(TimeSpan.FromHours(1));
        answer.SetResult();
        await queued.Task;
        clock.Advance(TimeSpan.FromSeconds(2));
        release.Set();
        Assert.Equal("late", await slow.LineAsync());
    }
}
