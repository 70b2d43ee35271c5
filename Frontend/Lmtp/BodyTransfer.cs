using System.IO.Pipelines;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp;

/// <summary>
/// A message on its way from the connection into the store, one stream for each tenant (bodies are never shared between tenants), in bounded memory.
/// Nothing is kept unless <see cref="CompleteAsync"/> says so; disposing of it gives up what was staged and not used.
/// </summary>
internal sealed class BodyTransfer : IByteSink, IAsyncDisposable
{
    // Some pieces of the store's size in flight, and no more whatever the message's size. Either side goes on in the other's thread: a message that comes in one piece is taken in and parsed
    // without changing threads, and the store waits for PostgreSQL without holding one.
    private static readonly PipeOptions Bounded = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 512 * 1024, resumeWriterThreshold: 256 * 1024, minimumSegmentSize: 16 * 1024,
        useSynchronizationContext: false);

    private readonly IMessageBodies _bodies;
    private readonly long _maxSize;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _abort = new();
    private readonly List<Stream> _streams;
    private readonly Dictionary<TenantId, MailResult<StagedBody>> _staged = [];
    private bool _ended;

    public BodyTransfer(IMessageBodies bodies, IReadOnlyDictionary<TenantId, int> claims, long? sizeHint, long maxSize, ILogger log)
    {
        _bodies = bodies;
        _maxSize = maxSize;
        _log = log;
        _streams = [.. claims.Select(c => Begin(c.Key, c.Value, sizeHint))];
    }

    /// <summary>Octets of the message so far, those that were not stored because it is too large included.</summary>
    public long Received { get; private set; }

    public bool IsTooBig => Received > _maxSize;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Received += bytes.Length;
        if (bytes.IsEmpty || IsTooBig)
            return;
        foreach (Stream stream in _streams)
        {
            if (!stream.IsOver)
                System.Buffers.BuffersExtensions.Write(stream.Pipe.Writer, bytes);
        }
    }

    /// <summary>Waits until the store has taken enough of what was written.</summary>
    public async ValueTask FlushAsync()
    {
        if (IsTooBig)
        {
            await AbortAsync().ConfigureAwait(false);
            return;
        }
        foreach (Stream stream in _streams)
        {
            // Over: the store gave up; the rest of the message is only read to its end.
            if (!stream.IsOver && (await stream.Pipe.Writer.FlushAsync().ConfigureAwait(false)).IsCompleted)
                stream.IsOver = true;
        }
    }

    /// <summary>The message has ended: what was staged for each tenant.</summary>
    public async ValueTask<IReadOnlyDictionary<TenantId, MailResult<StagedBody>>> CompleteAsync()
    {
        if (IsTooBig)
            await AbortAsync().ConfigureAwait(false);
        if (!_ended)
        {
            _ended = true;
            foreach (Stream stream in _streams)
                await stream.Pipe.Writer.CompleteAsync().ConfigureAwait(false);
        }
        foreach (Stream stream in _streams)
            _staged[stream.Tenant] = await stream.Task.ConfigureAwait(false);
        return _staged;
    }

    /// <summary>Gives up the claims that no message took.</summary>
    public async ValueTask DisposeAsync()
    {
        await AbortAsync().ConfigureAwait(false);
        foreach (MailResult<StagedBody> staged in _staged.Values)
        {
            if (staged.Value is { } body)
                await DiscardAsync(body).ConfigureAwait(false);
        }
        _staged.Clear();
        _abort.Dispose();
    }

    /// <summary>All claims of a tenant's body were taken: nothing is left to give up.</summary>
    public void Used(TenantId tenant) => _staged.Remove(tenant);

    private Stream Begin(TenantId tenant, int claims, long? sizeHint)
    {
        var pipe = new Pipe(Bounded);
        return new Stream(tenant, pipe, StageAsync(tenant, pipe.Reader, claims, sizeHint));
    }

    private async Task<MailResult<StagedBody>> StageAsync(TenantId tenant, PipeReader source, int claims, long? sizeHint)
    {
        try
        {
            return await _bodies.HoldAsync(tenant, source, claims, sizeHint, _maxSize, _abort.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (!_abort.IsCancellationRequested)
                LmtpLog.NotStaged(_log, tenant.Value, e is StoreUnavailableException ? null : e, e.Message);
            return new MailError(MailErrorCode.Unavailable, "The message could not be stored.");
        }
        finally
        {
            // Frees a writer that waits for room.
            await source.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask AbortAsync()
    {
        if (_ended)
            return;
        _ended = true;
        // Order: the store must not take the end of the pipe for the end of the message.
        await _abort.CancelAsync().ConfigureAwait(false);
        foreach (Stream stream in _streams)
        {
            stream.IsOver = true;
            await stream.Pipe.Writer.CompleteAsync(new OperationCanceledException("The message did not come to its end.")).ConfigureAwait(false);
        }
        foreach (Stream stream in _streams)
            await stream.Task.ConfigureAwait(false);
    }

    private async ValueTask DiscardAsync(StagedBody body)
    {
        try
        {
            await _bodies.DiscardAsync(body, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // It is collected some hours later.
        }
    }

    private sealed class Stream(TenantId tenant, Pipe pipe, Task<MailResult<StagedBody>> task)
    {
        public TenantId Tenant => tenant;

        public Pipe Pipe => pipe;

        public Task<MailResult<StagedBody>> Task => task;

        public bool IsOver { get; set; }
    }
}
