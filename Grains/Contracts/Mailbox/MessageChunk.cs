using System.Collections.Concurrent;

namespace MailCluster.Contracts;

/// <summary>The columns of a chunk that never change while a message exists.</summary>
[GenerateSerializer, Immutable, Alias("MessageColumns")]
public sealed class MessageColumns
{
    [Id(0)] public required uint[] Uid { get; init; }
    [Id(1)] public required long[] Email { get; init; }
    [Id(2)] public required uint[] Size { get; init; }
    [Id(3)] public required long[] InternalDate { get; init; }
    [Id(4)] public required short[] ZoneMinutes { get; init; }
    [Id(5)] public required long[] SaveDate { get; init; }
    [Id(6)] public required long[] Thread { get; init; }
}

/// <summary>
/// Some hundred messages in UID order, columns side by side. Immutable: a change of flags makes a new chunk that shares
/// <see cref="Fixed"/>, and two versions of a mailbox share every chunk in which nothing changed.
/// </summary>
[GenerateSerializer, Immutable, Alias("MessageChunk")]
public sealed class MessageChunk
{
    /// <summary>The most messages in a chunk.</summary>
    public const int Capacity = 512;

    [Id(0)] public required MessageColumns Fixed { get; init; }

    /// <summary><see cref="FlagCode"/> of each message.</summary>
    [Id(1)] public required int[] Flags { get; init; }

    [Id(2)] public required long[] ModSeq { get; init; }

    public int Count => Flags.Length;

    /// <summary>What STATUS counts of these messages; counted once.</summary>
    public MessageTotals Totals => field ??= MessageTotals.Of(this);

    /// <summary>The combinations of keywords that some of these messages have, but for that of none; found once.</summary>
    public IReadOnlyList<int> KeywordSets => field ??= Array.TrueForAll(Flags, static code => FlagCode.KeywordSet(code) == 0) ? [] : [.. Flags.Select(FlagCode.KeywordSet).Where(static set => set != 0).Distinct()];

    // What viewers see instead of this; no part of the message that is sent.
    [NonSerialized]
    private ConcurrentDictionary<AccountId, MessageChunk>? _views;

    /// <summary>
    /// This chunk with a viewer's own \Seen. Whenever that changes of one of its messages the chunk is another, with another modseq: so that the view of one chunk is
    /// always the same object, and can be compared as chunks are.
    /// </summary>
    internal MessageChunk SeenAs(AccountId viewer, UidSet seen)
    {
        ConcurrentDictionary<AccountId, MessageChunk> views = _views ?? Interlocked.CompareExchange(ref _views, new(), null) ?? _views;
        if (views.TryGetValue(viewer, out MessageChunk? known))
            return known;
        int[] flags = new int[Count];
        int range = 0;
        for (int i = 0; i < flags.Length; i++)
        {
            while (range < seen.Count && seen[range].Last < Fixed.Uid[i])
                range++;
            bool isSeen = range < seen.Count && seen[range].First <= Fixed.Uid[i];
            SystemFlags system = FlagCode.System(Flags[i]);
            flags[i] = FlagCode.Of(isSeen ? system | SystemFlags.Seen : system & ~SystemFlags.Seen, FlagCode.KeywordSet(Flags[i]));
        }
        return views.GetOrAdd(viewer, flags.AsSpan().SequenceEqual(Flags) ? this : new MessageChunk { Fixed = Fixed, Flags = flags, ModSeq = ModSeq });
    }

    public uint FirstUid => Fixed.Uid[0];

    public uint LastUid => Fixed.Uid[^1];

    /// <summary>The index of <paramref name="uid"/>, or the complement of where it would stand.</summary>
    public int IndexOf(uint uid) => Array.BinarySearch(Fixed.Uid, uid);

    /// <summary>A chunk of rows in UID order, with flags already interned.</summary>
    public static MessageChunk Of(IReadOnlyList<MessageRow> rows, IReadOnlyList<int> flags)
    {
        int n = rows.Count;
        var columns = new MessageColumns
        {
            Uid = new uint[n], Email = new long[n], Size = new uint[n], InternalDate = new long[n],
            ZoneMinutes = new short[n], SaveDate = new long[n], Thread = new long[n],
        };
        var modSeq = new long[n];
        for (int i = 0; i < n; i++)
        {
            MessageRow row = rows[i];
            columns.Uid[i] = row.Uid;
            columns.Email[i] = row.Email.Value;
            columns.Size[i] = row.Size;
            columns.InternalDate[i] = row.InternalDate;
            columns.ZoneMinutes[i] = row.ZoneMinutes;
            columns.SaveDate[i] = row.SaveDate;
            columns.Thread[i] = row.Thread;
            modSeq[i] = row.ModSeq;
        }
        return new MessageChunk { Fixed = columns, Flags = [.. flags], ModSeq = modSeq };
    }

    /// <summary>The messages at <paramref name="keep"/>, in that order; null where none is kept.</summary>
    public MessageChunk? Keep(IReadOnlyList<int> keep)
    {
        if (keep.Count == 0)
            return null;
        T[] Pick<T>(T[] column)
        {
            var picked = new T[keep.Count];
            for (int i = 0; i < picked.Length; i++)
                picked[i] = column[keep[i]];
            return picked;
        }
        return new MessageChunk { Fixed = Select(Pick, Pick, Pick, Pick), Flags = Pick(Flags), ModSeq = Pick(ModSeq) };
    }

    /// <summary>This chunk's messages followed by <paramref name="next"/>'s.</summary>
    public MessageChunk Concat(MessageChunk next)
    {
        MessageColumns a = Fixed, b = next.Fixed;
        return new MessageChunk
        {
            Fixed = new MessageColumns
            {
                Uid = [.. a.Uid, .. b.Uid], Email = [.. a.Email, .. b.Email], Size = [.. a.Size, .. b.Size],
                InternalDate = [.. a.InternalDate, .. b.InternalDate], ZoneMinutes = [.. a.ZoneMinutes, .. b.ZoneMinutes],
                SaveDate = [.. a.SaveDate, .. b.SaveDate], Thread = [.. a.Thread, .. b.Thread],
            },
            Flags = [.. Flags, .. next.Flags],
            ModSeq = [.. ModSeq, .. next.ModSeq],
        };
    }

    private MessageColumns Select(Func<uint[], uint[]> u, Func<long[], long[]> l, Func<short[], short[]> s, Func<uint[], uint[]> size) => new()
    {
        Uid = u(Fixed.Uid), Email = l(Fixed.Email), Size = size(Fixed.Size), InternalDate = l(Fixed.InternalDate),
        ZoneMinutes = s(Fixed.ZoneMinutes), SaveDate = l(Fixed.SaveDate), Thread = l(Fixed.Thread),
    };
}
