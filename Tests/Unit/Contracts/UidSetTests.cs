using CsCheck;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Contracts;

/// <summary>The algebra of UID sets agrees with sets of numbers, at both ends of the range of UIDs.</summary>
public sealed class UidSetTests
{
    private static readonly Gen<uint> _uid = Gen.OneOf(Gen.UInt[1, 40], Gen.UInt[uint.MaxValue - 20, uint.MaxValue]);

    private static readonly Gen<UidRange[]> _ranges =
        Gen.Select(_uid, Gen.UInt[0, 6]).Select(static (first, more) => new UidRange(first, (uint)Math.Min(uint.MaxValue, (ulong)first + more))).Array[0, 12];

    private static HashSet<uint> Members(IEnumerable<UidRange> ranges)
    {
        var all = new HashSet<uint>();
        foreach (UidRange r in ranges)
        {
            for (ulong u = r.First; u <= r.Last; u++)
                all.Add((uint)u);
        }
        return all;
    }

    [Fact]
    public void Ranges_in_any_order_become_sorted_disjoint_and_apart() => _ranges.Sample(static ranges =>
    {
        var set = UidSet.FromRanges(ranges);
        HashSet<uint> members = Members(ranges);
        for (int i = 1; i < set.Count; i++)
            Assert.True(set[i].First > (ulong)set[i - 1].Last + 1);
        Assert.Equal(members.Order(), set.Uids());
        Assert.Equal(members.Count, set.Cardinality);
        Assert.Equal(members.Count == 0, set.IsEmpty);
        foreach (uint uid in (uint[])[1, 2, 39, 46, 47, uint.MaxValue - 21, uint.MaxValue, .. members])
            Assert.Equal(members.Contains(uid), set.Contains(uid));
        Assert.Equal(set, UidSet.FromUids(members));
        Assert.Equal(set.GetHashCode(), UidSet.FromUids(members.Reverse()).GetHashCode());
    });

    [Fact]
    public void Union_intersection_and_difference() => Gen.Select(_ranges, _ranges).Sample(static (x, y) =>
    {
        (UidSet a, UidSet b) = (UidSet.FromRanges(x), UidSet.FromRanges(y));
        (HashSet<uint> m, HashSet<uint> n) = (Members(x), Members(y));
        Assert.Equal(UidSet.FromUids(m.Union(n)), a.Union(b));
        Assert.Equal(UidSet.FromUids(m.Intersect(n)), a.Intersect(b));
        Assert.Equal(UidSet.FromUids(m.Except(n)), a.Except(b));
    });

    [Fact]
    public void The_wire_form_names_the_ranges()
    {
        Assert.Equal("1:3,7,4294967294:4294967295", UidSet.FromUids([7, 2, 1, 3, 3, uint.MaxValue, uint.MaxValue - 1]).ToString());
        Assert.Equal("", UidSet.Empty.ToString());
    }
}
