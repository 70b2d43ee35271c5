using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>
/// What SORT and THREAD compare, of the messages of a chunk of a mailbox (<see cref="MessageChunk"/>), kept in the front end with the bodies that were read last: an email never changes,
/// and its keys are much smaller than its envelope. Those of another collation than the default are made for the command, and not kept. Kept by the first email of the chunk, and believed where all its emails are the same; where some are, theirs are taken over.
/// </summary>
internal sealed class MessageKeys(IMessageBodies store, AccountId account, Collation collation)
{
    /// <summary>A chunk is read as a whole where a command is about one message in so many of it, or more.</summary>
    private const int WorthWhole = 8;

    private readonly Collation _collation = collation;
    private readonly CachedBodies? _cache = collation == Collation.Unicode ? store as CachedBodies : null;
    private readonly MessageHeads _heads = new(store, account);

    /// <summary>The keys of messages of one version.</summary>
    /// <param name="rows">In the order of the mailbox.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<KeyTable> LoadAsync(MailboxSnapshot messages, MessageRef[] rows, IReadOnlyCollection<KeyKind> kinds, CancellationToken cancellationToken)
    {
        var table = new KeyTable(rows.Length);
        if (kinds.Count == 0)
            return table;
        var open = new Queue<Reading>();
        int start = 0, next = 0;
        foreach (MessageChunk chunk in messages.Chunks)
        {
            int first = next, end = start + chunk.Count;
            while (next < rows.Length && rows[next].Index < end)
                next++;
            if (next > first)
            {
                var asked = new ArraySegment<MessageRef>(rows, first, next - first);
                var known = _cache?.FindComputed(account, new EmailId(chunk.Fixed.Email[0])) as ChunkKeys;
                if (known is not null && known.Emails.AsSpan().SequenceEqual(chunk.Fixed.Email) && kinds.All(known.Has))
                    table.Set(first, asked, known, start);
                else if (_cache is null || asked.Count * WorthWhole < chunk.Count)
                    open.Enqueue(new Reading(this, table, first, asked, asked, -1, kinds, null));
                else
                    open.Enqueue(new Reading(this, table, first, asked, [.. Enumerable.Range(start, chunk.Count).Select(i => messages[i])], start, kinds, known));
            }
            start = end;
        }
        if (open.Count == 0)
            return table;
        MessageRef[] unread = [.. open.SelectMany(static r => r.Unread)];
        foreach (Reading reading in open.Where(static r => r.Unread.Count == 0))
            reading.Finish();
        using IEnumerator<Reading> readings = open.Where(static r => r.Unread.Count > 0).GetEnumerator();
        readings.MoveNext();
        await _heads.ReadAsync(unread, (row, content) =>
        {
            if (readings.Current.Add(row, content))
                readings.MoveNext();
        }, cancellationToken).ConfigureAwait(false);
        return table;
    }

    private void Keep(long firstEmail, ChunkKeys keys) => _cache?.KeepComputed(account, new EmailId(firstEmail), keys, keys.Octets);

    /// <summary>The keys of a chunk that are being made.</summary>
    private sealed class Reading
    {
        private readonly MessageKeys _of;
        private readonly KeyTable _table;
        private readonly int _first;
        private readonly IReadOnlyList<MessageRef> _asked;
        private readonly IReadOnlyList<MessageRef> _rows;
        private readonly int _start;
        private readonly KeyKind[] _kinds;
        private readonly KeyColumn.Builder[] _builders;
        private readonly ChunkKeys? _known;
        private readonly int[] _knownAt;
        private int _done;
        private bool _missing;

        /// <param name="first">The place of the first of <paramref name="asked"/> among those that the command is about.</param>
        /// <param name="rows">Whose keys are made.</param>
        /// <param name="start">The chunk's first place in the version; -1: not all of a chunk, which is not kept.</param>
        /// <param name="known">Keys of an earlier version of the chunk.</param>
        public Reading(
            MessageKeys of, KeyTable table, int first, IReadOnlyList<MessageRef> asked, IReadOnlyList<MessageRef> rows, int start, IReadOnlyCollection<KeyKind> kinds, ChunkKeys? known)
        {
            (_of, _table, _first, _asked, _rows, _start, _known) = (of, table, first, asked, rows, start, known);
            _kinds = [.. kinds];
            _builders = [.. _kinds.Select(kind => KeyColumn.Builder.Of(kind, of._collation))];
            _knownAt = new int[rows.Count];
            Array.Fill(_knownAt, -1);
            if (known is not null && kinds.All(known.Has))
            {
                var places = new Dictionary<long, int>(known.Emails.Length);
                for (int i = 0; i < known.Emails.Length; i++)
                    places[known.Emails[i]] = i;
                for (int i = 0; i < _knownAt.Length; i++)
                    _knownAt[i] = places.GetValueOrDefault(rows[i].Email.Value, -1);
            }
            Unread = [.. rows.Where((_, i) => _knownAt[i] < 0)];
        }

        /// <summary>What has to be read, in order.</summary>
        public IReadOnlyList<MessageRef> Unread { get; }

        /// <summary>The next of <see cref="Unread"/>; true when it was the last.</summary>
        public bool Add(MessageRef row, MessageContent? content)
        {
            AddKnown();
            foreach (KeyColumn.Builder builder in _builders)
                builder.Add(row, content);
            _missing |= content is null;
            _done++;
            AddKnown();
            if (_done < _rows.Count)
                return false;
            Finish();
            return true;
        }

        public void Finish()
        {
            AddKnown();
            long[] emails = [.. _rows.Select(static r => r.Email.Value)];
            var columns = new Dictionary<KeyKind, KeyColumn>();
            for (int i = 0; i < _kinds.Length; i++)
                columns.Add(_kinds[i], _builders[i].Finish());
            var keys = new ChunkKeys(emails, _known is { } known && known.Emails.AsSpan().SequenceEqual(emails) ? known.With(columns) : columns);
            _table.Set(_first, _asked, keys, _start);
            // Of what is gone nothing is known: who has it in his view still asks again.
            if (_start >= 0 && !_missing)
                _of.Keep(emails[0], keys);
        }

        private void AddKnown()
        {
            for (; _done < _rows.Count && _knownAt[_done] is >= 0 and var at; _done++)
            {
                for (int i = 0; i < _kinds.Length; i++)
                    _builders[i].Add(_known![_kinds[i]], at);
            }
        }
    }
}

/// <summary>Keys of some emails. Immutable.</summary>
internal sealed class ChunkKeys(long[] emails, IReadOnlyDictionary<KeyKind, KeyColumn> columns)
{
    /// <summary>In the order of the columns.</summary>
    public long[] Emails => emails;

    public KeyColumn this[KeyKind kind] => columns[kind];

    /// <summary>Octets that it takes.</summary>
    public long Octets => (emails.Length * sizeof(long)) + columns.Values.Sum(static c => c.Octets + 64);

    public bool Has(KeyKind kind) => columns.ContainsKey(kind);

    /// <summary>Its columns and some others.</summary>
    public IReadOnlyDictionary<KeyKind, KeyColumn> With(Dictionary<KeyKind, KeyColumn> others)
    {
        foreach ((KeyKind kind, KeyColumn column) in columns)
            others.TryAdd(kind, column);
        return others;
    }
}

/// <summary>The keys of the messages that a command is about, by their place among them.</summary>
internal sealed class KeyTable(int count)
{
    private readonly ChunkKeys[] _keys = new ChunkKeys[count];
    private readonly int[] _places = new int[count];

    private readonly Dictionary<SortCriterion, KeyText[]> _annotations = [];

    /// <summary>The value of an annotation, as it is compared; empty for none.</summary>
    public KeyText Annotation(SortCriterion criterion, int row) => _annotations[criterion][row];

    internal void Set(SortCriterion criterion, KeyText[] values) => _annotations[criterion] = values;

    public long Date(int row) => ((DateKeys)_keys[row][KeyKind.Date])[_places[row]];

    public KeyText Text(KeyKind kind, int row) => ((TextKeys)_keys[row][kind])[_places[row]];

    public bool IsReplyOrForward(int row) => ((TextKeys)_keys[row][KeyKind.Subject]).IsReplyOrForward(_places[row]);

    /// <summary>The message's own identifier, 0 for none, and what came before it.</summary>
    public UInt128 Links(int row, out ReadOnlySpan<UInt128> references)
    {
        var links = (LinkKeys)_keys[row][KeyKind.Links];
        references = links.References(_places[row]);
        return links[_places[row]];
    }

    /// <param name="first">The place of the first of <paramref name="rows"/>.</param>
    /// <param name="start">The place in the version of the message whose keys stand first; -1: the keys are those of <paramref name="rows"/>.</param>
    internal void Set(int first, IReadOnlyList<MessageRef> rows, ChunkKeys keys, int start)
    {
        for (int i = 0; i < rows.Count; i++)
        {
            _keys[first + i] = keys;
            _places[first + i] = start < 0 ? i : rows[i].Index - start;
        }
    }
}
