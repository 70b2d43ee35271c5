using MailCluster.Server.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class OutageLogTests
{
    [Fact]
    public void Why_PostgreSQL_cannot_be_used_is_logged_and_not_for_each_command()
    {
        var (clock, lines) = (new Clock(), new Lines());
        var log = new OutageLog(clock, lines);
        for (int i = 0; i < 3; i++)
            log.Note(new PostgresException("could not extend file: No space left on device", "ERROR", "ERROR", "53100"));
        Assert.Equal("PostgreSQL can't be used: 53100: could not extend file: No space left on device (0 more times since the last of these lines)", Assert.Single(lines.Told));
        clock.Seconds += 11;
        log.Note(new NpgsqlException("Failed to connect"));
        Assert.Equal("PostgreSQL can't be used: Failed to connect (2 more times since the last of these lines)", lines.Told[1]);
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    private sealed class Lines : ILogger<OutageLog>
    {
        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Told.Add(formatter(state, exception));
    }
}
