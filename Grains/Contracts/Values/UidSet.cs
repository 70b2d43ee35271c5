using System.Collections;
using System.Text;

namespace MailCluster.Contracts;

/// <summary>An inclusive range of UIDs, <c>First ≤ Last</c>, both at least 1.</summary>
[GenerateSerializer, Immutable, Alias("UidRange")]
public readonly record struct UidRange([property: Id(0)] uint First, [property: Id(1)] uint Last)
{
    public long Count => (long)Last - First + 1;
}

/// <summary>
/// A set of UIDs: sorted, disjoint, non-adjacent ranges (RFC 9051 §9 <c>uid-set</c> without '*').
/// Immutable. Enumerates its ranges; use <see cref="Uids"/> for the members.
/// </summary>
[GenerateSerializer, Immutable, Alias("UidSet")]
public sealed class UidSet : IReadOnlyList<UidRange>, IEquatable<UidSet>
{
    public static readonly UidSet Empty = new([]);

    /// <summary>Every UID that there can be.</summary>
    public static readonly UidSet All = new([new UidRange(1, uint.MaxValue)]);

    [Id(0)]
    private readonly UidRange[] _ranges;

    private UidSet(UidRange[] normalised) => _ranges = normalised;

    /// <summary>The number of ranges.</summary>
    public int Count => _ranges.Length;

    public UidRange this[int index] => _ranges[index];

    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>The number of UIDs in all ranges.</summary>
    public long Cardinality
    {
        get
        {
            long n = 0;
            foreach (UidRange r in _ranges)
                n += r.Count;
            return n;
        }
    }

    /// <summary>A set of ranges in any order, overlapping or not.</summary>
    public static UidSet FromRanges(IEnumerable<UidRange> ranges)
    {
        UidRange[] sorted = ranges.ToArray();
        if (sorted.Length == 0)
            return Empty;
        Array.Sort(sorted, static (a, b) => a.First.CompareTo(b.First));
        int n = 0;
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].First <= (ulong)sorted[n].Last + 1)
                sorted[n] = new UidRange(sorted[n].First, Math.Max(sorted[n].Last, sorted[i].Last));
            else
                sorted[++n] = sorted[i];
        }
        return new UidSet(sorted[..(n + 1)]);
    }

    /// <summary>A set of UIDs in any order, repeated or not.</summary>
    public static UidSet FromUids(IEnumerable<uint> uids)
    {
        var builder = new Builder();
        bool ascending = true;
        uint last = 0;
        List<uint> all = uids as List<uint> ?? [.. uids];
        foreach (uint uid in all)
        {
            ascending &= uid > last;
            last = uid;
        }
        if (!ascending)
            all = [.. all.Distinct().Order()];
        foreach (uint uid in all)
            builder.Add(uid);
        return builder.ToSet();
    }

    public static UidSet Single(uint uid) => new([new UidRange(uid, uid)]);

    public bool Contains(uint uid)
    {
        int lo = 0, hi = _ranges.Length - 1;
        while (lo <= hi)
        {
            int mid = (lo + hi) >>> 1;
            UidRange r = _ranges[mid];
            if (uid < r.First)
                hi = mid - 1;
            else if (uid > r.Last)
                lo = mid + 1;
            else
                return true;
        }
        return false;
    }

    /// <summary>Every member, ascending.</summary>
    public IEnumerable<uint> Uids()
    {
        foreach (UidRange r in _ranges)
        {
            for (uint uid = r.First; ; uid++)
            {
                yield return uid;
                if (uid == r.Last)
                    break;
            }
        }
    }

    public UidSet Union(UidSet other) => other.IsEmpty ? this : IsEmpty ? other : FromRanges(_ranges.Concat(other._ranges));

    /// <summary>The members of both sets.</summary>
    public UidSet Intersect(UidSet other)
    {
        var result = new List<UidRange>();
        for (int i = 0, j = 0; i < _ranges.Length && j < other._ranges.Length;)
        {
            uint first = Math.Max(_ranges[i].First, other._ranges[j].First);
            uint last = Math.Min(_ranges[i].Last, other._ranges[j].Last);
            if (first <= last)
                result.Add(new UidRange(first, last));
            if (_ranges[i].Last < other._ranges[j].Last)
                i++;
            else
                j++;
        }
        return result.Count == 0 ? Empty : new UidSet([.. result]);
    }

    /// <summary>The members of this set that are not in <paramref name="other"/>.</summary>
    public UidSet Except(UidSet other)
    {
        var result = new List<UidRange>();
        int j = 0;
        foreach (UidRange range in _ranges)
        {
            ulong from = range.First;
            while (j < other._ranges.Length && other._ranges[j].Last < from)
                j++;
            for (int k = j; k < other._ranges.Length && other._ranges[k].First <= range.Last; k++)
            {
                if (other._ranges[k].First > from)
                    result.Add(new UidRange((uint)from, other._ranges[k].First - 1));
                from = (ulong)other._ranges[k].Last + 1;
            }
            if (from <= range.Last)
                result.Add(new UidRange((uint)from, range.Last));
        }
        return result.Count == 0 ? Empty : new UidSet([.. result]);
    }

    /// <summary>The wire form, e.g. "1:3,7"; the empty string for the empty set.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (UidRange r in _ranges)
        {
            if (text.Length > 0)
                text.Append(',');
            text.Append(r.First);
            if (r.Last != r.First)
                text.Append(':').Append(r.Last);
        }
        return text.ToString();
    }

    public bool Equals(UidSet? other) => other is not null && _ranges.AsSpan().SequenceEqual(other._ranges);

    public override bool Equals(object? obj) => Equals(obj as UidSet);

    public override int GetHashCode() => _ranges.Length == 0 ? 0 : HashCode.Combine(_ranges.Length, _ranges[0], _ranges[^1]);

    public IEnumerator<UidRange> GetEnumerator() => ((IEnumerable<UidRange>)_ranges).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _ranges.GetEnumerator();

    /// <summary>Collects UIDs that come in ascending order.</summary>
    public sealed class Builder
    {
        private readonly List<UidRange> _ranges = [];

        public bool IsEmpty => _ranges.Count == 0;

        /// <summary>Adds <paramref name="uid"/>, which must be larger than all before it.</summary>
        public void Add(uint uid)
        {
            if (_ranges.Count > 0 && _ranges[^1].Last + 1 == uid)
                _ranges[^1] = new UidRange(_ranges[^1].First, uid);
            else
                _ranges.Add(new UidRange(uid, uid));
        }

        public UidSet ToSet() => _ranges.Count == 0 ? Empty : new UidSet([.. _ranges]);
    }
}
