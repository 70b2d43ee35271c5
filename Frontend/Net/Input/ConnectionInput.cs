using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace MailCluster.Net;

/// <summary>How a wait for input ended.</summary>
public enum InputOutcome
{
    /// <summary>Bytes, or a line, are there.</summary>
    Ok,

    /// <summary>The line was longer than allowed; it was swallowed with its end, and the next read starts behind it.</summary>
    TooLong,

    /// <summary>A line so long that its end was not waited for: say BYE and close.</summary>
    Flood,

    /// <summary>Nothing, or no whole line, came in time.</summary>
    TimedOut,

    /// <summary><see cref="InputTimeout.Wake"/> was called. What has arrived is kept.</summary>
    Woken,

    /// <summary>The server shuts down: say BYE and return.</summary>
    Draining,

    /// <summary>The client has ended its side (an unfinished line is lost), or the connection is dead.</summary>
    Closed,
}

/// <summary>A line, or the reason why there is none.</summary>
/// <param name="Outcome"><see cref="InputOutcome.Ok"/>: the other two are valid.</param>
/// <param name="Text">Without its CR LF or LF. Lies in the input's memory: gone after <see cref="PipeReader.AdvanceTo(SequencePosition)"/>.</param>
/// <param name="End">Behind the line: <c>connection.Input.AdvanceTo(line.End)</c> must be called before the next read.</param>
public readonly record struct InputLine(InputOutcome Outcome, ReadOnlySequence<byte> Text, SequencePosition End);

/// <summary>Some bytes, or the reason why there are none.</summary>
/// <param name="Outcome"><see cref="InputOutcome.Ok"/>: <paramref name="Buffer"/> is valid and <see cref="PipeReader.AdvanceTo(SequencePosition, SequencePosition)"/> must be called before the next read.</param>
/// <param name="Buffer">What has arrived and is not consumed; never empty.</param>
/// <param name="IsLast">The client has ended its side: nothing comes after <paramref name="Buffer"/>.</param>
public readonly record struct InputBytes(InputOutcome Outcome, ReadOnlySequence<byte> Buffer, bool IsLast);

/// <summary>Which bytes end a line.</summary>
public enum LineEnd
{
    /// <summary>CRLF or a bare LF.</summary>
    CrLfOrLf,

    /// <summary>CRLF alone; a bare LF belongs to the line.</summary>
    CrLf,
}

/// <summary>Reading from a connection with a time-out. Before they wait, these flush the connection's output.</summary>
public static class ConnectionInput
{
    /// <summary>
    /// Reads one line of at most <paramref name="maxBytes"/> bytes (its end not counted) that must be complete within <paramref name="timeout"/>. A longer one is swallowed up to
    /// <paramref name="maxSwallow"/> bytes more.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<InputLine> ReadLineAsync(this IConnection connection, int maxBytes, TimeSpan timeout,
        LineEnd lineEnd = LineEnd.CrLfOrLf, long maxSwallow = 1024 * 1024)
    {
        var input = connection.Input;
        connection.InputTimeout.Set(timeout);
        long scanned = 0, swallowed = 0;
        bool tooLong = false;
        try
        {
            while (true)
            {
                var (outcome, buffer, isLast) = await NextAsync(connection, input).ConfigureAwait(false);
                if (outcome != InputOutcome.Ok)
                {
                    return new(outcome, default, default);
                }
                if (FindEnd(buffer, scanned, lineEnd, out var text, out var end))
                {
                    if (!tooLong && text.Length <= maxBytes)
                    {
                        return new(InputOutcome.Ok, text, end);
                    }
                    input.AdvanceTo(end);
                    return new(InputOutcome.TooLong, default, default);
                }
                if (isLast)
                {
                    input.AdvanceTo(buffer.End);
                    return new(InputOutcome.Closed, default, default);
                }
                // A CR at the end may be the first half of a CRLF, so it is looked at again; and it is not counted yet.
                if (!tooLong && buffer.Length <= maxBytes + 1L)
                {
                    scanned = buffer.Length;
                    input.AdvanceTo(buffer.Start, buffer.End);
                    continue;
                }
                tooLong = true;
                long keep = lineEnd == LineEnd.CrLf && LastByte(buffer) == '\r' ? 1 : 0;
                swallowed += buffer.Length - keep;
                scanned = keep;
                input.AdvanceTo(buffer.GetPosition(buffer.Length - keep), buffer.End);
                if (swallowed > maxBytes + maxSwallow)
                {
                    return new(InputOutcome.Flood, default, default);
                }
            }
        }
        finally
        {
            connection.InputTimeout.Clear();
        }
    }

    /// <summary>Reads what there is, at least one byte more than was examined before, within <paramref name="timeout"/>.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<InputBytes> ReadAsync(this IConnection connection, TimeSpan timeout)
    {
        connection.InputTimeout.Set(timeout);
        try
        {
            return await NextAsync(connection, connection.Input).ConfigureAwait(false);
        }
        finally
        {
            connection.InputTimeout.Clear();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<InputBytes> NextAsync(IConnection connection, PipeReader input)
    {
        try
        {
            while (true)
            {
                if (connection.Draining.IsCancellationRequested)
                {
                    return new(InputOutcome.Draining, default, false);
                }
                if (connection.InputTimeout.TakeWake())
                {
                    return new(InputOutcome.Woken, default, false);
                }
                if (!input.TryRead(out var result))
                {
                    if (connection.Output.UnflushedBytes > 0)
                    {
                        await connection.Output.FlushAsync().ConfigureAwait(false);
                    }
                    result = await input.ReadAsync().ConfigureAwait(false);
                }
                if (!result.IsCanceled)
                {
                    if (result.IsCompleted && result.Buffer.IsEmpty)
                    {
                        input.AdvanceTo(result.Buffer.End);
                        return new(InputOutcome.Closed, default, true);
                    }
                    return new(InputOutcome.Ok, result.Buffer, result.IsCompleted);
                }
                // A cancelled read may hold bytes, examined or not: all are kept, and looked at again.
                input.AdvanceTo(result.Buffer.Start);
                if (connection.InputTimeout.Expired && !connection.Draining.IsCancellationRequested)
                {
                    return new(InputOutcome.TimedOut, default, false);
                }
            }
        }
        catch (IOException)
        {
            return new(InputOutcome.Closed, default, true);
        }
    }

    private static bool FindEnd(ReadOnlySequence<byte> buffer, long scanned, LineEnd lineEnd, out ReadOnlySequence<byte> text, out SequencePosition end)
    {
        while (true)
        {
            if (buffer.Slice(scanned).PositionOf((byte)'\n') is not { } lf)
            {
                text = default;
                end = default;
                return false;
            }
            text = buffer.Slice(0, lf);
            end = buffer.GetPosition(1, lf);
            bool hasCr = !text.IsEmpty && LastByte(text) == '\r';
            if (hasCr)
            {
                text = text.Slice(0, text.Length - 1);
                return true;
            }
            if (lineEnd == LineEnd.CrLfOrLf)
            {
                return true;
            }
            scanned = text.Length + 1;
        }
    }

    private static byte LastByte(ReadOnlySequence<byte> bytes) => bytes.Slice(bytes.Length - 1).FirstSpan[0];
}
