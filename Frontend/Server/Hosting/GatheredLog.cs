using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace MailCluster.Server.Hosting;

/// <summary>
/// The log on standard output in the words of the console's formatters, gathered for some milliseconds: the console's own logger wakes a thread and calls the kernel for each line
/// (25 µs of processor time, a tenth of a log-in). Warnings and worse do not wait; what is gathered is written when the process ends in any orderly way.
/// </summary>
[ProviderAlias("Console")]
internal sealed class GatheredLog : ILoggerProvider, ISupportExternalScope
{
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    /// <summary>Characters that wait for whoever reads standard output; at more, who logs waits, too.</summary>
    private const int Most = 1024 * 1024;

    [ThreadStatic]
    private static StringWriter? _line;

    private readonly ConsoleFormatter _formatter;
    private readonly StreamWriter _output;
    private readonly Thread _writer;
    private readonly object _gate = new();
    private StringBuilder _gathered = new();
    private StringBuilder _spare = new();
    private IExternalScopeProvider? _scopes;
    private bool _urgent;
    private bool _ended;

    public GatheredLog(IEnumerable<ConsoleFormatter> formatters, IOptions<ConsoleLoggerOptions> options)
        : this(formatters.First(f => f.Name == (options.Value.FormatterName ?? ConsoleFormatterNames.Simple)), Console.OpenStandardOutput()) =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();

    public GatheredLog(ConsoleFormatter formatter, Stream output)
    {
        _formatter = formatter;
        _output = new StreamWriter(output, new UTF8Encoding(false));
        _writer = new Thread(Write) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <summary>Writes what is gathered; nothing is logged afterwards.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
        // A reader of standard output that hangs must not keep the process.
        _writer.Join(TimeSpan.FromSeconds(2));
    }

    private void Add(StringBuilder line, bool urgent)
    {
        lock (_gate)
        {
            while (_gathered.Length > Most && !_ended)
                Monitor.Wait(_gate);
            bool first = _gathered.Length == 0;
            _gathered.Append(line);
            _urgent |= urgent;
            if (first || urgent)
                Monitor.PulseAll(_gate);
        }
    }

    private void Write()
    {
        while (true)
        {
            StringBuilder lines;
            lock (_gate)
            {
                while (_gathered.Length == 0 && !_ended)
                    Monitor.Wait(_gate);
                if (_gathered.Length == 0)
                    return;
                long until = Environment.TickCount64 + (long)Gathering.TotalMilliseconds;
                while (!_urgent && !_ended && _gathered.Length <= Most && until - Environment.TickCount64 is var left and > 0)
                    Monitor.Wait(_gate, (int)left);
                lines = _gathered;
                _gathered = _spare;
                _urgent = false;
                Monitor.PulseAll(_gate);
            }
            try
            {
                _output.Write(lines);
                _output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads it any more.
            }
            _spare = lines.Clear();
        }
    }

    private sealed class Category(GatheredLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            StringWriter line = _line ??= new StringWriter();
            log._formatter.Write(new LogEntry<TState>(logLevel, name, eventId, state, exception, formatter), log._scopes, line);
            StringBuilder text = line.GetStringBuilder();
            if (text.Length > 0)
                log.Add(text, logLevel >= LogLevel.Warning);
            text.Clear();
            // A stack trace's length is not kept for ever.
            if (text.Capacity > 4096)
                text.Capacity = 1024;
        }
    }
}
