using System.Buffers;
using System.Data;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Ids;
using Npgsql;

namespace MailCluster.Storage.Bodies;

/// <summary>How bodies are stored and read.</summary>
public sealed record BodyOptions
{
    /// <summary>How long a statement is tried again while PostgreSQL is away. Default 5 s: half of what a command waits, which has its commit still before it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Bodies in PostgreSQL: see <see cref="IMessageBodies"/>.</summary>
/// <param name="held">Where small bodies wait for a commit of this process; null where there are no lanes.</param>
/// <param name="messages">What reads go through, see <see cref="MailDatabase.Messages"/>; null for <paramref name="database"/>.</param>
public sealed class MessageBodies(NpgsqlDataSource database, IdBlocks ids, BodyOptions? options = null, HeldBodies? held = null, NpgsqlDataSource? messages = null) : IMessageBodies
{
    private readonly NpgsqlDataSource _messages = messages ?? database;
    private readonly TimeSpan _patience = (options ?? new()).Patience;
    private readonly StagingLane _lane = new(database, (options ?? new()).Patience);

    /// <inheritdoc/>
    public ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) =>
        StageAsync(tenant, source, claims, sizeHint, maxSize, null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MailResult<StagedBody>> HoldAsync(TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) =>
        StageAsync(tenant, source, claims, sizeHint, maxSize, held, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> KeepAsync(BodyId body)
    {
        // Of one message, no commit takes it along from now on; of several, who asks meanwhile has to find it.
        if (held is null || !held.TryGet(body, out HeldBody? waiting) || (waiting.IsOfOne && !held.TryRemove(body, out _)))
            return false;
        using Activity? span = MailTraces.Stage();
        await waiting.StageAsync(b => _lane.StageAsync(new SmallBody(b.Id, b.Tenant, b.Data, b.Crc32C, b.Claims, b.Content, CancellationToken.None))).ConfigureAwait(false);
        held.TryRemove(body, out _);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<MessageContent?> GetStagedContentAsync(BodyId body, CancellationToken cancellationToken)
    {
        if (held?.TryGet(body, out HeldBody? waiting) == true)
            return MessageContent.Decode(waiting.Content);
        return await Store.Guard(async () =>
        {
            await using var command = _messages.CreateCommand("select data from mail.content where body_id = $1");
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = body.Value });
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is byte[] data ? MessageContent.Decode(data) : null;
        }).ConfigureAwait(false);
    }

    private async ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, HeldBodies? hold, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claims, 1);
        using Activity? span = MailTraces.Stage();
        var body = new BodyId(await Store.Persist(_ => ids.NextAsync().AsTask(), _patience, cancellationToken).ConfigureAwait(false));
        await using var upload = new BodyUpload(database, _lane, hold, body, tenant, claims, sizeHint, _patience);
        while (true)
        {
            var read = await source.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCanceled)
                throw new OperationCanceledException("The source of the body was cancelled.");
            // What is too big is read on, and forgotten.
            if (upload.Size <= maxSize)
                await upload.AddAsync(read.Buffer, maxSize, cancellationToken).ConfigureAwait(false);
            source.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }
        return upload.Size <= maxSize
            ? await upload.EndAsync(cancellationToken).ConfigureAwait(false)
            : new MailError(MailErrorCode.TooBig, $"The message is larger than {maxSize} octets.");
    }

    /// <inheritdoc/>
    public async ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken)
    {
        if (held?.TryRemove(body.Body, out _) == true)
            return;
        try
        {
            await using var command = database.CreateCommand("select mail.discard_body_v2($1)");
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = body.Body.Value });
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            throw Store.Outage(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
        AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken)
    {
        var found = new StoredEmail?[emails.Count];
        if (found.Length == 0)
            return found;
        return await Store.Persist(ReadOnce, _patience, cancellationToken).ConfigureAwait(false);

        async Task<StoredEmail?[]> ReadOnce(int attempt)
        {
            await using var command = _messages.CreateCommand(withContent
                ? """
                  select x.i, e.body_id, e.size, e.prefix, c.data from unnest($2) with ordinality as x(id, i)
                  join mail.email e on e.account_id = $1 and e.id = x.id join mail.content c on c.body_id = e.body_id
                  """
                : """
                  select x.i, e.body_id, e.size, e.prefix from unnest($2) with ordinality as x(id, i)
                  join mail.email e on e.account_id = $1 and e.id = x.id
                  """);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = emails.Select(e => e.Value).ToArray() });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var i = (int)reader.GetInt64(0) - 1;
                var prefix = reader.GetFieldValue<byte[]>(3);
                var content = withContent ? MessageContent.Decode(reader.GetFieldValue<byte[]>(4)) : null;
                found[i] = new StoredEmail(emails[i], new BodyId(reader.GetInt64(1)), prefix, reader.GetInt64(2) - prefix.Length, content);
            }
            return found;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        BodyId body, long size, long offset, long count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, size);
        if (count == 0)
            yield break;
        if (held?.TryGet(body, out HeldBody? waiting) == true)
        {
            yield return waiting.Data.Slice((int)offset, (int)count);
            yield break;
        }
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(count, BodyUpload.ChunkSize));
        try
        {
            while (count > 0)
            {
                var (chunk, start) = Math.DivRem(offset, BodyUpload.ChunkSize);
                var piece = buffer.AsMemory(0, (int)Math.Min(count, BodyUpload.ChunkSize - start));
                // One statement a piece: a client that reads slowly holds neither connection nor snapshot in between.
                bool whole = start == 0 && (piece.Length == BodyUpload.ChunkSize || offset + piece.Length == size);
                await ReadPieceAsync(body, (int)chunk, whole ? null : (int)start, piece, cancellationToken).ConfigureAwait(false);
                yield return piece;
                offset += piece.Length;
                count -= piece.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken)
    {
        var found = new byte[]?[bodies.Count];
        if (found.Length == 0)
            return found;
        var missing = new long[found.Length];
        await Store.Persist(ReadOnce, _patience, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < found.Length; i++)
        {
            if (missing[i] != 0)
                throw new InvalidDataException($"Body {bodies[i]} has not the size that its row tells.");
        }
        return found;

        async Task<bool> ReadOnce(int attempt)
        {
            // What a try before this one has left.
            Array.Clear(found);
            Array.Clear(missing);
            // A body that small is the whole of its first chunk: its own row need not be looked up.
            await using var command = _messages.CreateCommand(maxSize < BodyUpload.ChunkSize
                ? """
                  select x.i, octet_length(c.data)::bigint, c.no, c.data from unnest($1) with ordinality as x(id, i)
                  join mail.body_chunk c on c.body_id = x.id and c.no = 0 where octet_length(c.data) <= $2
                  """
                : """
                  select x.i, b.size, c.no, c.data from unnest($1) with ordinality as x(id, i)
                  join mail.body b on b.id = x.id and b.size <= $2 join mail.body_chunk c on c.body_id = x.id
                  """);
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = bodies.Select(b => b.Value).ToArray() });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = maxSize });
            // Sequential: a chunk goes from the socket to its place without a buffer of its own.
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var i = (int)reader.GetInt64(0) - 1;
                var size = (int)reader.GetInt64(1);
                if (found[i] is not { } bytes)
                    (found[i], missing[i]) = (bytes = new byte[size], size);
                var start = reader.GetInt32(2) * BodyUpload.ChunkSize;
                await using var data = await reader.GetStreamAsync(3, cancellationToken).ConfigureAwait(false);
                var length = (int)Math.Min(data.Length, BodyUpload.ChunkSize);
                await data.ReadExactlyAsync(bytes.AsMemory(start, length), cancellationToken).ConfigureAwait(false);
                missing[i] -= length;
            }
            return true;
        }
    }

    /// <param name="start">Null: the piece is the whole chunk. A substring of all of it costs PostgreSQL, and the reader who waits for it, more than twice as much (1 MB: 3.6 and 3 ms for 1.5 and 1.2).</param>
    private Task<bool> ReadPieceAsync(BodyId body, int chunk, int? start, Memory<byte> piece, CancellationToken cancellationToken) => Store.Persist(
        async _ =>
        {
            await using NpgsqlConnection connection = await _messages.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(
                start is null
                    ? "select c.data from mail.body_chunk c where c.body_id = $1 and c.no = $2"
                    : "select substring(c.data from $3 for $4) from mail.body_chunk c where c.body_id = $1 and c.no = $2",
                connection);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = body.Value });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = chunk });
            if (start is { } from)
            {
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = from + 1 });
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = piece.Length });
            }
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken).ConfigureAwait(false);
            if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                throw new BodyGoneException(body);
            await using var data = await reader.GetStreamAsync(0, cancellationToken).ConfigureAwait(false);
            if (data.Length != piece.Length)
                throw new ArgumentOutOfRangeException(nameof(piece), $"The range is not inside body {body}.");
            await LargeValue.ReadAsync(connection, data, piece, cancellationToken).ConfigureAwait(false);
            return true;
        },
        _patience, cancellationToken);
}
