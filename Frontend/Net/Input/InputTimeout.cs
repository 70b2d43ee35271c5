namespace MailCluster.Net;

/// <summary>
/// The deadline of a wait for input. The server looks at all of them once a second, so that setting one costs a memory write and no timer; it ends up to 1 s late, never early.
/// When it ends, the pending (or else the next) read of <see cref="IConnection.Input"/> returns as cancelled. Any thread.
/// </summary>
public sealed class InputTimeout
{
    private readonly TimeProvider _time;
    private readonly Action _cancelRead;
    private long _deadline = long.MaxValue;
    private int _woken;

    /// <param name="time">The clock.</param>
    /// <param name="cancelRead">Cancels the pending, or else the next, read of the connection's current input; called on any thread, and must not run the reader in it.</param>
    public InputTimeout(TimeProvider time, Action cancelRead)
    {
        _time = time;
        _cancelRead = cancelRead;
    }

    /// <summary>Starts the clock anew; <see cref="Timeout.InfiniteTimeSpan"/> stops it.</summary>
    public void Set(TimeSpan timeout) => Volatile.Write(ref _deadline, timeout == Timeout.InfiniteTimeSpan
        ? long.MaxValue
        : _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency));

    /// <summary>Stops the clock.</summary>
    public void Clear() => Volatile.Write(ref _deadline, long.MaxValue);

    /// <summary>The deadline has passed.</summary>
    public bool Expired => _time.GetTimestamp() >= Volatile.Read(ref _deadline);

    /// <summary>
    /// Ends the wait for input with <see cref="InputOutcome.Woken"/>: the session has something to do that did not come from its client (IDLE). Any thread; never runs the session in it.
    /// Reads go on being cancelled, once a second, until <see cref="TakeWake"/> is called, which <see cref="ConnectionInput"/> does for its callers.
    /// </summary>
    public void Wake()
    {
        Volatile.Write(ref _woken, 1);
        _cancelRead();
    }

    /// <summary>Whether <see cref="Wake"/> was called since the last call of this.</summary>
    public bool TakeWake() => Volatile.Read(ref _woken) != 0 && Interlocked.Exchange(ref _woken, 0) != 0;

    /// <summary>Called about once a second. What is not taken note of is said again: the read that was cancelled may have been one that cannot stop, as in a literal.</summary>
    internal void Tick(long now)
    {
        if (now >= Volatile.Read(ref _deadline) || Volatile.Read(ref _woken) != 0)
        {
            _cancelRead();
        }
    }
}
