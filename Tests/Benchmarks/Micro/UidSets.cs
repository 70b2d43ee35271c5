using BenchmarkDotNet.Attributes;
using MailCluster.Contracts;

namespace MailCluster.Benchmarks.Micro;

/// <summary>Operations on sets of UIDs with many gaps.</summary>
public class UidSets
{
    private readonly uint[] _uids = [.. Enumerable.Range(1, 10_000).Select(static i => (uint)(i * 3))];
    private readonly UidSet _set;
    private readonly UidSet _other = UidSet.FromRanges(Enumerable.Range(1, 1000).Select(static i => new UidRange((uint)(i * 30), (uint)((i * 30) + 10))));

    public UidSets() => _set = UidSet.FromUids(_uids);

    [Benchmark]
    public UidSet FromUids() => UidSet.FromUids(_uids);

    [Benchmark]
    public UidSet Union() => _set.Union(_other);

    [Benchmark]
    public UidSet Intersect() => _set.Intersect(_other);

    [Benchmark]
    public UidSet Except() => _set.Except(_other);

    [Benchmark]
    public bool Contains() => _set.Contains(15_001);

    [Benchmark]
    public string Text() => _set.ToString();
}
