using System.Collections.Immutable;

namespace MailCluster.Contracts;

/// <summary>
/// The keywords of one mailbox and the combinations of them that messages have, interned: a message then needs 4 bytes
/// for all its flags (<see cref="FlagCode"/>). Immutable; ids are only ever added, so a later table reads every code of an earlier one.
/// Keywords match without case and keep the case first seen.
/// </summary>
[GenerateSerializer, Immutable, Alias("KeywordTable")]
public sealed class KeywordTable
{
    /// <summary>The most keywords a mailbox may have; beyond it STORE answers NO [LIMIT] and \* leaves PERMANENTFLAGS.</summary>
    public const int MaxKeywords = 1000;

    public static readonly KeywordTable Empty = new([""]);

    /// <summary>The combinations: keywords sorted without case and joined by a space; number 0 is the empty one.</summary>
    [Id(0)]
    private readonly string[] _sets;

    [NonSerialized]
    private Dictionary<string, int>? _index;

    [NonSerialized]
    private string[][]? _split;

    private KeywordTable(string[] sets) => _sets = sets;

    /// <summary>The keywords of combination <paramref name="set"/>.</summary>
    public IReadOnlyList<string> Keywords(int set)
    {
        string[][] split = Volatile.Read(ref _split) ?? Split();
        return split[set];
    }

    /// <summary>Every keyword that some combination has, each once, sorted.</summary>
    public IReadOnlyList<string> All() =>
        [.. Enumerable.Range(0, _sets.Length).SelectMany(Keywords).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>True when combination <paramref name="set"/> has <paramref name="keyword"/>, in any case.</summary>
    public bool Has(int set, string keyword) => set != 0 && Keywords(set).Contains(keyword, StringComparer.OrdinalIgnoreCase);

    /// <summary>The number of a combination and a table that has it (this one, where it is known).</summary>
    public (KeywordTable Table, int Set) Intern(IEnumerable<string> keywords)
    {
        if (keywords is IReadOnlyCollection<string> { Count: 0 })
            return (this, 0);
        string[] sorted = [.. keywords.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];
        if (sorted.Length == 0)
            return (this, 0);
        string joined = string.Join(' ', sorted);
        Dictionary<string, int> index = Volatile.Read(ref _index) ?? Index();
        return index.TryGetValue(joined, out int set) ? (this, set) : (new KeywordTable([.. _sets, joined]), _sets.Length);
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

    private Dictionary<string, int> Index()
    {
        var index = new Dictionary<string, int>(_sets.Length, StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < _sets.Length; i++)
            index.TryAdd(_sets[i], i);
        Volatile.Write(ref _index, index);
        return index;
    }

    private string[][] Split()
    {
        string[][] split = [.. _sets.Select(static s => s.Length == 0 ? [] : s.Split(' '))];
        Volatile.Write(ref _split, split);
        return split;
    }
}

/// <summary>The flags of one message in 4 bytes: system bits in the low 8, the number of the keyword combination above.</summary>
public static class FlagCode
{
    public static int Of(SystemFlags system, int keywordSet) => (keywordSet << 8) | (int)system;

    public static SystemFlags System(int code) => (SystemFlags)(code & 0xFF);

    public static int KeywordSet(int code) => code >>> 8;
}
