using BenchmarkDotNet.Attributes;
using MailCluster.Contracts;

namespace MailCluster.Benchmarks.Micro;

/// <summary>One version of a mailbox to the next, and what a client must hear of it.</summary>
public class Snapshots
{
    private MailboxSnapshot _now = null!;
    private MailboxSnapshot _flagged = null!;
    private MailboxSnapshot _allFlagged = null!;
    private MailboxSnapshot _less = null!;
    private MailboxDelta _flag = null!;
    private MailboxDelta _flagAll = null!;
    private MailboxDelta _add = null!;
    private MailboxDelta _expunge = null!;

    [Params(1_000, 100_000)]
    public int Messages { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _now = MailboxSnapshot.OfRows(1, Messages, (uint)Messages + 1, Enumerable.Range(1, Messages).Select(static i => Row((uint)i, i)));
        var flagged = new FlagList(SystemFlags.Flagged, []);
        long next = Messages + 1;
        _flag = Delta(new FlagsChanged(next, UidSet.Single((uint)Messages / 2), StoreMode.Add, flagged));
        _flagAll = Delta(new FlagsChanged(next, UidSet.FromRanges([new UidRange(1, (uint)Messages)]), StoreMode.Add, flagged));
        _add = Delta(new MessagesAdded(next, [Row((uint)Messages + 1, next)]));
        _expunge = Delta(new MessagesExpunged(next, UidSet.Single((uint)Messages / 2)));
        _flagged = _now.Apply(_flag);
        _allFlagged = _now.Apply(_flagAll);
        _less = _now.Apply(_expunge);
        MailboxDelta Delta(MailboxEffect effect) => new(1, Messages, next, [effect]);
    }

    [Benchmark]
    public MailboxSnapshot ApplyOneFlag() => _now.Apply(_flag);

    [Benchmark]
    public MailboxSnapshot ApplyAllFlags() => _now.Apply(_flagAll);

    [Benchmark]
    public MailboxSnapshot ApplyOneAdded() => _now.Apply(_add);

    [Benchmark]
    public MailboxSnapshot ApplyOneExpunged() => _now.Apply(_expunge);

    [Benchmark]
    public SnapshotDiff DiffOfOneFlag() => SnapshotDiff.Between(_now, _flagged);

    [Benchmark]
    public SnapshotDiff DiffOfAllFlags() => SnapshotDiff.Between(_now, _allFlagged);

    [Benchmark]
    public SnapshotDiff DiffOfOneExpunged() => SnapshotDiff.Between(_now, _less);

    internal static MessageRow Row(uint uid, long modSeq) =>
        new(uid, new EmailId(uid), 4096, 1_790_000_000 + uid, 60, 1_790_000_000 + uid, new FlagList((SystemFlags)(uid % 2), uid % 10 == 0 ? ["$Forwarded"] : []), modSeq, uid);
}
