using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The messages of a loaded mailbox, the last steps that led there, and versions that are being copied by front ends. Any thread.</summary>
internal sealed class MailboxVersion(MailboxSnapshot snapshot)
{
    /// <summary>Steps that are kept, so that a front end that is a little behind need not copy the whole.</summary>
    private const int _kept = 256;

    /// <summary>The most messages that those steps may have added.</summary>
    private const int _keptRows = 20_000;

    private const int _pins = 16;
    private static readonly TimeSpan _pinned = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly LinkedList<MailboxDelta> _recent = [];
    private readonly LinkedList<(MailboxSnapshot Snapshot, long Until)> _pinnedVersions = [];
    private int _recentRows;

    public MailboxSnapshot Snapshot => Volatile.Read(ref snapshot);

    public void Apply(MailboxDelta delta)
    {
        lock (_gate)
        {
            Volatile.Write(ref snapshot, snapshot.Apply(delta));
            _recent.AddLast(delta);
            _recentRows += Rows(delta);
            while (_recent.Count > _kept || _recentRows > _keptRows)
            {
                _recentRows -= Rows(_recent.First!.Value);
                _recent.RemoveFirst();
            }
        }
    }

    private static int Rows(MailboxDelta delta) => delta.Effects.OfType<MessagesAdded>().Sum(static a => a.Rows.Count);

    /// <summary>See <see cref="IMailboxGrain.Sync"/>.</summary>
    public SyncReply Since(long epoch, long modSeq)
    {
        lock (_gate)
        {
            if (epoch == snapshot.Epoch && modSeq == snapshot.ModSeq)
                return new SyncReply(snapshot.Epoch, snapshot.ModSeq, [], null, snapshot.UidNext, snapshot.UidValidity);
            if (epoch == snapshot.Epoch && _recent.First is { } first && first.Value.FromModSeq <= modSeq)
                return new SyncReply(snapshot.Epoch, snapshot.ModSeq, [.. _recent.Where(d => d.FromModSeq >= modSeq)], null, snapshot.UidNext, snapshot.UidValidity);
            long now = Environment.TickCount64;
            while (_pinnedVersions.First is { } oldest && (oldest.Value.Until < now || _pinnedVersions.Count >= _pins))
                _pinnedVersions.RemoveFirst();
            if (_pinnedVersions.Last is { } last && last.Value.Snapshot.ModSeq == snapshot.ModSeq)
                _pinnedVersions.RemoveLast();
            _pinnedVersions.AddLast((snapshot, now + (long)_pinned.TotalMilliseconds));
            return new SyncReply(snapshot.Epoch, snapshot.ModSeq, [], snapshot.Chunks.Count, snapshot.UidNext, snapshot.UidValidity, Sharing: snapshot.Sharing);
        }
    }

    /// <summary>A version that <see cref="Since"/> has named; null when it is kept no longer.</summary>
    public MailboxSnapshot? Pinned(long epoch, long modSeq)
    {
        lock (_gate)
        {
            if (snapshot.Epoch != epoch)
                return null;
            return snapshot.ModSeq == modSeq ? snapshot : _pinnedVersions.FirstOrDefault(p => p.Snapshot.ModSeq == modSeq).Snapshot;
        }
    }
}
