using CsCheck;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Contracts;

/// <summary>Versions of a mailbox against a sorted list of rows.</summary>
public sealed class MailboxSnapshotTests
{
    private const long _epoch = 3;

    private static readonly string[] _keywords = ["Work", "later", "$Junk"];
    private static readonly int[] _starts = [0, 1, 511, 512, 513, 1300];

    /// <summary>A mailbox of some chunks and the steps that follow, from a seed.</summary>
    private static readonly Gen<(int Seed, int Start, int Steps)> _history = Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[0, 5].Select(static i => _starts[i]), Gen.Int[1, 25]);

    private static FlagList Flags(Random random) => new((SystemFlags)random.Next(32), [.. _keywords.Where(_ => random.Next(4) == 0)]);

    private static MessageRow Row(uint uid, FlagList flags, long modSeq) => new(uid, new EmailId(uid * 7), uid + 1, 1_700_000_000 + uid, (short)(uid % 600), 1_800_000_000, flags, modSeq, uid * 11);

    private static string Text(MessageRow r) =>
        $"{r.Uid} {r.Email} {r.Size} {r.InternalDate} {r.ZoneMinutes} {r.SaveDate} {r.Flags.System} {string.Join(' ', r.Flags.Keywords.Order(StringComparer.Ordinal))} {r.ModSeq} {r.Thread}";

    private static bool Same(MessageRow a, MessageRow b) =>
        (a.Uid, a.Email, a.Size, a.InternalDate, a.ZoneMinutes, a.SaveDate, a.Flags.System) == (b.Uid, b.Email, b.Size, b.InternalDate, b.ZoneMinutes, b.SaveDate, b.Flags.System)
        && (a.ModSeq, a.Thread) == (b.ModSeq, b.Thread) && a.Flags.Keywords.Order(StringComparer.Ordinal).SequenceEqual(b.Flags.Keywords.Order(StringComparer.Ordinal));

    /// <summary>Texts are made where there is something to tell: of some millions of rows.</summary>
    private static void Same(IReadOnlyCollection<MessageRow> expected, IReadOnlyCollection<MessageRow> actual)
    {
        if (expected.Count != actual.Count || !expected.Zip(actual).All(static pair => Same(pair.First, pair.Second)))
            Assert.Equal(expected.Select(Text), actual.Select(Text));
    }

    private static List<MessageRow> Rows(MailboxSnapshot snapshot) => [.. snapshot.Messages().Select(static m => m.ToRow())];

    private static UidSet AnyUids(Random random, uint uidNext) => UidSet.FromRanges(Enumerable.Range(0, random.Next(1, 5)).Select(_ =>
    {
        uint first = (uint)random.Next(1, (int)uidNext + 3);
        return new UidRange(first, first + (uint)(random.Next(4) == 0 ? random.Next(700) : random.Next(3)));
    }));

    private static (MailboxSnapshot Snapshot, SortedDictionary<uint, MessageRow> Model) Start(Random random, int count)
    {
        var model = new SortedDictionary<uint, MessageRow>();
        uint uid = 1;
        for (int i = 0; i < count; i++)
        {
            uid += (uint)(random.Next(20) == 0 ? random.Next(1, 9) : 1);
            model.Add(uid, Row(uid, Flags(random), random.Next(1, 5)));
        }
        return (MailboxSnapshot.OfRows(_epoch, 5, uid + 1, model.Values), model);
    }

    private static MailboxDelta Step(Random random, MailboxSnapshot from, SortedDictionary<uint, MessageRow> model)
    {
        long modSeq = from.ModSeq;
        uint uidNext = from.UidNext;
        var effects = new List<MailboxEffect>();
        for (int n = random.Next(1, 3); n > 0; n--)
        {
            modSeq++;
            switch (random.Next(3))
            {
                case 0:
                    MessageRow[] rows = [.. Enumerable.Range(0, random.Next(5) == 0 ? 600 : random.Next(4)).Select(_ => Row(uidNext++, Flags(random), modSeq))];
                    foreach (MessageRow row in rows)
                        model.Add(row.Uid, row);
                    effects.Add(new MessagesAdded(modSeq, rows));
                    break;
                case 1:
                    (UidSet uids, StoreMode mode, FlagList flags) = (AnyUids(random, uidNext), (StoreMode)random.Next(3), Flags(random));
                    foreach (MessageRow row in model.Values.Where(r => uids.Contains(r.Uid)).ToList())
                    {
                        (SystemFlags system, IEnumerable<string> keywords) = mode switch
                        {
                            StoreMode.Replace => (flags.System, flags.Keywords),
                            StoreMode.Add => (row.Flags.System | flags.System, row.Flags.Keywords.Union(flags.Keywords)),
                            _ => (row.Flags.System & ~flags.System, row.Flags.Keywords.Except(flags.Keywords)),
                        };
                        model[row.Uid] = row with { Flags = new FlagList(system, [.. keywords]), ModSeq = modSeq };
                    }
                    effects.Add(new FlagsChanged(modSeq, uids, mode, flags));
                    break;
                default:
                    UidSet gone = AnyUids(random, uidNext);
                    foreach (uint uid in model.Keys.Where(gone.Contains).ToList())
                        model.Remove(uid);
                    effects.Add(new MessagesExpunged(modSeq, gone));
                    break;
            }
        }
        return new MailboxDelta(_epoch, from.ModSeq, modSeq, effects);
    }

    private static void Agree(SortedDictionary<uint, MessageRow> model, MailboxSnapshot snapshot)
    {
        Same(model.Values, Rows(snapshot));
        Assert.Equal(model.Count, snapshot.Count);
        Assert.Equal(
            new MessageTotals(model.Count, model.Values.Count(static r => !r.Flags.System.HasFlag(SystemFlags.Seen)),
                model.Values.Count(static r => r.Flags.System.HasFlag(SystemFlags.Deleted)), model.Values.Sum(static r => (long)r.Size),
                model.Values.Where(static r => r.Flags.System.HasFlag(SystemFlags.Deleted)).Sum(static r => (long)r.Size)),
            snapshot.Totals);
        Assert.All(snapshot.Chunks, static c => Assert.InRange(c.Count, 1, MessageChunk.Capacity));
    }

    [Fact]
    public void Steps_do_what_they_do_to_a_list() => _history.Sample(static h =>
    {
        var random = new Random(h.Seed);
        (MailboxSnapshot snapshot, SortedDictionary<uint, MessageRow> model) = Start(random, h.Start);
        Agree(model, snapshot);
        for (int i = 0; i < h.Steps; i++)
        {
            MailboxSnapshot before = snapshot;
            List<MessageRow> rows = Rows(before);
            MailboxDelta delta = Step(random, snapshot, model);
            snapshot = snapshot.Apply(delta);
            Agree(model, snapshot);
            Assert.Equal(delta.ToModSeq, snapshot.ModSeq);
            Assert.True(model.Count == 0 || snapshot.UidNext > model.Keys.Last());
            Assert.True(snapshot.UidNext >= before.UidNext);
            // The older version is what it was.
            Same(rows, Rows(before));
        }
        Assert.Throws<InvalidOperationException>(() => snapshot.Apply(new MailboxDelta(_epoch, snapshot.ModSeq - 1, snapshot.ModSeq, [])));
        Assert.Throws<InvalidOperationException>(() => snapshot.Apply(new MailboxDelta(_epoch + 1, snapshot.ModSeq, snapshot.ModSeq + 1, [])));
    }, iter: 150);

    [Fact]
    public void Finding_counting_and_picking() => _history.Sample(static h =>
    {
        var random = new Random(h.Seed);
        (MailboxSnapshot snapshot, SortedDictionary<uint, MessageRow> model) = Start(random, h.Start);
        for (int i = 0; i < 5; i++)
            snapshot = snapshot.Apply(Step(random, snapshot, model));
        uint[] uids = [.. model.Keys];
        for (int i = 0; i < uids.Length; i += 1 + random.Next(50))
        {
            Assert.Equal((uids[i], i), (snapshot[i].Uid, snapshot[i].Index));
            Assert.True(snapshot.TryFind(uids[i], out MessageRef found));
            Assert.Equal((i, Text(model[uids[i]])), (found.Index, Text(found.ToRow())));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => snapshot[uids.Length]);
        Assert.Throws<ArgumentOutOfRangeException>(() => snapshot[-1]);
        for (int i = 0; i < 30; i++)
        {
            uint uid = (uint)random.Next(0, (int)snapshot.UidNext + 5);
            Assert.Equal(uids.Count(u => u < uid), snapshot.CountBelow(uid));
            Assert.Equal(model.ContainsKey(uid), snapshot.TryFind(uid, out _));
            UidSet some = AnyUids(random, snapshot.UidNext);
            Assert.Equal(uids.Where(some.Contains), snapshot.Messages(some).Select(static m => m.Uid));
        }
        Assert.Equal(uids, snapshot.Messages(UidSet.FromRanges([new UidRange(1, uint.MaxValue)])).Select(static m => m.Uid));
        Assert.Equal(model.Values.SelectMany(static r => r.Flags.Keywords).Distinct().Order(StringComparer.OrdinalIgnoreCase), snapshot.KeywordsInUse());
    }, iter: 100);

    [Fact]
    public void The_difference_of_two_versions_leads_from_one_to_the_other_also_across_epochs() => _history.Sample(static h =>
    {
        var random = new Random(h.Seed);
        (MailboxSnapshot old, SortedDictionary<uint, MessageRow> model) = Start(random, h.Start);
        var before = new SortedDictionary<uint, MessageRow>(model);
        MailboxSnapshot now = old;
        for (int i = 0; i < h.Steps; i++)
            now = now.Apply(Step(random, now, model));
        var reloaded = MailboxSnapshot.OfRows(_epoch + 1, now.ModSeq, now.UidNext, model.Values);
        foreach (MailboxSnapshot next in (MailboxSnapshot[])[now, reloaded])
        {
            var diff = SnapshotDiff.Between(old, next);
            Assert.Equal(before.Keys.Except(model.Keys), diff.Expunged.Uids());
            Assert.Equal(model.Keys.Except(before.Keys), diff.Added.Uids());
            Assert.Equal(before.Keys.Where(u => model.TryGetValue(u, out MessageRow? r) && r.ModSeq != before[u].ModSeq), diff.Changed.Uids());
        }
        Assert.Equal(SnapshotDiff.None, SnapshotDiff.Between(now, reloaded));
        Assert.Equal(SnapshotDiff.None, SnapshotDiff.Between(now, now));
    }, iter: 100);

    [Fact]
    public void What_a_client_may_not_hear_of_yet_stays() => _history.Sample(static h =>
    {
        var random = new Random(h.Seed);
        (MailboxSnapshot old, SortedDictionary<uint, MessageRow> model) = Start(random, h.Start);
        var before = new SortedDictionary<uint, MessageRow>(model);
        MailboxSnapshot now = old;
        for (int i = 0; i < h.Steps; i++)
            now = now.Apply(Step(random, now, model));
        UidSet kept = SnapshotDiff.Between(old, now).Expunged.Except(AnyUids(random, old.UidNext)).Union(AnyUids(random, old.UidNext));
        foreach ((uint uid, MessageRow row) in before.Where(b => kept.Contains(b.Key)))
            model.TryAdd(uid, row);
        Agree(model, now.Retaining(old, kept));
        Assert.Same(now, now.Retaining(old, UidSet.Empty));
    }, iter: 100);

    [Fact]
    public void Ghosts_of_a_large_mailbox_cost_what_they_are()
    {
        var full = MailboxSnapshot.OfRows(_epoch, 1, 100_001, Enumerable.Range(1, 100_000).Select(static u => Row((uint)u, FlagList.None, 1)));
        var all = UidSet.FromRanges([new UidRange(1, 100_000)]);
        MailboxSnapshot empty = full.Apply(new MailboxDelta(_epoch, 1, 2, [new MessagesExpunged(2, all)]));
        Assert.Equal(0, empty.Count);
        MailboxSnapshot ghosts = empty.Retaining(full, all);
        Assert.Equal(100_000, ghosts.Count);
        Assert.All(ghosts.Chunks, static c => Assert.InRange(c.Count, 1, MessageChunk.Capacity));
    }

    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1024)]
    public void Chunks_are_filled_before_new_ones_begin(int start)
    {
        MailboxSnapshot snapshot = MailboxSnapshot.OfRows(_epoch, 1, (uint)start + 1, Enumerable.Range(1, start).Select(static u => Row((uint)u, FlagList.None, 1)));
        Assert.Equal((start + 511) / 512, snapshot.Chunks.Count);
        MessageChunk first = snapshot.Chunks[0];
        for (uint uid = (uint)start + 1; uid <= start + 3; uid++)
            snapshot = snapshot.Apply(new MailboxDelta(_epoch, snapshot.ModSeq, snapshot.ModSeq + 1, [new MessagesAdded(snapshot.ModSeq + 1, [Row(uid, FlagList.None, snapshot.ModSeq + 1)])]));
        Assert.Equal((start + 3 + 511) / 512, snapshot.Chunks.Count);
        Assert.Equal(start >= 512, ReferenceEquals(first, snapshot.Chunks[0]));
    }

    [Fact]
    public void Combinations_that_nobody_has_any_more_do_not_pile_up()
    {
        MailboxSnapshot snapshot = MailboxSnapshot.OfRows(_epoch, 1, 2, [Row(1, new FlagList(SystemFlags.Seen, ["Stays"]), 1)]);
        for (int i = 0; i < 10_000; i++)
        {
            FlagList flags = new(SystemFlags.None, ["stays", $"k{i}"]);
            snapshot = snapshot.Apply(new MailboxDelta(_epoch, snapshot.ModSeq, snapshot.ModSeq + 1,
                [new FlagsChanged(snapshot.ModSeq + 1, UidSet.Single(1), StoreMode.Replace, flags)]));
        }
        Assert.Equal(["k9999", "Stays"], snapshot[0].Keywords);
        Assert.InRange(snapshot.Keywords.Count, 1, 5000);
    }
}
