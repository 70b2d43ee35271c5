using System.Text;
using MailCluster.Server.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class GatheredLogTests
{
    [Fact]
    public async Task Every_line_is_written_once_and_each_thread_s_in_its_order()
    {
        var output = new Output();
        using (var log = new GatheredLog(new Plain(), output))
        {
            ILogger logger = log.CreateLogger("a");
            await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
            {
                for (int i = 0; i < 2000; i++)
                    logger.LogInformation("{Thread} {Number}", thread, i);
            })));
        }
        string[] lines = output.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8000, lines.Length);
        Assert.All(lines.GroupBy(static l => l[..1]), static of => Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"{of.Key} {i}"), of));
        // Most lines went out together with others.
        Assert.True(output.Writes < 4000, $"{output.Writes} writes");
    }

    [Fact]
    public async Task A_warning_does_not_wait_for_others()
    {
        var output = new Output();
        using var log = new GatheredLog(new Plain(), output);
        log.CreateLogger("a").LogInformation("before");
        log.CreateLogger("b").LogWarning("ends");
        await output.Seen("ends").WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("before\nends\n", output.Text);
    }

    private sealed class Plain() : ConsoleFormatter("plain")
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
            textWriter.Write(logEntry.Formatter(logEntry.State, logEntry.Exception) + "\n");
    }

    private sealed class Output : MemoryStream
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private string? _wanted;

        public int Writes { get; private set; }

        public string Text
        {
            get
            {
                lock (this)
                    return Encoding.UTF8.GetString(ToArray());
            }
        }

        public Task Seen(string text)
        {
            lock (this)
            {
                _wanted = text;
                Look();
            }
            return _seen.Task;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            lock (this)
            {
                base.Write(buffer);
                Writes++;
                Look();
            }
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            lock (this)
            {
                base.Write(buffer, offset, count);
                Writes++;
                Look();
            }
        }

        private void Look()
        {
            if (_wanted is { } wanted && Encoding.UTF8.GetString(ToArray()).Contains(wanted))
                _seen.TrySetResult();
        }
    }
}
