using System.Diagnostics.CodeAnalysis;

namespace MailCluster.Cluster;

/// <summary>
/// Values by key, up to a number of octets in all: what was not used for longest makes room, before the new value is taken in. Any thread.
/// </summary>
/// <param name="capacity">Octets at most.</param>
/// <param name="removed">Called with a value that has made room, or whose place another took, and its octets with <see cref="Overhead"/>; must be short.</param>
/// <remarks>
/// <c>MemoryCache</c> with a size limit refuses a value that does not fit and makes room later, in the background; a client that reads a mailbox from end to end would find nothing of it.
/// </remarks>
public sealed class RecentlyUsed<TKey, TValue>(long capacity, Action<TValue, long>? removed = null) where TKey : struct where TValue : class
{
    /// <summary>What an entry takes besides its value: itself, and its part of the dictionary.</summary>
    public const int Overhead = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Entry> _entries = [];
    private Entry? _newest;
    private Entry? _oldest;
    private long _octets;

    /// <summary>Octets of all values, with <see cref="Overhead"/> for each; never above the capacity.</summary>
    public long Octets
    {
        get
        {
            lock (_gate)
                return _octets;
        }
    }

    /// <summary>Finds a value, which counts as used now.</summary>
    public bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                value = null;
                return false;
            }
            if (entry != _newest)
            {
                Unlink(entry);
                Link(entry);
            }
            value = entry.Value;
            return true;
        }
    }

    /// <summary>Takes a value in, in place of one of the same key; one that is larger than the capacity is left out.</summary>
    /// <param name="makeRoom">False: only where there is room for it already.</param>
    public void Add(TKey key, TValue value, long octets, bool makeRoom = true)
    {
        octets += Overhead;
        if (octets > capacity)
            return;
        lock (_gate)
        {
            if (!makeRoom && _octets + octets > capacity)
                return;
            if (_entries.TryGetValue(key, out Entry? known))
                Remove(known);
            while (_octets + octets > capacity)
                Remove(_oldest!);
            var entry = new Entry(key, value, octets);
            _entries.Add(key, entry);
            _octets += octets;
            Link(entry);
        }
    }

    private void Remove(Entry entry)
    {
        _entries.Remove(entry.Key);
        _octets -= entry.Octets;
        Unlink(entry);
        removed?.Invoke(entry.Value, entry.Octets);
    }

    private void Link(Entry entry)
    {
        entry.Older = _newest;
        _newest?.Newer = entry;
        _newest = entry;
        _oldest ??= entry;
    }

    private void Unlink(Entry entry)
    {
        if (entry.Newer is { } newer)
            newer.Older = entry.Older;
        else
            _newest = entry.Older;
        if (entry.Older is { } older)
            older.Newer = entry.Newer;
        else
            _oldest = entry.Newer;
        (entry.Newer, entry.Older) = (null, null);
    }

    private sealed class Entry(TKey key, TValue value, long octets)
    {
        public TKey Key => key;

        public TValue Value => value;

        public long Octets => octets;

        public Entry? Newer { get; set; }

        public Entry? Older { get; set; }
    }
}
