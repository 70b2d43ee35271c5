using System.IO.Pipelines;
using MailCluster.Net;

namespace MailCluster.Imap.Session;

/// <summary>
/// A connection's input that flushes the replies before it waits, and keeps the clock. What ends a wait (time-out, draining, a wake) comes out as a cancelled
/// read, except inside a literal, which only the time-out ends.
/// </summary>
internal sealed class SessionInput(IConnection connection) : PipeReader
{
    private readonly PipeReader _input = connection.Input;

    /// <summary>How long the next waits may last altogether.</summary>
    public void Within(TimeSpan timeout) => connection.InputTimeout.Set(timeout);

    /// <summary>Not null while a literal streams: each wait may last so long.</summary>
    public TimeSpan? LiteralTimeout { get; set; }

    public override bool TryRead(out ReadResult result)
    {
        while (_input.TryRead(out result))
        {
            if (!Ignored(result))
                return true;
        }
        return false;
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryRead(out ReadResult result))
                return result;
            if (connection.Output.UnflushedBytes > 0)
                await connection.Output.FlushAsync(cancellationToken);
            if (LiteralTimeout is { } timeout)
                connection.InputTimeout.Set(timeout);
            result = await _input.ReadAsync(cancellationToken);
            if (!Ignored(result))
                return result;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => _input.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _input.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _input.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _input.Complete(exception);

    private bool Ignored(ReadResult result)
    {
        if (!result.IsCanceled || LiteralTimeout is null || connection.InputTimeout.Expired)
            return false;
        _input.AdvanceTo(result.Buffer.Start);
        return true;
    }
}
