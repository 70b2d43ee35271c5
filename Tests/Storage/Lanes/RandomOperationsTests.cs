using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>Random operations: one by one against a naive model, and many at once against what their owners would make of the outcomes.</summary>
public sealed class RandomOperationsTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private static readonly string[] _keywords = ["$Junk", "$junk", "Work", "work", "$Forwarded", "later"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task One_by_one_they_do_what_a_naive_model_does(int seed)
    {
        var random = new Random(seed);
        List<(Owned Owned, Model Model)> all = [];
        foreach (Owned mailbox in await MailboxesAsync())
            all.Add((mailbox, new Model((await LoadAsync(mailbox)).ModSeq)));
        for (int i = 0; i < 250; i++)
        {
            (Owned mailbox, Model model) = all[random.Next(all.Count)];
            (Owned source, Model sourceModel) = all[random.Next(all.Count)];
            CommitOperation operation = await AnyAsync(random, mailbox, source, model.UidNext, sourceModel.UidNext, model.ModSeq);
            CommitOutcome outcome = await CommitAsync(operation);
            Assert.Equal(operation.Kind == CommitKind.Replace && !sourceModel.Has(operation.Uids[0].First) ? CommitStatus.MessageGone : CommitStatus.Done, outcome.Status);
            if (outcome.Status == CommitStatus.MessageGone)
                continue;
            switch (operation.Kind)
            {
                case CommitKind.Append:
                    Assert.Equal(model.Append(operation), outcome.Uids);
                    break;
                case CommitKind.Store:
                    (UidSet changed, UidSet modified) = model.Store(operation);
                    Assert.Equal((changed, modified), (outcome.Uids, outcome.Modified));
                    break;
                case CommitKind.Expunge:
                    Assert.Equal(model.Expunge(operation), outcome.Uids);
                    break;
                case CommitKind.Remove:
                    Assert.Equal(model.Remove(operation.Uids), outcome.Uids);
                    break;
                case CommitKind.Replace:
                    Assert.Equal((sourceModel.Remove(operation.Uids), sourceModel.ModSeq), (outcome.SourceUids, outcome.SourceModSeq!.Value));
                    Assert.Equal(model.Append(operation), outcome.Uids);
                    break;
                default:
                    (UidSet from, UidSet to, long? sourceModSeq) = model.Copy(sourceModel, operation);
                    Assert.Equal((from, to, sourceModSeq), (outcome.SourceUids, outcome.Uids, outcome.SourceModSeq));
                    break;
            }
            Assert.Equal(model.ModSeq, outcome.ModSeq);
        }
        foreach ((Owned mailbox, Model model) in all)
        {
            MailboxSnapshot loaded = await LoadAsync(mailbox);
            Assert.Equal((model.ModSeq, model.UidNext), (loaded.ModSeq, loaded.UidNext));
            Assert.Equal(model.Rows, loaded.Messages().Select(static m => Model.Text(m.ToRow())));
        }
        await CountersAreRightAsync();
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task Many_at_once_their_outcomes_in_the_order_of_modseqs_lead_to_the_rows(int seed)
    {
        var random = new Random(seed);
        List<Owned> mailboxes = await MailboxesAsync();
        var start = new List<MailboxSnapshot>();
        foreach (Owned mailbox in mailboxes)
            start.Add(await LoadAsync(mailbox));
        var done = new List<(CommitOperation Operation, CommitOutcome Outcome)>();
        for (int wave = 0; wave < 8; wave++)
        {
            var operations = new List<CommitOperation>();
            for (int i = 0; i < 48; i++)
                operations.Add(await AnyAsync(random, mailboxes[random.Next(mailboxes.Count)], mailboxes[random.Next(mailboxes.Count)], 60, 60, random.Next(1, 60)));
            foreach ((CommitOperation operation, CommitOutcome outcome) in operations.Zip(await Task.WhenAll(operations.Select(o => Task.Run(() => CommitAsync(o))))))
            {
                Assert.True(outcome.Status == CommitStatus.Done || (outcome.Status == CommitStatus.MessageGone && operation.Kind == CommitKind.Replace));
                if (outcome.Status == CommitStatus.Done)
                    done.Add((operation, outcome));
            }
        }

        for (int i = 0; i < mailboxes.Count; i++)
        {
            (Owned mailbox, MailboxSnapshot snapshot) = (mailboxes[i], start[i]);
            List<MailboxDelta> deltas = [.. done.Where(d => d.Operation.Mailbox == mailbox.Key && !d.Outcome.Uids.IsEmpty).Select(d => Delta(d.Operation, d.Outcome, mailbox.Epoch))];
            deltas.AddRange(done.Where(d => d.Operation.Source == mailbox.Key && d.Outcome.SourceModSeq is not null).Select(d => new MailboxDelta(
                mailbox.Epoch, d.Outcome.SourceModSeq!.Value - 1, d.Outcome.SourceModSeq.Value, [new MessagesExpunged(d.Outcome.SourceModSeq.Value, d.Outcome.SourceUids)])));
            uint uidNext = snapshot.UidNext;
            foreach (MailboxDelta delta in deltas.OrderBy(static d => d.ToModSeq))
            {
                // Apply throws where a modseq is missing or given twice.
                snapshot = snapshot.Apply(delta);
                foreach (MessagesAdded added in delta.Effects.OfType<MessagesAdded>())
                {
                    Assert.Equal(Enumerable.Range((int)uidNext, added.Rows.Count).Select(static u => (uint)u), added.Rows.Select(static r => r.Uid));
                    uidNext += (uint)added.Rows.Count;
                }
            }
            MailboxSnapshot loaded = await LoadAsync(mailbox);
            Assert.Equal((loaded.ModSeq, loaded.UidNext, loaded.Count), (snapshot.ModSeq, snapshot.UidNext, snapshot.Count));
            Assert.Equal(loaded.Messages().Select(static m => Full(m.ToRow())), snapshot.Messages().Select(static m => Full(m.ToRow())));
        }
        await CountersAreRightAsync();
    }

    private static string Full(MessageRow r) =>
        $"{r.Uid} {r.Email} {r.Size} {r.InternalDate} {r.ZoneMinutes} {r.SaveDate} {r.Flags.System} {string.Join(' ', r.Flags.Keywords).ToLowerInvariant()} {r.ModSeq} {r.Thread}";

    private async Task<List<Owned>> MailboxesAsync()
    {
        AccountId alice = await AccountAsync("alice@a.test"), bob = await AccountAsync("bob@a.test");
        await ExecuteAsync("insert into mail.tenant (tenant_id, charged, max_bytes) values (1, true, 1000000000)");
        return [await MailboxAsync(alice), await MailboxAsync(alice, "Work/2024"), await MailboxAsync(bob)];
    }

    private async Task<CommitOperation> AnyAsync(Random random, Owned mailbox, Owned source, uint uidNext, uint sourceUidNext, long modSeq)
    {
        SystemFlags flags = (SystemFlags)random.Next(32);
        string[] keywords = [.. _keywords.Where(_ => random.Next(4) == 0).Distinct(StringComparer.OrdinalIgnoreCase)];
        return random.Next(12) switch
        {
            0 => await HeldAppendOfAsync(mailbox, random.Next(1, 4), flags, keywords, (uint)random.Next(1, 5000)),
            <= 2 => await AppendOfAsync(mailbox, random.Next(1, 4), flags, keywords, (uint)random.Next(1, 5000)),
            <= 6 => StoreOf(mailbox, AnyUids(random, uidNext), (StoreMode)random.Next(3), flags, random.Next(2) == 0 ? [] : keywords, random.Next(3) == 0 ? random.NextInt64(modSeq + 1) : null),
            7 => ExpungeOf(mailbox, random.Next(2) == 0 ? null : AnyUids(random, uidNext)),
            8 => await ReplaceOfAsync(source, (uint)random.Next(1, (int)sourceUidNext + 2), mailbox, flags, keywords, (uint)random.Next(1, 5000)),
            9 => RemoveOf(mailbox, AnyUids(random, uidNext)),
            10 => CopyOf(source, AnyUids(random, sourceUidNext), mailbox, move: false),
            _ => CopyOf(source, AnyUids(random, sourceUidNext), mailbox, move: true),
        };
    }

    private static UidSet AnyUids(Random random, uint uidNext) => UidSet.FromRanges(Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
    {
        uint first = (uint)random.Next(1, (int)uidNext + 2);
        return new UidRange(first, first + (uint)random.Next(4));
    }));

    /// <summary>A mailbox as a list.</summary>
    private sealed class Model(long modSeq)
    {
        private readonly List<(uint Uid, long Email, uint Size, SystemFlags Flags, HashSet<string> Keywords, long ModSeq)> _rows = [];

        public long ModSeq { get; private set; } = modSeq;

        public uint UidNext { get; private set; } = 1;

        public IEnumerable<string> Rows => _rows.Select(static r => Text(r.Uid, r.Email, r.Size, r.Flags, r.Keywords, r.ModSeq));

        public static string Text(MessageRow r) => Text(r.Uid, r.Email.Value, r.Size, r.Flags.System, r.Flags.Keywords, r.ModSeq);

        public bool Has(uint uid) => _rows.Any(r => r.Uid == uid);

        public UidSet Append(CommitOperation o)
        {
            ModSeq++;
            uint first = UidNext;
            for (int i = 0; i < o.Messages.Count; i++)
                _rows.Add((UidNext++, o.Emails[i], o.Messages[i].Size, o.Messages[i].Flags.System, Set(o.Messages[i].Flags.Keywords), ModSeq));
            return UidSet.FromRanges([new UidRange(first, UidNext - 1)]);
        }

        public (UidSet Changed, UidSet Modified) Store(CommitOperation o)
        {
            var changed = new List<uint>();
            var modified = new List<uint>();
            for (int i = 0; i < _rows.Count; i++)
            {
                var r = _rows[i];
                if (!o.Uids.Contains(r.Uid))
                    continue;
                if (r.ModSeq > o.UnchangedSince)
                {
                    modified.Add(r.Uid);
                    continue;
                }
                (SystemFlags flags, HashSet<string> keywords) = (r.Flags, Set(r.Keywords));
                if (o.Mode == StoreMode.Replace)
                    (flags, keywords) = (o.Flags.System, Set(o.Flags.Keywords));
                else if (o.Mode == StoreMode.Add)
                    (flags, keywords) = (flags | o.Flags.System, Set(keywords.Concat(o.Flags.Keywords)));
                else
                    (flags, keywords) = (flags & ~o.Flags.System, Set(keywords.Except(o.Flags.Keywords, StringComparer.OrdinalIgnoreCase)));
                if (flags == r.Flags && keywords.SetEquals(r.Keywords))
                    continue;
                changed.Add(r.Uid);
                _rows[i] = r with { Flags = flags, Keywords = keywords, ModSeq = ModSeq + 1 };
            }
            if (changed.Count > 0)
                ModSeq++;
            return (UidSet.FromUids(changed), UidSet.FromUids(modified));
        }

        public UidSet Remove(UidSet uids) => Remove(r => uids.Contains(r.Uid));

        public UidSet Expunge(CommitOperation o) => Remove(r => o.Uids.Contains(r.Uid) && r.Flags.HasFlag(SystemFlags.Deleted));

        public (UidSet From, UidSet To, long? SourceModSeq) Copy(Model source, CommitOperation o)
        {
            var taken = source._rows.Where(r => o.Uids.Contains(r.Uid)).ToList();
            if (taken.Count == 0)
                return (UidSet.Empty, UidSet.Empty, null);
            UidSet uids = UidSet.FromUids(taken.Select(static r => r.Uid));
            long? sourceModSeq = null;
            if (o.Kind == CommitKind.Move)
            {
                source.Remove(r => uids.Contains(r.Uid));
                sourceModSeq = source.ModSeq;
            }
            ModSeq++;
            uint first = UidNext;
            foreach (var r in taken)
                _rows.Add(r with { Uid = UidNext++, ModSeq = ModSeq });
            return (uids, UidSet.FromRanges([new UidRange(first, UidNext - 1)]), sourceModSeq);
        }

        private UidSet Remove(Func<(uint Uid, long Email, uint Size, SystemFlags Flags, HashSet<string> Keywords, long ModSeq), bool> which)
        {
            UidSet gone = UidSet.FromUids(_rows.Where(which).Select(static r => r.Uid));
            _rows.RemoveAll(r => gone.Contains(r.Uid));
            if (!gone.IsEmpty)
                ModSeq++;
            return gone;
        }

        private static HashSet<string> Set(IEnumerable<string> keywords) => new(keywords, StringComparer.OrdinalIgnoreCase);

        private static string Text(uint uid, long email, uint size, SystemFlags flags, IEnumerable<string> keywords, long modSeq) =>
            $"{uid} {email} {size} {flags} {string.Join(' ', keywords.Select(static k => k.ToLowerInvariant()).Order(StringComparer.Ordinal))} {modSeq}";
    }
}
