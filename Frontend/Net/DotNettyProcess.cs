using DotNetty.Common;
using DotNetty.Common.Internal.Logging;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

/// <summary>DotNetty's process-wide settings, made before any of its types is used: each of them takes its logger, for ever, when it is loaded.</summary>
internal static class DotNettyProcess
{
    private static readonly Forwarding Current = new();

    public static void Prepare(ILoggerFactory logging, bool detectLeaks)
    {
        Current.Target = logging;
        InternalLoggerFactory.DefaultFactory = Current;
        ResourceLeakDetector.Level = detectLeaks ? ResourceLeakDetector.DetectionLevel.Advanced : ResourceLeakDetector.DetectionLevel.Disabled;
    }

    /// <summary>Loggers that ask for their target at each use, as a process (of tests) may make several servers with logging of their own.</summary>
    private sealed class Forwarding : ILoggerFactory
    {
        public volatile ILoggerFactory? Target;

        public ILogger CreateLogger(string categoryName) => new ForwardingLogger(this, categoryName);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }

    private sealed class ForwardingLogger(Forwarding factory, string category) : ILogger
    {
        private (ILoggerFactory Factory, ILogger Logger)? _current;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => Logger?.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => Logger?.IsEnabled(logLevel) ?? false;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Logger?.Log(logLevel, eventId, state, exception, formatter);

        private ILogger? Logger
        {
            get
            {
                var target = factory.Target;
                if (target is null)
                {
                    return null;
                }
                try
                {
                    if (_current is not { } current || !ReferenceEquals(current.Factory, target))
                    {
                        _current = current = (target, target.CreateLogger(category));
                    }
                    return current.Logger;
                }
                catch (ObjectDisposedException)
                {
                    return null; // The process is ending.
                }
            }
        }
    }
}
