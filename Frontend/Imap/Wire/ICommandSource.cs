using System.IO.Pipelines;

namespace MailCluster.Imap.Wire;

/// <summary>What a <see cref="CommandReader"/> needs of a connection.</summary>
public interface ICommandSource
{
    /// <summary>The bytes of the client; another object after STARTTLS.</summary>
    PipeReader Input { get; }

    /// <summary>Sends and flushes a continuation request, after all that was written before.</summary>
    ValueTask AskForLiteralAsync(CancellationToken cancellation);

    /// <summary>Before each wait for bytes that are not there yet: flush what was written, set the clock of the wait.</summary>
    ValueTask BeforeWaitAsync(CancellationToken cancellation);

    /// <summary>
    /// Asked when a pending read was cancelled (<see cref="PipeReader.CancelPendingRead"/>): true ends the wait (time-out, shutdown, something to tell
    /// an idling client), false waits on.
    /// </summary>
    bool IsInterrupted { get; }
}
