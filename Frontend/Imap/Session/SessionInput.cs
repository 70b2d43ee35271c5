using System.Buffers;
using System.IO.Pipelines;
using MailCluster.Imap.Wire;
using MailCluster.Net;

namespace MailCluster.Imap.Session;

/// <summary>
/// The connection as the reader of commands sees it: replies go out before a wait, and a clock runs in it. A time-out, a shutdown or news ends a wait,
/// except inside a literal that streams, which only silence ends.
/// </summary>
internal sealed class SessionInput(IConnection connection) : ICommandSource
{
    public PipeReader Input => connection.Input;

    /// <summary>Not null while a literal streams: each wait may last so long.</summary>
    public TimeSpan? LiteralTimeout { get; set; }

    public bool IsInterrupted => LiteralTimeout is null || connection.InputTimeout.Expired;

    /// <summary>How long the next waits may last altogether.</summary>
    public void Within(TimeSpan timeout) => connection.InputTimeout.Set(timeout);

    public ValueTask BeforeWaitAsync(CancellationToken cancellation)
    {
        if (LiteralTimeout is { } timeout)
            connection.InputTimeout.Set(timeout);
        return connection.Output.UnflushedBytes > 0 ? connection.Output.FlushAsync(cancellation) : ValueTask.CompletedTask;
    }

    public ValueTask AskForLiteralAsync(CancellationToken cancellation)
    {
        connection.Output.Write("+ OK\r\n"u8);
        return connection.Output.FlushAsync(cancellation);
    }
}
