using MailCluster.Net;
using Microsoft.Extensions.Logging;
using Xunit;

namespace MailCluster.Tests.Unit.Net;

public sealed class DrainTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Draining_tells_every_session_and_ends_when_they_have_gone(bool tls)
    {
        await using var server = new NetServer();
        var door = await server.ListenAsync(Doors.Loopback with { ImplicitTls = tls }, Session.Echo(), Doors.Certificate);
        var peers = new Peer[20];
        for (int i = 0; i < peers.Length; i++)
        {
            peers[i] = await Peer.ConnectAsync(door);
            if (tls)
            {
                await peers[i].StartTlsAsync();
            }
            Assert.Equal("hello", await peers[i].LineAsync());
        }
        var drain = server.DrainAsync(TimeSpan.FromMinutes(1));
        foreach (var peer in peers)
        {
            Assert.Equal("BYE Draining", await peer.LineAsync());
            Assert.Null(await peer.LineAsync());
            peer.Dispose();
        }
        await drain;
        Assert.Equal(0, server.ConnectionCount);
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(() => Peer.ConnectAsync(door));
    }

    [Fact]
    public async Task A_running_command_finishes_first()
    {
        var running = new TaskCompletionSource();
        var result = new TaskCompletionSource<string>();
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            running.SetResult();
            connection.Say(await result.Task);
            var line = await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1));
            connection.Say(line.Outcome.ToString());
        })));
        await running.Task;
        var drain = server.DrainAsync(TimeSpan.FromMinutes(1));
        result.SetResult("done");
        Assert.Equal("done", await peer.LineAsync());
        Assert.Equal("Draining", await peer.LineAsync());
        Assert.Null(await peer.LineAsync());
        peer.Dispose();
        await drain;
    }

    [Fact]
    public async Task Who_does_not_go_in_time_is_aborted()
    {
        var running = new TaskCompletionSource();
        await using var server = new NetServer();
        using var peer = await Peer.ConnectAsync(await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, connection.Closed);
        })));
        await running.Task;
        await server.DrainAsync(TimeSpan.Zero);
        Assert.Equal(0, server.ConnectionCount);
        Assert.True(await peer.IsClosedAsync());
    }

    [Fact]
    public async Task An_exception_of_a_session_is_logged_once_and_closes_its_connection_alone()
    {
        var log = new RecordingLog();
        await using var server = new NetServer(logging: log);
        var door = await server.ListenAsync(Doors.Loopback, new Session(async connection =>
        {
            var line = await connection.ReadLineAsync(100, TimeSpan.FromMinutes(1));
            if (line.Outcome == InputOutcome.Ok && line.Text.Length > 1)
            {
                throw new InvalidOperationException("a bug");
            }
            connection.Input.AdvanceTo(line.End);
            connection.Say("fine");
        }));
        using var bad = await Peer.ConnectAsync(door);
        using var good = await Peer.ConnectAsync(door);
        await bad.SendAsync("bug\r\n");
        Assert.True(await bad.IsClosedAsync());
        await good.SendAsync("x\r\n");
        Assert.Equal("fine", await good.LineAsync());
        Assert.Equal(["a bug"], log.Errors);
    }

    private sealed class RecordingLog : ILoggerFactory, ILogger
    {
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Errors
        {
            get
            {
                lock (_errors)
                {
                    return [.. _errors];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning)
            {
                lock (_errors)
                {
                    _errors.Add(exception?.Message ?? formatter(state, exception));
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
