using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;

namespace MailCluster.Cluster;

/// <summary>
/// Bodies, emails and what is known of them, with those that were read last kept in this process. None of them ever changes, so that nothing here can be out of date; and each is
/// found only by an id that a mailbox of the session's own account has named. What several ask for at once is read once.
/// </summary>
public sealed class CachedBodies : IMessageBodies
{
    /// <summary>Octets of a body that are read and kept together.</summary>
    public const int PieceSize = 256 * 1024;

    /// <summary>Pieces that are read before a client has taken the one before them.</summary>
    private const int Ahead = 2;

    /// <summary>A body that takes more than this part of the whole is not kept: a few of them would leave nothing of all others.</summary>
    private const int LargestPart = 8;

    /// <summary>Less than that is not worth a collection.</summary>
    private const long LeastGarbage = 16 * 1024 * 1024;

    private readonly IMessageBodies _store;
    private readonly long _capacity;
    private readonly RecentlyUsed<Key, object> _recent;
    private readonly Dictionary<Key, Reading> _underWay = [];
    private readonly Lock _gate = new();

    // Octets that have made room since the collector was last asked to look at all generations.
    private long _garbage;

    /// <param name="store">Where everything is.</param>
    /// <param name="capacity">Octets that are kept at most, with what the entries themselves take; 0 keeps nothing.</param>
    public CachedBodies(IMessageBodies store, long capacity)
    {
        (_store, _capacity) = (store, capacity);
        _recent = new RecentlyUsed<Key, object>(capacity, Removed);
    }

    private enum Kind : byte
    {
        Email,
        EmailWithContent,
        SmallBody,
        Piece,
        Computed,
    }

    /// <summary>Octets that are kept now; never above the capacity.</summary>
    public long Octets => _recent.Octets;

    /// <inheritdoc/>
    public ValueTask<MailResult<StagedBody>> StageAsync(
        TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) =>
        _store.StageAsync(tenant, source, claims, sizeHint, maxSize, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MailResult<StagedBody>> HoldAsync(TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) =>
        _store.HoldAsync(tenant, source, claims, sizeHint, maxSize, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> KeepAsync(BodyId body) => _store.KeepAsync(body);

    /// <inheritdoc/>
    public ValueTask<MessageContent?> GetStagedContentAsync(BodyId body, CancellationToken cancellationToken) => _store.GetStagedContentAsync(body, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken) => _store.DiscardAsync(body, cancellationToken);

    /// <summary>Whether so many octets of messages are worth making room for: of what is more than half of all that can be kept nothing would be left when it is read again, nor of all else.</summary>
    public bool IsWorthKeeping(long octets) => octets <= _capacity / 2;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken) =>
        GetEmailsAsync(account, emails, withContent, makeRoom: true, cancellationToken);

    /// <param name="makeRoom">False: kept only where there is room for them already.</param>
    public async ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
        AccountId account, IReadOnlyList<EmailId> emails, bool withContent, bool makeRoom, CancellationToken cancellationToken)
    {
        Kind kind = withContent ? Kind.EmailWithContent : Kind.Email;
        return await GetAsync(
            emails, id => new Key(kind, account.Value, id.Value), missing => _store.GetEmailsAsync(account, missing, withContent, default), SizeOf, makeRoom,
            cancellationToken).ConfigureAwait(false);

        // With the objects that they are: four where there is content.
        static long SizeOf(StoredEmail email) => 100 + email.Prefix.Length + (email.Content is { } content ? 150 + content.StoredOctets : 0);
    }

    /// <summary>The same for whoever keeps what it makes of them, <see cref="KeepComputed"/>: they themselves are not kept, and make no room.</summary>
    public ValueTask<IReadOnlyList<StoredEmail?>> PassEmailsAsync(AccountId account, IReadOnlyList<EmailId> emails, CancellationToken cancellationToken) =>
        _store.GetEmailsAsync(account, emails, withContent: true, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken) =>
        GetBodiesAsync(bodies, maxSize, makeRoom: true, cancellationToken);

    /// <param name="makeRoom">False: kept only where there is room for them already.</param>
    public async ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, bool makeRoom, CancellationToken cancellationToken)
    {
        if (maxSize >= PieceSize)
            return await _store.GetBodiesAsync(bodies, maxSize, cancellationToken).ConfigureAwait(false);
        byte[]?[] found = await GetAsync(
            bodies, static id => new Key(Kind.SmallBody, id.Value, 0), missing => _store.GetBodiesAsync(missing, maxSize, default), static body => body.Length, makeRoom,
            cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < found.Length; i++)
        {
            // Asked for by somebody who takes larger ones.
            if (found[i]?.Length > maxSize)
                found[i] = null;
        }
        return found;
    }

    /// <summary>What was computed of an email, or of several of which it is the first, and kept; null where there is nothing. What it is, only its door knows.</summary>
    /// <param name="what">Tells things apart that are computed of the same email.</param>
    public object? FindComputed(AccountId account, EmailId email, int what = 0) =>
        _recent.TryGet(new Key(Kind.Computed, account.Value, email.Value, what), out object? value) ? value : null;

    /// <summary>Keeps what was computed of emails beside them, in place of what was there; immutable, and good for as long as the emails are.</summary>
    /// <param name="octets">That it takes: counted with all the rest.</param>
    /// <param name="what">As <see cref="FindComputed"/>.</param>
    public void KeepComputed(AccountId account, EmailId email, object value, long octets, int what = 0) =>
        _recent.Add(new Key(Kind.Computed, account.Value, email.Value, what), value, octets);

    /// <inheritdoc/>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(BodyId body, long size, long offset, long count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, size);
        return size > _capacity / LargestPart ? _store.ReadAsync(body, size, offset, count, cancellationToken) : ReadPiecesAsync(body, size, offset, offset + count, cancellationToken);
    }

    /// <summary>
    /// What makes room here has lived long: it is garbage of the oldest generation, of which the collector lets nearly as much gather as there is that lives. So a quarter of the whole at most may gather.
    /// </summary>
    private void Removed(object value, long octets)
    {
        if (value is Piece piece)
            piece.Release();
        else if (Interlocked.Add(ref _garbage, octets) > Math.Max(_capacity / 4, LeastGarbage))
        {
            Interlocked.Exchange(ref _garbage, 0);
            // Behind everybody's back, and not under the lock that readers wait for.
            ThreadPool.UnsafeQueueUserWorkItem(static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false), null);
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPiecesAsync(
        BodyId body, long size, long offset, long end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (offset < end)
        {
            (long no, long start) = Math.DivRem(offset, PieceSize);
            Piece piece = await HoldAsync(body, size, no, cancellationToken).ConfigureAwait(false);
            try
            {
                int length = (int)Math.Min(piece.Octets.Length - start, end - offset);
                offset += length;
                // The next are on their way while the client takes this one: PostgreSQL puts one together while it sends another. Nobody holds them meanwhile but the cache.
                for (long next = no + 1; next <= no + Ahead && next * PieceSize < end; next++)
                    _ = FindAsync(body, size, next, cancellationToken);
                yield return piece.Octets.Slice((int)start, length);
            }
            finally
            {
                piece.Release();
            }
        }
    }

    private async ValueTask<Piece> HoldAsync(BodyId body, long size, long no, CancellationToken cancellationToken)
    {
        while (true)
        {
            Piece piece = await FindAsync(body, size, no, cancellationToken).ConfigureAwait(false);
            // It may have made room already.
            if (piece.TryHold())
                return piece;
        }
    }

    private async Task<Piece> FindAsync(BodyId body, long size, long no, CancellationToken cancellationToken)
    {
        Piece?[] piece = await GetAsync([no], n => new Key(Kind.Piece, body.Value, n), LoadAsync, static p => p.Kept, makeRoom: true, cancellationToken).ConfigureAwait(false);
        return piece[0]!;

        async ValueTask<IReadOnlyList<Piece?>> LoadAsync(IReadOnlyList<long> missing)
        {
            long start = missing[0] * PieceSize;
            var loaded = new Piece((int)Math.Min(PieceSize, size - start));
            try
            {
                await loaded.ReadAsync(_store.ReadAsync(body, size, start, loaded.Octets.Length, default)).ConfigureAwait(false);
            }
            catch
            {
                loaded.Release();
                throw;
            }
            return [loaded];
        }
    }

    /// <summary>
    /// What is kept, what others are reading already, and all the rest by one call of <paramref name="load"/>. That call is everybody's: it goes on when the one who made it has left.
    /// </summary>
    /// <param name="load">Answers in the order asked, null for what is not there, which is not kept.</param>
    private async ValueTask<TValue?[]> GetAsync<TId, TValue>(
        IReadOnlyList<TId> ids, Func<TId, Key> keyOf, Func<IReadOnlyList<TId>, ValueTask<IReadOnlyList<TValue?>>> load, Func<TValue, long> sizeOf, bool makeRoom,
        CancellationToken cancellationToken)
        where TValue : class
    {
        var found = new TValue?[ids.Count];
        List<int>? open = null;
        for (int i = 0; i < found.Length; i++)
        {
            if (_recent.TryGet(keyOf(ids[i]), out object? kept))
                found[i] = (TValue)kept;
            else
                (open ??= []).Add(i);
        }
        if (open is null)
            return found;
        var awaited = new Reading[open.Count];
        var own = new TaskCompletionSource<IReadOnlyList<object?>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var missing = new List<TId>();
        lock (_gate)
        {
            for (int i = 0; i < awaited.Length; i++)
            {
                Key key = keyOf(ids[open[i]]);
                if (!_underWay.TryGetValue(key, out awaited[i]))
                {
                    _underWay.Add(key, awaited[i] = new Reading(own.Task, missing.Count));
                    missing.Add(ids[open[i]]);
                }
            }
        }
        if (missing.Count > 0)
            _ = LoadAsync(missing, keyOf, load, sizeOf, makeRoom, own);
        for (int i = 0; i < awaited.Length; i++)
        {
            IReadOnlyList<object?> values = await awaited[i].Values.WaitAsync(cancellationToken).ConfigureAwait(false);
            found[open[i]] = (TValue?)values[awaited[i].Place];
        }
        return found;
    }

    private async Task LoadAsync<TId, TValue>(
        List<TId> missing, Func<TId, Key> keyOf, Func<IReadOnlyList<TId>, ValueTask<IReadOnlyList<TValue?>>> load, Func<TValue, long> sizeOf, bool makeRoom,
        TaskCompletionSource<IReadOnlyList<object?>> waiting)
        where TValue : class
    {
        IReadOnlyList<TValue?>? values = null;
        Exception? failure = null;
        try
        {
            values = await load(missing).ConfigureAwait(false);
            for (int i = 0; i < missing.Count; i++)
            {
                if (values[i] is { } value)
                    _recent.Add(keyOf(missing[i]), value, sizeOf(value), makeRoom);
            }
        }
        catch (Exception e)
        {
            failure = e;
        }
        // What is read is kept already: who comes in between finds it in one place or the other.
        lock (_gate)
        {
            foreach (TId id in missing)
                _underWay.Remove(keyOf(id));
        }
        if (failure is null)
        {
            waiting.SetResult(values!);
            return;
        }
        waiting.SetException(failure);
        // Those who waited may have gone: nobody need look at it.
        _ = waiting.Task.Exception;
    }

    /// <summary>A call that is under way, and where in its answer a value will stand.</summary>
    private readonly record struct Reading(Task<IReadOnlyList<object?>> Values, int Place);

    /// <param name="A">The account of an email, or a body.</param>
    /// <param name="B">The email, or the number of a piece.</param>
    /// <param name="What">Of what is computed.</param>
    private readonly record struct Key(Kind Kind, long A, long B, int What = 0);

    /// <summary>
    /// Octets in an array that is used again once nobody holds it, neither the cache nor a reader: large arrays that are left to the garbage collector pile up to several times what is kept.
    /// </summary>
    private sealed class Piece(int length)
    {
        private readonly byte[] _array = ArrayPool<byte>.Shared.Rent(length);

        // The cache's, or of who has just read it.
        private int _holds = 1;

        public ReadOnlyMemory<byte> Octets => _array.AsMemory(0, length);

        /// <summary>Octets that it takes.</summary>
        public int Kept => _array.Length;

        public async Task ReadAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> parts)
        {
            int at = 0;
            await foreach (ReadOnlyMemory<byte> part in parts.ConfigureAwait(false))
            {
                part.CopyTo(_array.AsMemory(at));
                at += part.Length;
            }
        }

        /// <summary>False: nobody holds it any more, and it is lost.</summary>
        public bool TryHold()
        {
            for (int holds = Volatile.Read(ref _holds); holds > 0;)
            {
                int before = Interlocked.CompareExchange(ref _holds, holds + 1, holds);
                if (before == holds)
                    return true;
                holds = before;
            }
            return false;
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref _holds) == 0)
                ArrayPool<byte>.Shared.Return(_array);
        }
    }
}
