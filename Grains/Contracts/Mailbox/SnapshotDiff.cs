namespace MailCluster.Contracts;

/// <summary>What leads from one version of a mailbox to another, told in the terms of IMAP.</summary>
/// <param name="Expunged">UIDs in the old version and not in the new, ascending.</param>
/// <param name="Changed">UIDs in both whose flags or modseq differ, ascending.</param>
/// <param name="Added">UIDs in the new version and not in the old, ascending.</param>
public sealed record SnapshotDiff(UidSet Expunged, UidSet Changed, UidSet Added)
{
    public static readonly SnapshotDiff None = new(UidSet.Empty, UidSet.Empty, UidSet.Empty);

    /// <summary>The difference; chunks that both versions share are skipped, so it costs what changed and not what is there.</summary>
    public static SnapshotDiff Between(MailboxSnapshot old, MailboxSnapshot now)
    {
        if (ReferenceEquals(old, now))
            return None;
        var expunged = new UidSet.Builder();
        var changed = new UidSet.Builder();
        var added = new UidSet.Builder();
        var a = new Cursor(old);
        var b = new Cursor(now);
        while (a.Chunk is not null || b.Chunk is not null)
        {
            if (a.Place == 0 && b.Place == 0 && ReferenceEquals(a.Chunk, b.Chunk))
            {
                a.NextChunk();
                b.NextChunk();
                continue;
            }
            if (a.Uid < b.Uid)
            {
                expunged.Add((uint)a.Uid);
                a.Next();
            }
            else if (b.Uid < a.Uid)
            {
                added.Add((uint)b.Uid);
                b.Next();
            }
            else
            {
                if (a.ModSeq != b.ModSeq)
                    changed.Add((uint)a.Uid);
                a.Next();
                b.Next();
            }
        }
        return new SnapshotDiff(expunged.ToSet(), changed.ToSet(), added.ToSet());
    }

    private struct Cursor(MailboxSnapshot snapshot)
    {
        private int _chunk;

        public int Place { get; private set; }

        public readonly MessageChunk? Chunk => _chunk < snapshot.Chunks.Count ? snapshot.Chunks[_chunk] : null;

        /// <summary>Beyond the last message it is above every UID.</summary>
        public readonly ulong Uid => Chunk is { } chunk ? chunk.Fixed.Uid[Place] : ulong.MaxValue;

        public readonly long ModSeq => Chunk!.ModSeq[Place];

        public void Next()
        {
            if (++Place == Chunk!.Count)
                NextChunk();
        }

        public void NextChunk()
        {
            _chunk++;
            Place = 0;
        }
    }
}
