using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;
using TaskCompletionSource = System.Threading.Tasks.TaskCompletionSource;

namespace MailCluster.Net;

/// <summary>Output that goes straight to the socket's channel.</summary>
internal sealed class ChannelOutput(AcceptedChannel channel, Action<int> count) : ConnectionOutput
{
    // The same as the channel's own high mark, for what has not reached it yet.
    private const int QueueLimit = 64 * 1024;

    private readonly Lock _lock = new();
    private TaskCompletionSource? _writable;
    private ConnectionClosedException? _closed;
    private Task _lastWrite = Task.CompletedTask;
    private int _queued;
    private int _queuedBytes;

    /// <summary>Something was handed over that the socket has not taken yet.</summary>
    public bool IsPending => Volatile.Read(ref _queued) > 0 || !_lastWrite.IsCompleted;

    private bool IsWritable => Volatile.Read(ref _queuedBytes) < QueueLimit && channel.IsWritable;

    public override ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (Volatile.Read(ref _closed) is { } closed)
        {
            Discard();
            return ValueTask.FromException(closed);
        }
        if (UnflushedBytes > 0)
        {
            var bytes = Take();
            count(bytes.Count);
            Send(new RentedByteBuffer(bytes));
        }
        return IsWritable ? ValueTask.CompletedTask : WaitWritableAsync(cancellationToken);
    }

    /// <summary>Flushes and waits until the socket has taken everything.</summary>
    public async Task FinishAsync()
    {
        await FlushAsync().ConfigureAwait(false);
        // Behind all that is queued.
        var last = channel.EventLoop.InEventLoop && Volatile.Read(ref _queued) == 0
            ? _lastWrite
            : await channel.EventLoop.SubmitAsync(() => _lastWrite).ConfigureAwait(false);
        await last.ConfigureAwait(false);
    }

    /// <summary>
    /// The channel says that it may take more, or less. On the event loop, from the midst of the channel's own account of what the socket has taken: a session that went on
    /// right here would write, and the channel send once more what it had not yet struck off. It goes on when the channel has done.
    /// </summary>
    public void WritabilityChanged()
    {
        if (!IsWritable)
        {
            return;
        }
        try
        {
            channel.EventLoop.Execute(static output => ((ChannelOutput)output).ReleaseIfWritable(), this);
        }
        catch (RejectedExecutionException)
        {
            Close(new ConnectionClosedException("the server has stopped"));
        }
    }

    /// <summary>The channel is closed: whoever waits, and whoever flushes later, is told.</summary>
    public void Close(ConnectionClosedException reason)
    {
        Interlocked.CompareExchange(ref _closed, reason, null);
        Release();
    }

    /// <summary>
    /// On the event loop at once, from other threads through its queue. A session changes threads: what it sends from the loop must not overtake what it queued before
    /// from elsewhere, so that while anything is queued, everything is.
    /// </summary>
    private void Send(RentedByteBuffer bytes)
    {
        if (channel.EventLoop.InEventLoop && Volatile.Read(ref _queued) == 0)
        {
            SendNow(bytes);
            return;
        }
        if (!IsPending)
        {
            // From here on it is pending, and the time that the client took for what was sent before is not this one's.
            channel.BeginWrite();
        }
        Interlocked.Increment(ref _queued);
        Interlocked.Add(ref _queuedBytes, bytes.ReadableBytes);
        try
        {
            channel.EventLoop.Execute(static (output, queued) => ((ChannelOutput)output).SendQueued((RentedByteBuffer)queued), this, bytes);
        }
        catch (RejectedExecutionException)
        {
            // The loop has ended, and with it the channel.
            bytes.Release();
            Close(new ConnectionClosedException("the server has stopped"));
        }
    }

    private void SendQueued(RentedByteBuffer bytes)
    {
        int length = bytes.ReadableBytes;
        SendNow(bytes);
        Interlocked.Add(ref _queuedBytes, -length);
        Interlocked.Decrement(ref _queued);
        ReleaseIfWritable();
    }

    private void SendNow(RentedByteBuffer bytes)
    {
        var write = channel.WriteAndFlushAsync(bytes);
        _lastWrite = write;
        if (!write.IsCompletedSuccessfully)
        {
            // A failed write closes the channel, which is how it is noticed; its exception only has to be seen.
            _ = write.ContinueWith(static task => _ = task.Exception, CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async ValueTask WaitWritableAsync(CancellationToken cancellationToken)
    {
        Task wait;
        lock (_lock)
        {
            _writable ??= new TaskCompletionSource();
            wait = _writable.Task;
        }
        // It may have changed before the waiter was in place.
        if (IsWritable || Volatile.Read(ref _closed) is not null)
        {
            Release();
        }
        await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Volatile.Read(ref _closed) is { } closed)
        {
            throw closed;
        }
    }

    private void ReleaseIfWritable()
    {
        if (IsWritable)
        {
            Release();
        }
    }

    private void Release()
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            waiting = _writable;
            _writable = null;
        }
        if (waiting is not null)
        {
            EventLoopTask.Run(static source => ((TaskCompletionSource)source!).TrySetResult(), waiting);
        }
    }
}
