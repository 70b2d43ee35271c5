using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The messages of a loaded mailbox, the last steps that led there, and versions that are being copied by front ends.</summary>
internal sealed class MailboxVersion(MailboxSnapshot snapshot)
{
    /// <summary>Steps that are kept, so that a front end that is a little behind need not copy the whole.</summary>
    private const int _kept = 256;

    /// <summary>The most messages that those steps may have added.</summary>
    private const int _keptRows = 20_000;

    private const int _pins = 16;
    private static readonly TimeSpan _pinned = TimeSpan.FromSeconds(30);

    private readonly LinkedList<MailboxDelta> _recent = [];
    private readonly LinkedList<(MailboxSnapshot Snapshot, long Until)> _pinnedVersions = [];
    private int _recentRows;

    public MailboxSnapshot Snapshot { get; private set; } = snapshot;

    public void Apply(MailboxDelta delta)
    {
        Snapshot = Snapshot.Apply(delta);
        _recent.AddLast(delta);
        _recentRows += Rows(delta);
        while (_recent.Count > _kept || _recentRows > _keptRows)
        {
            _recentRows -= Rows(_recent.First!.Value);
            _recent.RemoveFirst();
        }
    }

    private static int Rows(MailboxDelta delta) => delta.Effects.OfType<MessagesAdded>().Sum(static a => a.Rows.Count);

    /// <summary>See <see cref="IMailboxGrain.Sync"/>.</summary>
    public SyncReply Since(long epoch, long modSeq)
    {
        if (epoch == Snapshot.Epoch && modSeq == Snapshot.ModSeq)
            return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], null, Snapshot.UidNext, Snapshot.UidValidity);
        if (epoch == Snapshot.Epoch && _recent.First is { } first && first.Value.FromModSeq <= modSeq)
            return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [.. _recent.Where(d => d.FromModSeq >= modSeq)], null, Snapshot.UidNext, Snapshot.UidValidity);
        long now = Environment.TickCount64;
        while (_pinnedVersions.First is { } oldest && (oldest.Value.Until < now || _pinnedVersions.Count >= _pins))
            _pinnedVersions.RemoveFirst();
        if (_pinnedVersions.Last is { } last && last.Value.Snapshot.ModSeq == Snapshot.ModSeq)
            _pinnedVersions.RemoveLast();
        _pinnedVersions.AddLast((Snapshot, now + (long)_pinned.TotalMilliseconds));
        return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], Snapshot.Chunks.Count, Snapshot.UidNext, Snapshot.UidValidity, Sharing: Snapshot.Sharing);
    }

    /// <summary>A version that <see cref="Since"/> has named; null when it is kept no longer.</summary>
    public MailboxSnapshot? Pinned(long epoch, long modSeq)
    {
        if (Snapshot.Epoch != epoch)
            return null;
        return Snapshot.ModSeq == modSeq ? Snapshot : _pinnedVersions.FirstOrDefault(p => p.Snapshot.ModSeq == modSeq).Snapshot;
    }
}
