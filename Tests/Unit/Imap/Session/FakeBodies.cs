using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Bodies and what is known of them, in memory. An email has the number of its body. Counts what it is asked.</summary>
internal sealed class FakeBodies : IMessageBodies
{
    private readonly ConcurrentDictionary<long, (byte[] Body, MessageContent Content)> _bodies = new();
    private long _next;
    private int _emailQueries;
    private int _bodyQueries;
    private int _reads;

    /// <summary>Octets of a piece of <see cref="ReadAsync"/>.</summary>
    public int PieceSize { get; set; } = 256 * 1024;

    /// <summary>Whole bodies are never answered: all are read by range.</summary>
    public bool OnlyRanges { get; set; }

    /// <summary>Called before each piece of <see cref="ReadAsync"/> with the octets that went before; may wait or throw.</summary>
    public Func<long, Task>? BeforePiece { get; set; }

    /// <summary>Called at each <see cref="GetEmailsAsync"/>; may wait or throw.</summary>
    public Func<Task>? BeforeEmails { get; set; }

    /// <summary>Called at each <see cref="GetEmailsAsync"/> with the number of emails that are asked for.</summary>
    public Action<int>? EmailsAsked { get; set; }

    /// <summary>Calls of GetEmails, GetBodies and Read so far.</summary>
    public (int Emails, int Bodies, int Reads) Asked => (_emailQueries, _bodyQueries, _reads);

    /// <summary>The next body, as an APPEND or a delivery would store it.</summary>
    public BodyId Add(byte[] body)
    {
        var id = new BodyId(Interlocked.Increment(ref _next));
        _bodies[id.Value] = (body, ContentParser.Parse(body));
        return id;
    }

    /// <summary>Body and email are collected.</summary>
    public void Forget(EmailId email) => _bodies.TryRemove(email.Value, out _);

    public async ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await source.CopyToAsync(body, cancellationToken);
        if (body.Length > maxSize)
            return new MailError(MailErrorCode.TooBig, "Too big.");
        return new StagedBody(Add(body.ToArray()), body.Length, Guid.Empty, [], null, claims);
    }

    public ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken) => default;

    public async ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
        AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _emailQueries);
        EmailsAsked?.Invoke(emails.Count);
        if (BeforeEmails is { } before)
            await before();
        return [.. emails.Select(id => _bodies.TryGetValue(id.Value, out (byte[] Body, MessageContent Content) found)
            ? new StoredEmail(id, new BodyId(id.Value), [], found.Body.Length, withContent ? found.Content : null)
            : null)];
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        BodyId body, long size, long offset, long count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        if (!_bodies.TryGetValue(body.Value, out (byte[] Body, MessageContent Content) found))
            throw new BodyGoneException(body);
        for (long done = 0; done < count; done += PieceSize)
        {
            if (BeforePiece is { } before)
                await before(done);
            cancellationToken.ThrowIfCancellationRequested();
            yield return found.Body.AsMemory((int)(offset + done), (int)Math.Min(PieceSize, count - done));
        }
    }

    public ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _bodyQueries);
        return new([.. bodies.Select(id =>
            !OnlyRanges && _bodies.TryGetValue(id.Value, out (byte[] Body, MessageContent Content) found) && found.Body.Length <= maxSize ? found.Body : null)]);
    }
}
