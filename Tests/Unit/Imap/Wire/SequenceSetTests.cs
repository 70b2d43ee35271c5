using CsCheck;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class SequenceSetTests
{
    static readonly Gen<uint> Number = Gen.Frequency((4, Gen.UInt[1, 40]), (1, Gen.Const(SequenceRange.Star)), (1, Gen.Const(uint.MaxValue)));

    static readonly Gen<SequenceSet> Sets = Gen.Select(Number, Number, (start, end) => new SequenceRange(start, end))
        .Array[1, 8].Select(ranges => SequenceSet.Of(ranges));

    [Theory]
    [InlineData("2,4:7,9,12:*", 15u, "2,4:7,9,12:15")]
    [InlineData("*:4,5:7", 10u, "4:10")]
    [InlineData("3:1", 10u, "1:3")]
    [InlineData("5:*", 3u, "3:5")]
    [InlineData("*", 7u, "7")]
    [InlineData("*", 0u, "")]
    [InlineData("1:*", 0u, "")]
    [InlineData("1,2,3,3:4", 9u, "1:4")]
    [InlineData("4294967295,4294967294", 9u, "4294967294:4294967295")]
    public void StarsAreResolved(string text, uint max, string resolved)
    {
        var set = SequenceSet.Parse(text);
        Assert.Equal(text, set.ToString());
        Assert.Equal(resolved, set.ToUidSet(max).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("1:0")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("1:")]
    [InlineData("1:2:3")]
    [InlineData("a")]
    [InlineData("1 2")]
    [InlineData("$,1")]
    [InlineData("4294967296")]
    public void WhatIsNoSetIsRefused(string text) => Assert.Throws<ImapSyntaxException>(() => SequenceSet.Parse(text));

    [Fact]
    public void TheSavedResultIsASetOfItsOwn()
    {
        Assert.True(SequenceSet.Parse("$").IsSavedResult);
        Assert.Equal("$", SequenceSet.Parse("$").ToString());
    }

    [Fact]
    public void TooManyElementsAreRefused()
        => Assert.Throws<ImapSyntaxException>(() => SequenceSet.Parse(string.Join(',', Enumerable.Repeat("1", SequenceSet.MaxRanges + 1))));

    [Fact]
    public void SetsComeBackFromTheirText() => Sets.Sample(set => SequenceSet.Parse(set.ToString()).Ranges.SequenceEqual(set.Ranges));

    [Fact]
    public void ResolvedRangesAreSortedAndApart() => Gen.Select(Sets, Gen.UInt[0, 50]).Sample((set, max) =>
    {
        var ranges = set.Resolve(max);
        for (var i = 0; i < ranges.Length; i++)
        {
            Assert.True(ranges[i].Start >= 1 && ranges[i].Start <= ranges[i].End);
            Assert.True(i == 0 || ranges[i].Start > (ulong)ranges[i - 1].End + 1);
        }
    });

    [Fact]
    public void EnumerationAgreesWithMembership() => Gen.Select(Sets, Gen.UInt[0, 50]).Sample((set, max) =>
    {
        var members = new List<uint>();
        for (uint number = 1; number <= max; number++)
        {
            if (set.Contains(number, max))
            {
                members.Add(number);
            }
        }
        Assert.Equal(members, set.Enumerate(max));
        Assert.Equal(members, set.ToUidSet(max).Intersect(UidSet.FromUids(Enumerable.Range(1, (int)max).Select(n => (uint)n))).Uids());
    });
}
