namespace MailCluster.Contracts;

/// <summary>
/// One version of a mailbox: all messages in UID order. Immutable and persistent: <see cref="Apply"/> copies only the chunks that it touches,
/// so that versions are cheap to keep and to compare. A message's index is its place in this version; a session's message
/// sequence number is that index + 1 of the version that the session has told its client (RFC 9051 §2.3.1.2).
/// </summary>
public sealed class MailboxSnapshot
{
    private readonly MessageChunk[] _chunks;
    private readonly int[] _starts;
    private string[]? _keywordsInUse;

    private MailboxSnapshot(long epoch, long modSeq, uint uidNext, KeywordTable keywords, MessageChunk[] chunks, uint uidValidity, MailboxSharing sharing)
    {
        UidValidity = uidValidity;
        Sharing = sharing;
        Epoch = epoch;
        ModSeq = modSeq;
        UidNext = uidNext;
        Keywords = keywords;
        _chunks = chunks;
        _starts = new int[chunks.Length];
        for (int i = 0; i < chunks.Length; i++)
        {
            _starts[i] = Count;
            Count += chunks[i].Count;
        }
    }

    /// <summary>The claim of the owner that made this version; versions of different epochs are not comparable by modseq alone.</summary>
    public long Epoch { get; }

    /// <summary>HIGHESTMODSEQ (RFC 7162 §3.1.2.1).</summary>
    public long ModSeq { get; }

    /// <summary>UIDNEXT: above every UID in this version.</summary>
    public uint UidNext { get; }

    /// <summary>UIDVALIDITY as the owner of <see cref="Epoch"/> found it; 0: not known here. A new one always comes with a new epoch.</summary>
    public uint UidValidity { get; }

    public KeywordTable Keywords { get; }

    /// <summary>The rights of others, and what each of them has seen.</summary>
    public MailboxSharing Sharing { get; }

    /// <summary>The number of messages.</summary>
    public int Count { get; }

    public IReadOnlyList<MessageChunk> Chunks => _chunks;

    /// <summary>What STATUS counts; of a new version only the chunks that changed are counted again.</summary>
    public MessageTotals Totals => field ??= MessageTotals.Of(_chunks);

    /// <summary>The counters as the mailbox's row has them at this version.</summary>
    /// <param name="recent">Messages that no session was told to be \Recent: the owner alone knows.</param>
    public MailboxStatus ToStatus(MailboxId id, long recent = 0) =>
        new(id, UidValidity, UidNext, ModSeq, Totals.Messages, Totals.Unseen, Totals.Deleted, Totals.Bytes, recent, Totals.DeletedBytes);

    /// <summary>A version made of chunks in UID order, as loaded from storage or received from the owner.</summary>
    public static MailboxSnapshot Of(long epoch, long modSeq, uint uidNext, KeywordTable keywords, IEnumerable<MessageChunk> chunks, uint uidValidity = 0,
        MailboxSharing? sharing = null) =>
        new(epoch, modSeq, uidNext, keywords, [.. chunks.Where(static c => c.Count > 0)], uidValidity, sharing ?? MailboxSharing.None);

    /// <summary>A version made of rows in UID order.</summary>
    public static MailboxSnapshot OfRows(long epoch, long modSeq, uint uidNext, IEnumerable<MessageRow> rows, uint uidValidity = 0)
    {
        var builder = new ChunkBuilder(KeywordTable.Empty, []);
        foreach (MessageRow row in rows)
            builder.Add(row);
        return new MailboxSnapshot(epoch, modSeq, uidNext, builder.Keywords, builder.Finish(), uidValidity, MailboxSharing.None);
    }

    /// <summary>This version under another claim, the same messages.</summary>
    public MailboxSnapshot Under(long epoch, uint uidValidity) => new(epoch, ModSeq, UidNext, Keywords, _chunks, uidValidity, Sharing);

    /// <summary>This version with what is known of its sharing.</summary>
    public MailboxSnapshot With(MailboxSharing sharing) =>
        ReferenceEquals(sharing, Sharing) ? this : new(Epoch, ModSeq, UidNext, Keywords, _chunks, UidValidity, sharing);

    /// <summary>This version with a UIDNEXT that rose without a message that stays.</summary>
    public MailboxSnapshot WithUidNext(uint uidNext) => new(Epoch, ModSeq, uidNext, Keywords, _chunks, UidValidity, Sharing);

    /// <summary>
    /// This version as an account sees it that is not the owner: with its own \Seen instead of the owner's. The views of two versions share the chunks that the versions share.
    /// </summary>
    public MailboxSnapshot For(AccountId viewer)
    {
        UidSet seen = Sharing.Seen(viewer);
        return new MailboxSnapshot(Epoch, ModSeq, UidNext, Keywords, Array.ConvertAll(_chunks, c => c.SeenAs(viewer, seen)), UidValidity, Sharing);
    }

    /// <summary>The message at <paramref name="index"/>, 0 ≤ index &lt; <see cref="Count"/>.</summary>
    public MessageRef this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            int c = Array.BinarySearch(_starts, index);
            if (c < 0)
                c = ~c - 1;
            return new MessageRef(this, _chunks[c], index - _starts[c], index);
        }
    }

    /// <summary>Finds a message by UID.</summary>
    public bool TryFind(uint uid, out MessageRef message)
    {
        int c = ChunkOf(uid);
        if (c >= 0 && _chunks[c].IndexOf(uid) is >= 0 and int i)
        {
            message = new MessageRef(this, _chunks[c], i, _starts[c] + i);
            return true;
        }
        message = default;
        return false;
    }

    /// <summary>The keywords that some message of this version has, sorted; of a new version only the chunks that changed are looked through again.</summary>
    public IReadOnlyList<string> KeywordsInUse() => _keywordsInUse ??=
        [.. _chunks.SelectMany(static c => c.KeywordSets).Distinct().SelectMany(Keywords.Keywords).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The number of messages whose UID is below <paramref name="uid"/>.</summary>
    public int CountBelow(uint uid)
    {
        int c = ChunkOf(uid);
        if (c < 0)
            return 0;
        int i = _chunks[c].IndexOf(uid);
        return _starts[c] + (i < 0 ? ~i : i);
    }

    /// <summary>All messages in UID order.</summary>
    public IEnumerable<MessageRef> Messages()
    {
        for (int c = 0; c < _chunks.Length; c++)
        {
            for (int i = 0; i < _chunks[c].Count; i++)
                yield return new MessageRef(this, _chunks[c], i, _starts[c] + i);
        }
    }

    /// <summary>The messages of this version whose UIDs are in <paramref name="uids"/>, in UID order.</summary>
    public IEnumerable<MessageRef> Messages(UidSet uids)
    {
        int c = 0;
        foreach (UidRange range in uids)
        {
            c = Math.Max(c, ChunkOf(range.First));
            for (bool inside = true; inside && c < _chunks.Length; c++)
            {
                MessageChunk chunk = _chunks[c];
                int i = chunk.IndexOf(range.First);
                for (i = i < 0 ? ~i : i; i < chunk.Count && (inside = chunk.Fixed.Uid[i] <= range.Last); i++)
                    yield return new MessageRef(this, chunk, i, _starts[c] + i);
                // The next range may go on in this chunk.
                if (!inside)
                    break;
            }
        }
    }

    /// <summary>
    /// The next version. <paramref name="delta"/> must start at this version (<see cref="Epoch"/>, <see cref="ModSeq"/>);
    /// effects on messages that are not here are without effect.
    /// </summary>
    /// <exception cref="InvalidOperationException">The delta starts elsewhere: the caller has missed one.</exception>
    public MailboxSnapshot Apply(MailboxDelta delta)
    {
        if (delta.Epoch != Epoch || delta.FromModSeq != ModSeq)
            throw new InvalidOperationException($"Delta {delta.Epoch}:{delta.FromModSeq}-{delta.ToModSeq} does not start at version {Epoch}:{ModSeq}.");
        MessageChunk?[] chunks = [.. _chunks];
        KeywordTable keywords = Keywords;
        uint uidNext = UidNext;
        MailboxSharing sharing = Sharing;
        foreach (MailboxEffect effect in delta.Effects)
        {
            switch (effect)
            {
                case MessagesAdded added when added.Rows.Count > 0:
                    var builder = new ChunkBuilder(keywords, chunks);
                    foreach (MessageRow row in added.Rows)
                        builder.Add(row);
                    keywords = builder.Keywords;
                    chunks = builder.Finish();
                    uidNext = Math.Max(uidNext, added.Rows[^1].Uid + 1);
                    if (added is { Viewer: { } by, Seen: { IsEmpty: false } seen })
                        sharing = sharing.With(by, sharing.Seen(by).Union(seen));
                    break;
                case FlagsChanged changed:
                    keywords = ChangeFlags(chunks, keywords, changed);
                    if (changed.Viewer is { } viewer && SeenAfter(sharing.Seen(viewer), changed) is { } after)
                        sharing = sharing.With(viewer, after);
                    break;
                case RightsChanged rights:
                    sharing = sharing with { Acl = rights.Acl };
                    break;
                case MessagesExpunged expunged:
                    Expunge(chunks, expunged.Uids);
                    break;
            }
        }
        var next = new MailboxSnapshot(Epoch, delta.ToModSeq, uidNext, keywords, [.. chunks.Where(static c => c is not null).Select(static c => c!)], UidValidity, sharing);
        // Combinations come and go; those that nobody has any more must not pile up.
        return keywords.Count > 4096 + (4L * next.Count) ? next.WithFreshKeywords() : next;
    }

    /// <summary>The same with a table of the combinations that are in use; the keywords keep their case.</summary>
    private MailboxSnapshot WithFreshKeywords()
    {
        KeywordTable keywords = KeywordTable.Empty;
        var codes = new Dictionary<int, int>();
        MessageChunk[] chunks = [.. _chunks.Select(chunk => new MessageChunk
        {
            Fixed = chunk.Fixed,
            ModSeq = chunk.ModSeq,
            Flags = [.. chunk.Flags.Select(code =>
            {
                int old = FlagCode.KeywordSet(code);
                if (!codes.TryGetValue(old, out int set))
                {
                    (keywords, set) = keywords.Intern(Keywords.Keywords(old));
                    codes.Add(old, set);
                }
                return FlagCode.Of(FlagCode.System(code), set);
            })],
        })];
        return new MailboxSnapshot(Epoch, ModSeq, UidNext, keywords, chunks, UidValidity, Sharing);
    }

    /// <summary>
    /// This version with messages of <paramref name="other"/> put back that are not in it: what a session sees while it may not yet tell its client
    /// of an EXPUNGE (RFC 9051 §7.5.1).
    /// </summary>
    public MailboxSnapshot Retaining(MailboxSnapshot other, UidSet uids)
    {
        if (uids.IsEmpty)
            return this;
        using IEnumerator<MessageRef> lost = other.Messages(uids).GetEnumerator();
        bool more = lost.MoveNext();
        var chunks = new List<MessageChunk>(_chunks.Length + 1);
        KeywordTable keywords = Keywords;
        var rows = new List<MessageRow>();
        for (int c = 0; c < _chunks.Length || more; c++)
        {
            // What was lost before the next chunk is merged into this one, or stands where there is none.
            MessageChunk? chunk = c < _chunks.Length ? _chunks[c] : null;
            uint end = c + 1 < _chunks.Length ? _chunks[c + 1].FirstUid : uint.MaxValue;
            rows.Clear();
            int place = 0;
            for (; more && (c + 1 >= _chunks.Length || lost.Current.Uid < end); more = lost.MoveNext())
            {
                for (; chunk is not null && place < chunk.Count && chunk.Fixed.Uid[place] < lost.Current.Uid; place++)
                    rows.Add(new MessageRef(this, chunk, place, 0).ToRow());
                if (chunk is null || place == chunk.Count || chunk.Fixed.Uid[place] != lost.Current.Uid)
                    rows.Add(lost.Current.ToRow());
            }
            if (rows.Count == place && chunk is not null)
            {
                chunks.Add(chunk);
                continue;
            }
            for (; chunk is not null && place < chunk.Count; place++)
                rows.Add(new MessageRef(this, chunk, place, 0).ToRow());
            var builder = new ChunkBuilder(keywords, []);
            foreach (MessageRow row in rows)
                builder.Add(row);
            keywords = builder.Keywords;
            chunks.AddRange(builder.Finish());
        }
        return new MailboxSnapshot(Epoch, ModSeq, UidNext, keywords, [.. chunks], UidValidity, Sharing);
    }

    private int ChunkOf(uint uid)
    {
        int lo = 0, hi = _chunks.Length - 1;
        while (lo <= hi)
        {
            int mid = (lo + hi) >>> 1;
            if (_chunks[mid].FirstUid <= uid)
                lo = mid + 1;
            else
                hi = mid - 1;
        }
        return hi;
    }

    /// <summary>What a viewer has seen after a change of his; null: the change is not about that.</summary>
    private static UidSet? SeenAfter(UidSet before, FlagsChanged change)
    {
        if (((change.Mask ?? FlagMask.All).System & SystemFlags.Seen) == 0)
            return null;
        bool named = (change.Flags.System & SystemFlags.Seen) != 0;
        return change.Mode switch
        {
            StoreMode.Replace => named ? before.Union(change.Uids) : before.Except(change.Uids),
            StoreMode.Add => named ? before.Union(change.Uids) : null,
            _ => named ? before.Except(change.Uids) : null,
        };
    }

    private static KeywordTable ChangeFlags(MessageChunk?[] chunks, KeywordTable keywords, FlagsChanged change)
    {
        // Few combinations stand before many messages: each is worked out once.
        var outcomes = new Dictionary<int, int>();
        FlagMask mask = change.Mask ?? FlagMask.All;
        SystemFlags may = change.Viewer is null ? mask.System : mask.System & ~SystemFlags.Seen;
        SystemFlags named = change.Flags.System & may;
        foreach ((int c, List<int> hits) in Hits(chunks, change.Uids))
        {
            MessageChunk chunk = chunks[c]!;
            int[] flags = [.. chunk.Flags];
            long[] modSeq = [.. chunk.ModSeq];
            foreach (int i in hits)
            {
                if (!outcomes.TryGetValue(flags[i], out int outcome))
                {
                    int set = FlagCode.KeywordSet(flags[i]);
                    if (mask.Keywords)
                        (keywords, set) = keywords.Change(set, change.Mode, change.Flags.Keywords);
                    SystemFlags system = FlagCode.System(flags[i]);
                    system = change.Mode switch
                    {
                        StoreMode.Replace => (system & ~may) | named,
                        StoreMode.Add => system | named,
                        _ => system & ~named,
                    };
                    outcome = FlagCode.Of(system, set);
                    outcomes[flags[i]] = outcome;
                }
                flags[i] = outcome;
                modSeq[i] = change.ModSeq;
            }
            chunks[c] = new MessageChunk { Fixed = chunk.Fixed, Flags = flags, ModSeq = modSeq };
        }
        return keywords;
    }

    private static void Expunge(MessageChunk?[] chunks, UidSet uids)
    {
        foreach ((int c, List<int> hits) in Hits(chunks, uids).ToList())
        {
            var gone = new HashSet<int>(hits);
            chunks[c] = chunks[c]!.Keep([.. Enumerable.Range(0, chunks[c]!.Count).Where(i => !gone.Contains(i))]);
        }
    }

    /// <summary>The places in each chunk of the messages that <paramref name="uids"/> names.</summary>
    private static IEnumerable<(int Chunk, List<int> Places)> Hits(MessageChunk?[] chunks, UidSet uids)
    {
        int r = 0;
        for (int c = 0; c < chunks.Length && r < uids.Count; c++)
        {
            if (chunks[c] is not { } chunk)
                continue;
            while (r < uids.Count && uids[r].Last < chunk.FirstUid)
                r++;
            List<int>? places = null;
            for (int k = r; k < uids.Count && uids[k].First <= chunk.LastUid; k++)
            {
                int i = chunk.IndexOf(uids[k].First);
                for (i = i < 0 ? ~i : i; i < chunk.Count && chunk.Fixed.Uid[i] <= uids[k].Last; i++)
                    (places ??= []).Add(i);
            }
            if (places is not null)
                yield return (c, places);
        }
    }

    /// <summary>Adds rows behind the last chunk, filling it up to its capacity first.</summary>
    private sealed class ChunkBuilder
    {
        private readonly List<MessageChunk> _chunks;
        private readonly List<MessageRow> _rows = [];
        private readonly List<int> _flags = [];
        private int _room;

        public ChunkBuilder(KeywordTable keywords, MessageChunk?[] chunks)
        {
            Keywords = keywords;
            _chunks = [.. chunks.Where(static c => c is not null).Select(static c => c!)];
            _room = _chunks.Count == 0 ? MessageChunk.Capacity : MessageChunk.Capacity - _chunks[^1].Count;
            if (_room <= 0)
                _room = MessageChunk.Capacity;
        }

        public KeywordTable Keywords { get; private set; }

        public void Add(MessageRow row)
        {
            (Keywords, int set) = Keywords.Intern(row.Flags.Keywords);
            _rows.Add(row);
            _flags.Add(FlagCode.Of(row.Flags.System, set));
            if (_rows.Count == _room)
                Flush();
        }

        public MessageChunk[] Finish()
        {
            Flush();
            return [.. _chunks];
        }

        private void Flush()
        {
            if (_rows.Count == 0)
                return;
            var chunk = MessageChunk.Of(_rows, _flags);
            if (_chunks.Count > 0 && _chunks[^1].Count + chunk.Count <= MessageChunk.Capacity)
                _chunks[^1] = _chunks[^1].Concat(chunk);
            else
                _chunks.Add(chunk);
            _rows.Clear();
            _flags.Clear();
            _room = MessageChunk.Capacity;
        }
    }
}

/// <summary>A message in a version of a mailbox: a cursor, no copy.</summary>
public readonly struct MessageRef(MailboxSnapshot snapshot, MessageChunk chunk, int place, int index)
{
    /// <summary>The place in the version, from 0; a sequence number is this + 1.</summary>
    public int Index => index;

    /// <summary>Where it stands, at <see cref="Place"/>.</summary>
    public MessageChunk Chunk => chunk;

    public int Place => place;

    public uint Uid => chunk.Fixed.Uid[place];

    public EmailId Email => new(chunk.Fixed.Email[place]);

    /// <summary>RFC822.SIZE, octets.</summary>
    public uint Size => chunk.Fixed.Size[place];

    /// <summary>With the zone that it was given with.</summary>
    public DateTimeOffset InternalDate =>
        DateTimeOffset.FromUnixTimeSeconds(chunk.Fixed.InternalDate[place]).ToOffset(TimeSpan.FromMinutes(chunk.Fixed.ZoneMinutes[place]));

    public DateTimeOffset SaveDate => DateTimeOffset.FromUnixTimeSeconds(chunk.Fixed.SaveDate[place]);

    public long Thread => chunk.Fixed.Thread[place];

    public long ModSeq => chunk.ModSeq[place];

    /// <summary>Equal codes of one version are equal flags.</summary>
    public int Code => chunk.Flags[place];

    public SystemFlags SystemFlags => FlagCode.System(Code);

    /// <summary>What <see cref="Code"/> is read by.</summary>
    public KeywordTable KeywordTable => snapshot.Keywords;

    public IReadOnlyList<string> Keywords => snapshot.Keywords.Keywords(FlagCode.KeywordSet(Code));

    public FlagList Flags => new(SystemFlags, Keywords);

    public bool Has(string keyword) => snapshot.Keywords.Has(FlagCode.KeywordSet(Code), keyword);

    public MessageRow ToRow() => new(
        Uid, Email, Size, chunk.Fixed.InternalDate[place], chunk.Fixed.ZoneMinutes[place], chunk.Fixed.SaveDate[place], Flags, ModSeq, Thread);
}
