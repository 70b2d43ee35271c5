namespace MailCluster.Contracts;

/// <summary>
/// The keywords of one mailbox and the combinations of them that messages have, interned: a message then needs 4 bytes
/// for all its flags (<see cref="FlagCode"/>). Immutable; ids are only ever added, so a later table reads every code of an earlier one.
/// Keywords match without case and keep the case first seen.
/// </summary>
public sealed class KeywordTable
{
    /// <summary>The most keywords a mailbox may have; beyond it STORE answers NO [LIMIT] and \* leaves PERMANENTFLAGS.</summary>
    public const int MaxKeywords = 1000;

    public static readonly KeywordTable Empty = new(new Combinations(), 1);

    // Shared with the tables that this one grew from: each sees the first of them.
    private readonly Combinations _all;

    private KeywordTable(Combinations all, int count) => (_all, Count) = (all, count);

    /// <summary>The number of combinations, the empty one included.</summary>
    public int Count { get; }

    /// <summary>A table of these combinations after the empty one, in this order; none of them twice.</summary>
    internal static KeywordTable Of(string[][] sets)
    {
        var all = new Combinations();
        foreach (string[] set in sets)
            all.Add(set);
        return new KeywordTable(all, all.Count);
    }

    internal string[][] Sets() => _all.First(Count)[1..];

    /// <summary>The keywords of combination <paramref name="set"/>, sorted without case.</summary>
    public IReadOnlyList<string> Keywords(int set)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)set, (uint)Count, nameof(set));
        return _all[set];
    }

    /// <summary>Every keyword that some combination has, each once, sorted.</summary>
    public IReadOnlyList<string> All() =>
        [.. _all.First(Count).SelectMany(static s => s).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>True when combination <paramref name="set"/> has <paramref name="keyword"/>, in any case.</summary>
    public bool Has(int set, string keyword) => set != 0 && Keywords(set).Contains(keyword, StringComparer.OrdinalIgnoreCase);

    /// <summary>The number of a combination and a table that has it (this one, where it is known).</summary>
    public (KeywordTable Table, int Set) Intern(IEnumerable<string> keywords)
    {
        string[] sorted = [.. keywords.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];
        if (sorted.Length == 0)
            return (this, 0);
        (Combinations all, int set) = _all.Intern(sorted, Count);
        return set < Count ? (this, set) : (new KeywordTable(all, set + 1), set);
    }

    /// <summary>The combination that a STORE of <paramref name="keywords"/> makes of combination <paramref name="set"/>.</summary>
    public (KeywordTable Table, int Set) Change(int set, StoreMode mode, IReadOnlyList<string> keywords) => mode switch
    {
        StoreMode.Replace => Intern(keywords),
        StoreMode.Add when keywords.Count == 0 => (this, set),
        StoreMode.Add => Intern(Keywords(set).Concat(keywords)),
        _ when set == 0 || keywords.Count == 0 => (this, set),
        _ => Intern(Keywords(set).Where(k => !keywords.Contains(k, StringComparer.OrdinalIgnoreCase))),
    };

    /// <summary>A list that only grows, so that a table with one more combination costs one entry and not a copy of all.</summary>
    private sealed class Combinations
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, int> _numbers = new(StringComparer.OrdinalIgnoreCase);
        private readonly Dictionary<string, string> _firstSeen = new(StringComparer.OrdinalIgnoreCase);
        private string[][] _sets = new string[4][];

        public Combinations() => Add([]);

        public int Count { get; private set; }

        public string[] this[int set] => Volatile.Read(ref _sets)[set];

        public string[][] First(int count) => Volatile.Read(ref _sets)[..count];

        public void Add(string[] sorted)
        {
            if (Count == _sets.Length)
            {
                var larger = new string[Count * 2][];
                _sets.CopyTo(larger, 0);
                Volatile.Write(ref _sets, larger);
            }
            string[] kept = [.. sorted.Select(k => _firstSeen.TryGetValue(k, out string? known) ? known : k)];
            foreach (string keyword in kept)
                _firstSeen.TryAdd(keyword, keyword);
            _numbers.TryAdd(string.Join(' ', kept), Count);
            _sets[Count++] = kept;
        }

        /// <summary>The number of a combination among the first <paramref name="count"/>, or one more; in a copy, where another table has grown from there already.</summary>
        public (Combinations All, int Set) Intern(string[] sorted, int count)
        {
            lock (_gate)
            {
                if (_numbers.TryGetValue(string.Join(' ', sorted), out int set) && set <= count)
                    return (this, set);
                // What grows from the empty table, all mailboxes do, is a list of its own.
                if (Count == count && count > 1)
                {
                    Add(sorted);
                    return (this, count);
                }
                var copy = new Combinations();
                foreach (string[] known in _sets.AsSpan(1, count - 1))
                    copy.Add(known);
                copy.Add(sorted);
                return (copy, count);
            }
        }
    }
}

/// <summary>The form in which a table travels.</summary>
[GenerateSerializer, Immutable, Alias("KeywordTableSurrogate")]
public struct KeywordTableSurrogate
{
    [Id(0)] public string[][] Sets;
}

[RegisterConverter]
public sealed class KeywordTableConverter : IConverter<KeywordTable, KeywordTableSurrogate>
{
    public KeywordTable ConvertFromSurrogate(in KeywordTableSurrogate surrogate) => KeywordTable.Of(surrogate.Sets);

    public KeywordTableSurrogate ConvertToSurrogate(in KeywordTable value) => new() { Sets = value.Sets() };
}

/// <summary>The flags of one message in 4 bytes: system bits in the low 8, the number of the keyword combination above.</summary>
public static class FlagCode
{
    public static int Of(SystemFlags system, int keywordSet) => (keywordSet << 8) | (int)system;

    public static SystemFlags System(int code) => (SystemFlags)(code & 0xFF);

    public static int KeywordSet(int code) => code >>> 8;
}
