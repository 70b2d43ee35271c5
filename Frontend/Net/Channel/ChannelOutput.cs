using DotNetty.Transport.Channels;

namespace MailCluster.Net;

/// <summary>Output that goes straight to the socket's channel.</summary>
internal sealed class ChannelOutput(AcceptedChannel channel, Action<int> count) : ConnectionOutput
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _writable;
    private ConnectionClosedException? _closed;
    private Task _lastWrite = Task.CompletedTask;

    /// <summary>Something was handed to the channel that the socket has not taken yet.</summary>
    public bool IsPending => !_lastWrite.IsCompleted;

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
            _lastWrite = channel.WriteAndFlushAsync(new RentedByteBuffer(bytes));
            if (!_lastWrite.IsCompletedSuccessfully)
            {
                // A failed write closes the channel, which is how it is noticed; its exception only has to be seen.
                _ = _lastWrite.ContinueWith(static task => _ = task.Exception, CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        return channel.IsWritable ? ValueTask.CompletedTask : WaitWritableAsync(cancellationToken);
    }

    /// <summary>Flushes and waits until the socket has taken everything.</summary>
    public async Task FinishAsync()
    {
        await FlushAsync().ConfigureAwait(false);
        await _lastWrite.ConfigureAwait(false);
    }

    /// <summary>The channel says that it may take more, or less. On the event loop.</summary>
    public void WritabilityChanged()
    {
        if (channel.IsWritable)
        {
            Release();
        }
    }

    /// <summary>The channel is closed: whoever waits, and whoever flushes later, is told.</summary>
    public void Close(ConnectionClosedException reason)
    {
        Interlocked.CompareExchange(ref _closed, reason, null);
        Release();
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
        if (channel.IsWritable || Volatile.Read(ref _closed) is not null)
        {
            Release();
        }
        await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Volatile.Read(ref _closed) is { } closed)
        {
            throw closed;
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
