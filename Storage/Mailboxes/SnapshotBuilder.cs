using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Makes chunks of rows as they are read, column by column, without an object for each message.</summary>
internal sealed class SnapshotBuilder(IReadOnlyDictionary<short, string> names)
{
    /// <summary>What <see cref="Add"/> reads, of mail.message m and mail.message_flags f.</summary>
    public const string Columns =
        "m.uid, m.email_id, m.thread_id, m.size, extract(epoch from m.internal_date)::bigint, m.zone, extract(epoch from m.save_date)::bigint, f.flags, f.keywords, f.modseq";

    private readonly List<MessageChunk> _chunks = [];
    private readonly Dictionary<string, int> _sets = [];
    private readonly uint[] _uid = new uint[MessageChunk.Capacity];
    private readonly long[] _email = new long[MessageChunk.Capacity];
    private readonly long[] _thread = new long[MessageChunk.Capacity];
    private readonly uint[] _size = new uint[MessageChunk.Capacity];
    private readonly long[] _date = new long[MessageChunk.Capacity];
    private readonly short[] _zone = new short[MessageChunk.Capacity];
    private readonly long[] _saved = new long[MessageChunk.Capacity];
    private readonly int[] _flags = new int[MessageChunk.Capacity];
    private readonly long[] _modSeq = new long[MessageChunk.Capacity];
    private int _count;

    public KeywordTable Keywords { get; private set; } = KeywordTable.Empty;

    /// <summary>Takes a row of <see cref="Columns"/>.</summary>
    public void Add(NpgsqlDataReader row)
    {
        int i = _count;
        _uid[i] = (uint)row.GetInt64(0);
        _email[i] = row.GetInt64(1);
        _thread[i] = row.GetInt64(2);
        _size[i] = (uint)row.GetInt64(3);
        _date[i] = row.GetInt64(4);
        _zone[i] = row.GetInt16(5);
        _saved[i] = row.GetInt64(6);
        _flags[i] = FlagCode.Of((SystemFlags)row.GetInt16(7), row.IsDBNull(8) ? 0 : Set(row.GetFieldValue<short[]>(8)));
        _modSeq[i] = row.GetInt64(9);
        if (++_count == MessageChunk.Capacity)
            Flush();
    }

    public IReadOnlyList<MessageChunk> Finish()
    {
        Flush();
        return _chunks;
    }

    private int Set(short[] ids)
    {
        string key = string.Join(' ', ids);
        if (!_sets.TryGetValue(key, out int set))
        {
            (Keywords, set) = Keywords.Intern(ids.Where(names.ContainsKey).Select(i => names[i]));
            _sets.Add(key, set);
        }
        return set;
    }

    private void Flush()
    {
        if (_count == 0)
            return;
        _chunks.Add(new MessageChunk
        {
            Fixed = new MessageColumns
            {
                Uid = _uid[.._count], Email = _email[.._count], Thread = _thread[.._count], Size = _size[.._count],
                InternalDate = _date[.._count], ZoneMinutes = _zone[.._count], SaveDate = _saved[.._count],
            },
            Flags = _flags[.._count],
            ModSeq = _modSeq[.._count],
        });
        _count = 0;
    }
}
