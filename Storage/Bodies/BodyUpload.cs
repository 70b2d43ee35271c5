using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;
using Npgsql;

namespace MailCluster.Storage.Bodies;

/// <summary>
/// One body on its way into PostgreSQL. What fits into a chunk is gathered and stored by one statement, together with others, or held for its commit; of a larger one, each full chunk is
/// stored and handed to the parser before the next is gathered, so that memory stays at two or three chunks whatever the size.
/// No connection is held between statements: a slow sender costs none.
/// </summary>
internal sealed class BodyUpload(
    NpgsqlDataSource source, StagingLane lane, HeldBodies? hold, BodyId body, TenantId tenant, int claims, long? sizeHint, TimeSpan patience) : IAsyncDisposable
{
    /// <summary>Octets of each chunk but the last. Stored bodies depend on it.</summary>
    public const int ChunkSize = 256 * 1024;

    private const int FirstBuffer = 8 * 1024;
    private const int MessageIdLength = 250;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(sizeHint ?? FirstBuffer, 1024, ChunkSize));
    private int _length;
    private LineEnds _ends;
    private Crc32C _crc;
    private int _chunks;
    private long _storedBytes;
    private Pipe? _toParser;
    private Task<MessageContent>? _parsing;
    private bool _ended;

    /// <summary>Octets so far, after line ends were put right.</summary>
    public long Size => _storedBytes + _length;

    /// <summary>Takes octets as received; stops early where <see cref="Size"/> exceeds the limit.</summary>
    public async ValueTask AddAsync(ReadOnlySequence<byte> received, long maxSize, CancellationToken cancellationToken)
    {
        foreach (var segment in received)
        {
            _hash.AppendData(segment.Span);
            for (var rest = segment; !rest.IsEmpty && Size <= maxSize;)
            {
                if (_length == Math.Min(_buffer.Length, ChunkSize))
                    await MakeRoomAsync(cancellationToken).ConfigureAwait(false);
                var (taken, written) = _ends.Copy(rest.Span, _buffer.AsSpan(_length, Math.Min(_buffer.Length, ChunkSize) - _length));
                rest = rest[taken..];
                _length += written;
            }
        }
    }

    /// <summary>Stores what is left, the content and the claims.</summary>
    public async ValueTask<StagedBody> EndAsync(CancellationToken cancellationToken)
    {
        var last = _buffer.AsMemory(0, _length);
        var size = Size;
        _crc.Append(last.Span);
        MessageContent content;
        if (_chunks == 0)
        {
            content = ContentParser.Parse(last);
            byte[] encoded = content.Encode();
            if (hold?.TryAdd(new HeldBody(body, tenant, last, _crc.Value, encoded, claims)) == true)
                _buffer = [];
            else
                await lane.StageAsync(new SmallBody(body, tenant, last, _crc.Value, claims, encoded, cancellationToken)).ConfigureAwait(false);
        }
        else
        {
            await _toParser!.Writer.WriteAsync(last, cancellationToken).ConfigureAwait(false);
            await _toParser.Writer.CompleteAsync().ConfigureAwait(false);
            content = await _parsing!.ConfigureAwait(false);
            var stored = await ExecuteAsync("select mail.stage_end_v2($1, $2, $3, $4, $5, $6, $7, $8)", cancellationToken,
                Of(body.Value), Of(tenant.Value), Of(Size), Of(_crc.Value), Of(claims), Of(_chunks), Of(last), Of(content.Encode())).ConfigureAwait(false);
            if (stored is not true)
                throw new StoreUnavailableException("A part of the upload is gone: PostgreSQL has crashed since, or it took so long that its beginning was collected.");
        }
        _ended = true;
        return new StagedBody(body, size, new Guid(_hash.GetHashAndReset().AsSpan(0, 16), bigEndian: true), ThreadKeys.Of(content), MessageId(content), claims);
    }

    /// <summary>Frees the buffers; what was stored of a body that did not come to its end is removed, now or by the collector.</summary>
    public async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        if (!_ended && _parsing is not null)
        {
            await _toParser!.Writer.CompleteAsync(new OperationCanceledException()).ConfigureAwait(false);
            await ((Task)_parsing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        if (!_ended && _parsing is not null)
        {
            try
            {
                await ExecuteAsync("select mail.discard_body_v1($1)", CancellationToken.None, Of(body.Value)).ConfigureAwait(false);
            }
            catch (StoreUnavailableException)
            {
                // The collector finds the claim of the upload later.
            }
        }
    }

    private async ValueTask MakeRoomAsync(CancellationToken cancellationToken)
    {
        if (_length < ChunkSize)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_length * 4, ChunkSize));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
            return;
        }
        if (_parsing is null)
        {
            _toParser = new Pipe(new PipeOptions(pauseWriterThreshold: 2 * ChunkSize, resumeWriterThreshold: ChunkSize, minimumSegmentSize: ChunkSize / 4,
                useSynchronizationContext: false));
            _parsing = Task.Run(() => ParseAsync(_toParser.Reader), CancellationToken.None);
        }
        var chunk = _buffer.AsMemory(0, ChunkSize);
        _crc.Append(chunk.Span);
        await ExecuteAsync("select mail.stage_chunk_v1($1, $2, $3)", cancellationToken, Of(body.Value), Of(_chunks), Of(chunk)).ConfigureAwait(false);
        await _toParser!.Writer.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
        _chunks++;
        _storedBytes += ChunkSize;
        _length = 0;
    }

    private static async Task<MessageContent> ParseAsync(PipeReader reader)
    {
        try
        {
            return await ContentParser.ParseAsync(reader.AsStream(leaveOpen: true)).ConfigureAwait(false);
        }
        finally
        {
            // A parser that failed must not leave the upload waiting for it.
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    // What is sent is still in the buffer, so that it can be sent again. The statement may have been carried out by a try whose answer was lost.
    private Task<object?> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => Store.Persist(
        async attempt =>
        {
            await using var command = source.CreateCommand(sql);
            foreach (var parameter in parameters)
                command.Parameters.Add(parameter.Clone());
            try
            {
                return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (attempt > 1 && e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                return true;
            }
        },
        patience, cancellationToken);

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter<ReadOnlyMemory<byte>> Of(Memory<byte> value) => new() { TypedValue = value };

    // For logs: on one line.
    private static string? MessageId(MessageContent content)
    {
        if (content.Envelope.MessageId.IsAbsent)
            return null;
        var id = content.Envelope.MessageId.ToString();
        return string.Concat((id.Length <= MessageIdLength ? id : id[..MessageIdLength]).Select(c => char.IsControl(c) ? '?' : c));
    }
}
