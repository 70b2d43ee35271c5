using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Security.Cryptography;
using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Bodies in memory, or only counted.</summary>
internal sealed class FakeBodies : IMessageBodies
{
    private int _last;

    public ConcurrentDictionary<long, byte[]> Stored { get; } = new();

    public ConcurrentQueue<(TenantId Tenant, int Claims, long? SizeHint)> Staged { get; } = new();

    public ConcurrentQueue<StagedBody> Discarded { get; } = new();

    /// <summary>Released when a staging ended without a body.</summary>
    public SemaphoreSlim Failed { get; } = new(0);

    public bool KeepsBytes { get; init; } = true;

    /// <summary>Thrown after some bytes were read.</summary>
    public Exception? Outage { get; set; }

    public async ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = new MemoryStream();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long size = 0;
            while (true)
            {
                ReadResult read = await source.ReadAsync(cancellationToken);
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    hash.AppendData(piece.Span);
                    if (KeepsBytes)
                        bytes.Write(piece.Span);
                }
                size += read.Buffer.Length;
                source.AdvanceTo(read.Buffer.End);
                if (Outage is { } outage)
                    throw outage;
                if (read.IsCompleted)
                    break;
            }
            if (size > maxSize)
                return new MailError(MailErrorCode.TooBig, "too big");
            long id = Interlocked.Increment(ref _last);
            Stored[id] = bytes.ToArray();
            Staged.Enqueue((tenant, claims, sizeHint));
            return new StagedBody(new BodyId(id), size, new Guid(hash.GetHashAndReset().AsSpan(0, 16)), [], "<id@test>", claims);
        }
        catch
        {
            Failed.Release();
            throw;
        }
    }

    public ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken)
    {
        Discarded.Enqueue(body);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
        AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        BodyId body, long size, long offset, long count, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        if (count > 0)
            yield return Stored[body.Value].AsMemory((int)offset, (int)count);
    }

    public ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken) => throw new NotSupportedException();
}
